"""Door one: the customers' pages. HTTP in, HTML out; every rule is inventory's."""
