"""The records of a client's CRM, as its CRM hands them in."""
