"""Which fields of a CRM record and of an ERP actor belong together, and which way they are kept in step."""
