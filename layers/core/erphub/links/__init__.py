"""CRM records and the actors of an ERP that they stand for: found, linked, compared and kept in step."""
