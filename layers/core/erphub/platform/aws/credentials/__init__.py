"""Where connections' credentials are kept: a secret each, or sealed in a table under their client's key."""
