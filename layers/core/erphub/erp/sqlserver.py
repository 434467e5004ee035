"""SQL Server as a way to reach an ERP: its address, its wizard steps, a safe connection, and exact, fast reading."""
