"""Where the tills of a sync stand, and whose books each belongs to."""
