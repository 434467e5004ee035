"""How ERP systems are reached on the wire."""
