"""Who may do what, as the HTTP layer asks it."""

from typing import Protocol

from erphub.platform.capability import Permission
from erphub.platform.identity import AccessLevel, Caller, Member


class Authorization(Protocol):
    """Decides about callers for every request, from what is stored now."""

    def require(self, client_id: str, caller: Caller, permission: Permission) -> Member:
        """The caller as a member of the client who has the permission. Raises NotFound, Forbidden."""
        ...

    def require_level(self, level: AccessLevel, caller: Caller, customer_id: str | None) -> None:
        """Check a route outside a client. Raises NotFound, Forbidden."""
        ...
