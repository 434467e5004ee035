"""Removing a connection with all that hangs on it."""
