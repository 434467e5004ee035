"""Importing data from ERP systems by job."""
