"""Door two: the staff's pages. HTTP in, HTML out; every rule is the inventory's."""
