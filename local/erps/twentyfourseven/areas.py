"""The areas that an organisation can be shut out of: without access to them, or without the module.

Switched by `POST /_admin/areas {"area": "CRM", "closed": "access"}`: `access`, `module`, or null to open it again. The
vendor's words for either are not published.
"""

AREAS = {
    "Account": "Accounting", "Transaction": "Accounting", "Attachment": "Accounting", "Client": "Admin",
    "Company": "CRM", "Person": "CRM", "Product": "Products", "Invoice": "Invoicing",
}  # fmt: skip
"""The area of each SOAP service."""
SCOPES = {
    "api.accounting.dimension": "Admin", "api.accounting.transactiontype": "Admin", "api.accounting": "Accounting",
    "api.crm": "CRM", "api.product": "Products", "api.invoicing": "Invoicing",
}  # fmt: skip
"""The area of each scope of REST, by its beginning; the first that fits."""
CLOSED = {
    "access": "Access denied. The identity has no permission to use this service.",
    "module": "The module is not activated for this client.",
}


def area_of(scope: str) -> str:
    """The area of a scope of REST; empty for those of none."""
    return next((area for prefix, area in SCOPES.items() if scope.startswith(prefix)), "")
