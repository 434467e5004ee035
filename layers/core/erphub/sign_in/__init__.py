"""Signing in, for people and for programs: what a caller shows, and who they are."""
