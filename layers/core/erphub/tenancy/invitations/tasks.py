"""Invitations that nobody answered in time, ended by the clock."""

from dataclasses import dataclass

from erphub.platform import logging
from erphub.platform.actors import HUB
from erphub.platform.acts import ActAtHand, ActLog
from erphub.platform.clock import Clock
from erphub.platform.due import work_through
from erphub.platform.errors import Conflict
from erphub.platform.identity import Caller
from erphub.tenancy import problems
from erphub.tenancy.capability import INVITATION_EXPIRED
from erphub.tenancy.invitations.models import Invitation
from erphub.tenancy.invitations.ports import InvitationStore

_WORKERS = 2
"""Those of one client write to one log, one after the other."""


@dataclass(frozen=True)
class ExpiredInvitations:
    """Removes what can no longer be accepted, with an entry in the client's audit log."""

    store: InvitationStore
    log: ActLog
    clock: Clock

    def sweep(self) -> int:
        """How many were removed. Raises Unavailable when some could not be, after the others."""
        worked = work_through(self.store.get_over(self.clock()), self._expire, _report, workers=_WORKERS)
        if worked.failed:
            raise problems.NOT_SWEPT(failed=worked.failed)
        return worked.done

    def _expire(self, invitation: Invitation) -> bool:
        old = {"role": invitation.role, "ends_at": invitation.ends_at.isoformat()}
        whom = {"user_id": invitation.invited.id, "email": invitation.invited.email}
        act = ActAtHand(INVITATION_EXPIRED, Caller(HUB), invitation.client_id, None, None, old, whom)
        try:
            with self.log.acting(act):
                self.store.delete(invitation)
        except Conflict:
            return False  # revoked, or made anew, in the meantime
        return True


def _report(failed: Invitation, error: Exception) -> None:
    about = {"invitation_id": failed.id, "client_id": failed.client_id}
    logging.logger().warning("an invitation was not ended", exc_info=error, extra=about)
