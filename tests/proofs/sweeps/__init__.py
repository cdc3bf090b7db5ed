"""Sweepers with clocks of their own, and what the tables say after them."""
