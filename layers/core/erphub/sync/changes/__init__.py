"""What changed in the ERP, for the till."""
