"""The ERP systems the hub knows, none knowing another."""
