"""Specs as they hold in one environment: inheritance, Defaults, Overlays, variables."""
