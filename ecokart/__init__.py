"""Wiring: settings, addresses, middleware. Imports everything, is imported by nobody."""
