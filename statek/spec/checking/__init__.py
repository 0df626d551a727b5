"""Documents to specs: schema, rules of one object, references between objects. Every mistake once, at its token."""
