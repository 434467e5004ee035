"""API keys: what programs sign in with, each bound to one client and a role."""
