"""Invitations as they are kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from erphub.tenancy.models import User

INVITATION_LIFETIME = timedelta(days=7)
"""How long somebody may take to accept; the password that is mailed to somebody new is good as long."""


@dataclass(frozen=True)
class Invitation:
    """That somebody was asked to belong to a client, in a role. It gives no right until it is accepted."""

    id: str
    """Another one for every change, so that nobody accepts what they have not seen."""
    client_id: str
    customer_id: str
    invited: User
    role: str
    inviter: User
    """Who invites, with their address as it was then."""
    invited_at: datetime
    version: int = 1

    @property
    def ends_at(self) -> datetime:
        """Until when it can be accepted."""
        return self.invited_at + INVITATION_LIFETIME

    def is_over(self, now: datetime) -> bool:
        """Whether it can no longer be accepted."""
        return now >= self.ends_at
