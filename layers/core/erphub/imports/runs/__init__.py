"""Runs of import jobs: planned, read, published, watched."""
