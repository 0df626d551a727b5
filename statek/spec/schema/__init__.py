"""Every kind with every field, as JSON Schema. Only data, and look-ups in it."""
