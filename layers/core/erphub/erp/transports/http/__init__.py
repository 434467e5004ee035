"""What systems behind an HTTP API share: the stages of their test, and their rows as Arrow batches."""
