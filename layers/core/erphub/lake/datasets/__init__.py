"""Which datasets there are, with their column types."""
