"""A bicycle shop."""
