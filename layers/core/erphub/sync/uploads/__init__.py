"""Many documents in one file."""
