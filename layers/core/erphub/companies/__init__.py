"""A customer's companies, each connected once, and licences."""
