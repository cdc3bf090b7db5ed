"""Processes that die: where, in which flows, under which load."""
