"""Customers, their clients, roles and members, and what each caller may do."""
