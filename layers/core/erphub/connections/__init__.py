"""Connections to ERP systems: their settings, owners, health."""
