"""Keeping a till and an ERP in step: documents out, changes in."""
