"""Customers, clients, roles and members in the tenant table."""

from ..models.identity import Membership, Permission, Role
from . import keys
from .table import Item, Table


class TenancyTable:
    """Satisfies `ports.tenancy`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def membership(self, client_id: str, user: str) -> Membership | None:
        item = self._table.get(keys.member(client_id, user))
        return Membership(client_id, item["customer_id"], user, item["role"]) if item else None

    def role(self, customer_id: str, name: str) -> Role | None:
        item = self._table.get(keys.role(customer_id, name))
        return _role(item) if item else None

    def is_customer_administrator(self, customer_id: str, user: str) -> bool:
        return self._table.get(keys.customer_admin(customer_id, user)) is not None

    def belongs_to_customer(self, customer_id: str, user: str) -> bool:
        mine = self._table.by_index("user", "user_pk", keys.of_user(user))
        return any(item.get("customer_id") == customer_id for item in mine)

    def is_platform_administrator(self, user: str) -> bool:
        return self._table.get(keys.platform_admin(user)) is not None


def _role(item: Item) -> Role:
    known = frozenset(Permission)
    permissions = frozenset(Permission(word) for word in item.get("permissions", ()) if word in known)
    return Role(item["customer_id"], item["name"], permissions, int(item["version"]))
