"""The guard between a SQL Server driver and its server: it dials, encrypts, reads the login's answer, bounds time."""
