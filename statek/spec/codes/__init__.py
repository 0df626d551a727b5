"""What each diagnostic code means, with examples. Only data."""
