"""Customers and admins over HTTP, and the scenes that they find."""
