"""A view reads the form, calls one rule, chooses a response."""
