"""Ground: the clock and plain file work. No vendor, no domain word, no import from another ring but exceptions."""
