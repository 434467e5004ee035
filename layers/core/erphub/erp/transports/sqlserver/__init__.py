"""SQL Server over TDS: logging in, probing, reading."""
