"""A research desk."""
