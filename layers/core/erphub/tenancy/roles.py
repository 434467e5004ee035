"""Roles of a customer: named sets of permissions."""

import re
from dataclasses import dataclass

from erphub.platform.acts import describe_act
from erphub.platform.capability import ADMINISTRATOR
from erphub.platform.errors import Invalid
from erphub.platform.versions import require_version
from erphub.tenancy import problems
from erphub.tenancy.capability import MEMBERS_MANAGE
from erphub.tenancy.models import Role
from erphub.tenancy.ports import RoleStore
from erphub.tenancy.schemas import ChangedRole, RoleView, role_view

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")


@dataclass(frozen=True)
class RoleService:
    """Roles, which the customer's administrators decide about."""

    store: RoleStore

    def get(self, customer_id: str, name: str) -> RoleView:
        """One role. Raises NotFound."""
        return role_view(self._require(customer_id, name))

    def create_or_update(self, customer_id: str, name: str, body: ChangedRole) -> RoleView:
        """Make a role or change its permissions. Raises Invalid, Conflict."""
        if not _NAME.fullmatch(name):
            raise Invalid.of(problems.ROLE_NAME_INVALID(""))
        if name == ADMINISTRATOR and MEMBERS_MANAGE not in body.permissions:
            raise problems.ROLE_PROTECTED()
        before = self.store.get(customer_id, name)
        require_version(body.version, before.version if before else None)
        role = Role(customer_id, name, frozenset(body.permissions))
        describe_act(old={"permissions": sorted(before.permissions)} if before else None)
        return role_view(self.store.save(role, before.version if before else None))

    def delete(self, customer_id: str, name: str, version: int | None = None) -> None:
        """Remove a role nobody has. Raises NotFound, Conflict."""
        if name == ADMINISTRATOR:
            raise problems.ADMINISTRATOR_ROLE_STAYS()
        role = self._require(customer_id, name)
        require_version(version, role.version)
        describe_act(old={"permissions": sorted(role.permissions)})
        self.store.delete(role)

    def _require(self, customer_id: str, name: str) -> Role:
        role = self.store.get(customer_id, name) if _NAME.fullmatch(name) else None
        if role is None:
            raise problems.ROLE_NOT_FOUND()
        return role
