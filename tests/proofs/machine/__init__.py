"""The shop beside its model."""
