"""Who may do what, as the HTTP layer asks it."""

from typing import Protocol

from erphub.platform.capability import Permission
from erphub.platform.identity import AccessLevel, Caller, Member, Program


class Authorization(Protocol):
    """Decides about callers for every request, from what is stored now."""

    def require(self, client_id: str, caller: Caller, permission: Permission) -> Member:
        """The caller as a member of the client who has the permission. Raises NotFound, Forbidden, NotSignedIn."""
        ...

    def require_level(self, level: AccessLevel, caller: Caller, customer_id: str | None) -> None:
        """Check a route outside a client. Raises NotFound, Forbidden, NotSignedIn."""
        ...


class Programs(Protocol):
    """Looks after programs that call with API keys."""

    def admit(self, caller: Caller, program: Program) -> None:
        """A request of a program, before it is known what it may do. Raises Forbidden (`network_not_allowed`)."""
        ...
