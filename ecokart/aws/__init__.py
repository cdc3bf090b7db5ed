"""The shop on AWS: the function's entry and its package, and what deploys them."""
