"""Rows of a dataset, page by page."""
