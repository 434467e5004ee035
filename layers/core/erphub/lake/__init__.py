"""Imported data: one table per client and dataset."""
