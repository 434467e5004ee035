"""Every document with what became of it."""
