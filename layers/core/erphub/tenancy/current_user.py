"""Who is calling: where they belong, and what they may do there."""

from collections.abc import Sequence
from dataclasses import dataclass

from erphub.platform.actors import ActorKind
from erphub.platform.clock import Clock
from erphub.platform.identity import Caller
from erphub.tenancy import problems
from erphub.tenancy.invitations.models import Invitation
from erphub.tenancy.invitations.ports import InvitationStore
from erphub.tenancy.models import Affiliations, Membership
from erphub.tenancy.ports import ClientStore, CustomerStore, MemberStore, PlatformAdministrators, RoleStore
from erphub.tenancy.schemas import CurrentUser, OwnClient, OwnCustomer, OwnInvitation, OwnKey, inviter_view


@dataclass(frozen=True)
class CurrentUserService:
    """What the caller belongs to."""

    customers: CustomerStore
    clients: ClientStore
    roles: RoleStore
    members: MemberStore
    platform_administrators: PlatformAdministrators
    invitations: InvitationStore
    clock: Clock

    def get(self, caller: Caller) -> CurrentUser:
        """What the caller belongs to, and what may be done in each; and where they are invited to."""
        affiliations = self._affiliations(caller)
        memberships = affiliations.memberships
        return CurrentUser(
            id=caller.user,
            kind=ActorKind.PROGRAM if caller.program else ActorKind.PERSON,
            signed_in_with=caller.method,
            valid_until=caller.valid_until,
            email=caller.email,
            api_key=_find_key(memberships),
            is_platform_administrator=self.platform_administrators.contains(caller.user),
            customers=[
                OwnCustomer(id=key, name=found.name, is_administrator=key in affiliations.administered)
                for key in affiliations.customer_ids
                if (found := self.customers.get(key))
            ],
            clients=[view for one in memberships if (view := self.client(one))],
            invitations=[view for one in self._open_invitations(caller) if (view := self._invitation(one))],
        )

    def _affiliations(self, caller: Caller) -> Affiliations:
        if caller.program is None:
            return self.members.find_affiliations(caller.user)
        # A key has one client; the index lags behind, and whoever has just got a key tries it here.
        membership = self.members.get(caller.program.client_id, caller.user)
        return Affiliations([], [membership] if membership else [])

    def _open_invitations(self, caller: Caller) -> list[Invitation]:
        now = self.clock()
        return [one for one in self.invitations.get_all_of(caller.user) if not one.is_over(now)]

    def _invitation(self, invitation: Invitation) -> OwnInvitation | None:
        client = self.clients.get(invitation.client_id)
        if client is None:
            return None
        role = self.roles.get(invitation.customer_id, invitation.role)
        return OwnInvitation(
            id=invitation.id,
            client_id=client.id,
            client_name=client.name,
            role=invitation.role,
            permissions=sorted(role.permissions) if role else [],
            invited_by=inviter_view(invitation),
            invited_at=invitation.invited_at,
            ends_at=invitation.ends_at,
        )

    def require_client(self, membership: Membership) -> OwnClient:
        """A client as its member sees it. Raises NotFound (`client_not_found`)."""
        found = self.client(membership)
        if found is None:
            raise problems.CLIENT_GONE()
        return found

    def client(self, membership: Membership) -> OwnClient | None:
        """A client as its member sees it; None when it is gone."""
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


def _find_key(memberships: Sequence[Membership]) -> OwnKey | None:
    for membership in memberships:
        if membership.program is not None:
            program = membership.program
            return OwnKey(
                name=program.name,
                prefix=program.prefix,
                client_id=membership.client_id,
                role=membership.role,
                expires_at=program.expires_at,
            )
    return None
