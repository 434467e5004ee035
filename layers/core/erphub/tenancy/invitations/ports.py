"""Where invitations are kept."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from erphub.platform.pages import Page
from erphub.tenancy.invitations.models import Invitation
from erphub.tenancy.models import Membership


class InvitationStore(Protocol):
    """Invitations, at most one of each user to a client. A change of what is gone raises Conflict."""

    def get(self, client_id: str, user: str) -> Invitation | None:
        """The user's invitation to the client, also when it is over."""
        ...

    def client_of(self, user: str, invitation_id: str) -> str | None:
        """The client that an invitation of this user is or was to, for some time after its end."""
        ...

    def get_all_of(self, user: str) -> Sequence[Invitation]:
        """The user's invitations, the oldest first, also those that are over."""
        ...

    def get_page_with_members(self, client_id: str, limit: int, cursor: str | None) -> Page[Membership | Invitation]:
        """A page of the client's members, then of those invited."""
        ...

    def save(self, invitation: Invitation, before: Invitation | None) -> None:
        """Write it in place of `before`. Raises Conflict, also when the role is gone or the user is a member."""
        ...

    def accept(self, invitation: Invitation, member: Membership) -> None:
        """The membership in place of the invitation, all or nothing. Raises Conflict, also when the role is gone."""
        ...

    def delete(self, invitation: Invitation) -> None:
        """Remove it as it was read. Raises Conflict."""
        ...

    def get_over(self, now: datetime) -> Iterable[Invitation]:
        """Invitations that are over; one that ended a moment ago may be missing."""
        ...
