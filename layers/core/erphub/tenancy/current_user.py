"""Who is calling: where they belong, and what they may do there."""

from dataclasses import dataclass

from erphub.platform.identity import Caller
from erphub.tenancy.models import Membership
from erphub.tenancy.ports import ClientStore, CustomerStore, MemberStore, PlatformAdministrators, RoleStore
from erphub.tenancy.schemas import CurrentUser, OwnClient, OwnCustomer


@dataclass(frozen=True)
class CurrentUserService:
    """What the caller belongs to."""

    customers: CustomerStore
    clients: ClientStore
    roles: RoleStore
    members: MemberStore
    platform_administrators: PlatformAdministrators

    def get(self, caller: Caller) -> CurrentUser:
        """What the caller belongs to, and what may be done in each."""
        affiliations = self.members.find_affiliations(caller.user)
        return CurrentUser(
            id=caller.user,
            email=caller.email,
            is_platform_administrator=self.platform_administrators.contains(caller.user),
            customers=[
                OwnCustomer(id=key, name=found.name, is_administrator=key in affiliations.administered)
                for key in affiliations.customer_ids
                if (found := self.customers.get(key))
            ],
            clients=[view for one in affiliations.memberships if (view := self._client(one))],
        )

    def _client(self, membership: Membership) -> OwnClient | None:
        client = self.clients.get(membership.client_id)
        if client is None:
            return None
        role = self.roles.get(membership.customer_id, membership.role)
        return OwnClient(
            id=client.id,
            name=client.name,
            customer_id=client.customer_id,
            role=membership.role,
            permissions=sorted(role.permissions) if role else [],
        )
