"""What other capabilities ask about customers, clients and what members may do there."""

from dataclasses import dataclass
from typing import override

from erphub.platform.capability import Permission
from erphub.tenancy.models import Client, Customer
from erphub.tenancy.ports import ClientStore, CustomerStore, MemberStore, RoleStore, TenantDirectory


@dataclass(frozen=True)
class StoredTenants(TenantDirectory):
    """Answers from what is stored now."""

    customers: CustomerStore
    clients: ClientStore
    roles: RoleStore
    members: MemberStore

    @override
    def permissions_of(self, client_id: str, user: str) -> frozenset[Permission]:
        membership = self.members.get(client_id, user)
        role = self.roles.get(membership.customer_id, membership.role) if membership else None
        return role.permissions if role else frozenset()

    @override
    def client(self, client_id: str) -> Client | None:
        return self.clients.get(client_id)

    @override
    def customer(self, customer_id: str) -> Customer | None:
        return self.customers.get(customer_id)
