"""ERP systems: the catalogue, what each can be asked, and how."""
