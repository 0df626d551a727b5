"""Specs to compiled values: every default filled in, every reference followed. Pure; runs no user code."""
