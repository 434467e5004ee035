"""Which actor of an ERP a CRM's record probably is: suggestions with their evidence. Knows no ERP, no CRM and no store.

The libraries it reads numbers and names with lie in a layer of their own; only who makes suggestions imports it.
"""
