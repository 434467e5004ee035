"""Who may do what: decided for every request from the membership, never from the token.

Who does not belong gets NotFound, as if nothing were there; who belongs but lacks the permission gets Forbidden.
"""

from dataclasses import dataclass

from erphub.platform.capability import Permission
from erphub.platform.identity import AccessLevel, Caller, Member
from erphub.tenancy import problems
from erphub.tenancy.ports import CustomerStore, MemberStore, PlatformAdministrators, RoleStore


@dataclass(frozen=True)
class Authorizer:
    """Decides about callers, from what the store says now."""

    members: MemberStore
    roles: RoleStore
    customers: CustomerStore
    platform_administrators: PlatformAdministrators

    def require(self, client_id: str, caller: Caller, permission: Permission) -> Member:
        """The caller as a member of the client who has the permission. Raises NotFound, Forbidden."""
        member = self.member(client_id, caller)
        if permission not in member.permissions:
            raise problems.PERMISSION_MISSING(permission=permission)
        return member

    def member(self, client_id: str, caller: Caller) -> Member:
        """The caller as a member of the client. Raises NotFound, NotSignedIn (`api_key_revoked`)."""
        membership = self.members.get(client_id, caller.user)
        if membership is None and caller.program and caller.program.client_id == client_id:
            raise problems.API_KEY_REVOKED()
        if membership is None:
            raise problems.CLIENT_NOT_FOUND()
        role = self.roles.get(membership.customer_id, membership.role)
        permissions = role.permissions if role else frozenset[Permission]()
        return Member(
            client_id,
            membership.customer_id,
            caller.user,
            membership.role,
            permissions,
            caller.email,
            caller.source,
            membership.program.name if membership.program else None,
        )

    def require_level(self, level: AccessLevel, caller: Caller, customer_id: str | None) -> None:
        """Check a route outside a client. Raises NotFound, Forbidden, NotSignedIn (`api_key_revoked`)."""
        if caller.program:
            self.member(caller.program.client_id, caller)
        if level is AccessLevel.PLATFORM_ADMINISTRATOR:
            self._require_platform_administrator(caller)
        if level is AccessLevel.CUSTOMER_ADMINISTRATOR:
            self._require_customer_administrator(customer_id or "", caller)
        if level is AccessLevel.ANY_ADMINISTRATOR and not self.platform_administrators.contains(caller.user):
            self._require_customer_administrator(customer_id or "", caller)

    def _require_platform_administrator(self, caller: Caller) -> None:
        if not self.platform_administrators.contains(caller.user):
            raise problems.PLATFORM_ADMINISTRATORS_ONLY()

    def _require_customer_administrator(self, customer_id: str, caller: Caller) -> None:
        if self.customers.is_administrator(customer_id, caller.user):
            return
        if customer_id in self.members.find_affiliations(caller.user).customer_ids:
            raise problems.CUSTOMER_ADMINISTRATORS_ONLY()
        raise problems.CUSTOMER_NOT_FOUND()
