"""What the hub must remember about customers, clients, roles and members."""

from typing import Protocol

from ..models.identity import Membership, Role


class Memberships(Protocol):
    """What deciding about a request needs: two look-ups by key."""

    def membership(self, client_id: str, user: str) -> Membership | None: ...

    def role(self, customer_id: str, name: str) -> Role | None: ...

    def is_customer_administrator(self, customer_id: str, user: str) -> bool: ...

    def belongs_to_customer(self, customer_id: str, user: str) -> bool:
        """Whether the user is a member of any client of the customer."""
        ...

    def is_platform_administrator(self, user: str) -> bool: ...
