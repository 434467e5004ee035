"""Invitations: made by those who manage members, accepted or declined by the invited, and over after a time.

An invitation gives no right. Also who belongs to another client of the same customer is asked: a membership lets the
client's people see one's name, and puts one's name under what is done there.
"""

from dataclasses import dataclass

from erphub.platform.acts import describe_act
from erphub.platform.capability import LimitScope
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.errors import Conflict, Gone, HubError
from erphub.platform.identity import Caller, Member
from erphub.platform.limits import Limits, Owner
from erphub.tenancy import problems
from erphub.tenancy.capability import (
    CALLER_INVITATIONS,
    INVITATION_CREATED,
    INVITATION_REVOKED,
    INVITATIONS,
)
from erphub.tenancy.invitations.models import Invitation
from erphub.tenancy.invitations.ports import InvitationStore
from erphub.tenancy.models import Membership, User
from erphub.tenancy.ports import MemberStore, RoleStore


@dataclass(frozen=True)
class InvitationService:
    """Asks people into clients, and takes their answers."""

    store: InvitationStore
    members: MemberStore
    roles: RoleStore
    limits: Limits
    clock: Clock
    new_id: IdGenerator

    def count(self, member: Member) -> None:
        """One more invitation of today, before anything is done or mailed for it. Raises TooMany."""
        self.count_caller(member.user)
        self.limits.take(INVITATIONS, Owner(LimitScope.CLIENT, member.client_id))

    def count_caller(self, user: str) -> None:
        """One more of whoever invites somebody to what is no client. Raises TooMany."""
        self.limits.take(CALLER_INVITATIONS, Owner(LimitScope.CALLER, user))

    def invite(self, by: Member, user: User, role: str, before: Invitation | None) -> Invitation:
        """Ask somebody, or in place of `before` ask them something else. Raises Conflict."""
        made = Invitation(
            self.new_id(),
            by.client_id,
            by.customer_id,
            user,
            role,
            User(by.user, by.name),
            self.clock(),
            before.version + 1 if before else 1,
        )
        describe_act(
            INVITATION_CREATED,
            old={"role": before.role} if before else None,
            new=_whom(made) | {"ends_at": made.ends_at.isoformat()},
        )
        self.store.save(made, before)
        return made

    def revoke(self, invitation: Invitation) -> None:
        """Whoever was asked is asked no longer. Raises Conflict when they have just answered."""
        describe_act(INVITATION_REVOKED, old={"role": invitation.role}, new=_whom(invitation))
        self.store.delete(invitation)

    def accept(self, caller: Caller, invitation_id: str) -> Membership:
        """The caller belongs to the client from now on; whoever accepts again is answered the same.

        Raises NotFound, Gone (`invitation_ended`), Conflict (`role_gone`).
        """
        invitation = self._find(caller, invitation_id)
        if isinstance(invitation, Membership):
            return invitation
        member = Membership(
            invitation.client_id,
            invitation.customer_id,
            invitation.invited.id,
            invitation.role,
            invitation.invited.email,
            invitation_id=invitation.id,
        )
        describe_act(client_id=member.client_id, new=_whom(invitation) | {"role": invitation.role})
        try:
            self.store.accept(invitation, member)
        except Conflict:
            now = self._find(caller, invitation_id)
            if isinstance(now, Membership):
                return now
            raise self._why_not(now) from None
        return member

    def decline(self, caller: Caller, invitation_id: str) -> None:
        """The caller does not want to; again is fine. Raises NotFound, Conflict (`invitation_accepted`)."""
        try:
            invitation = self._find(caller, invitation_id)
        except Gone:
            if self._is_asked_something_else(caller, invitation_id):
                raise
            return
        if isinstance(invitation, Membership):
            raise problems.INVITATION_ACCEPTED()
        describe_act(client_id=invitation.client_id, old={"role": invitation.role}, new=_whom(invitation))
        try:
            self.store.delete(invitation)
        except Conflict:
            # Somebody was first: if they accepted it in another window, that is told.
            self.decline(caller, invitation_id)

    def _find(self, caller: Caller, invitation_id: str) -> Invitation | Membership:
        """The caller's invitation, or the membership that it became. Raises NotFound, Gone."""
        client_id = self.store.client_of(caller.user, invitation_id)
        if client_id is None:
            raise problems.INVITATION_NOT_FOUND()
        invitation = self.store.get(client_id, caller.user)
        if invitation is not None and invitation.id == invitation_id and not invitation.is_over(self.clock()):
            return invitation
        member = self.members.get(client_id, caller.user)
        if member is not None and member.invitation_id == invitation_id:
            return member
        raise problems.INVITATION_ENDED()

    def _is_asked_something_else(self, caller: Caller, invitation_id: str) -> bool:
        client_id = self.store.client_of(caller.user, invitation_id)
        invitation = self.store.get(client_id, caller.user) if client_id else None
        return invitation is not None and not invitation.is_over(self.clock())

    def _why_not(self, invitation: Invitation) -> HubError:
        """Why an invitation could not be accepted that is still there."""
        if self.roles.get(invitation.customer_id, invitation.role) is None:
            return problems.ROLE_GONE()
        return problems.INVITATION_CHANGED()


def _whom(invitation: Invitation) -> dict[str, str | None]:
    return {"user_id": invitation.invited.id, "email": invitation.invited.email}
