"""Addresses of programs that want to know of events."""
