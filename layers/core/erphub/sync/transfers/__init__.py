"""Carrying documents to the ERP, each once."""
