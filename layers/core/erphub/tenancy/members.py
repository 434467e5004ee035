"""Members of a client: whoever manages them gives and takes no more than they have."""

from dataclasses import dataclass, replace

from erphub.platform.acts import describe_act
from erphub.platform.errors import Invalid
from erphub.platform.identity import Member
from erphub.platform.versions import require_version
from erphub.platform.wire import PageQuery
from erphub.tenancy import problems
from erphub.tenancy.capability import MEMBERS_MANAGE
from erphub.tenancy.invitations.models import Invitation
from erphub.tenancy.invitations.service import InvitationService
from erphub.tenancy.models import Membership, Role, User
from erphub.tenancy.people import USER_ID, PersonLookup, unknown_user
from erphub.tenancy.ports import MemberStore, RoleStore
from erphub.tenancy.schemas import ChangedMember, MemberPage, MemberView, invited_view, member_view


@dataclass(frozen=True)
class MemberService:
    """Members, for those who manage them."""

    store: MemberStore
    roles: RoleStore
    people: PersonLookup
    invitations: InvitationService

    def list_members(self, member: Member, query: PageQuery) -> MemberPage:
        """A page of the client's members, then of those invited."""
        page = self.invitations.store.get_page_with_members(member.client_id, query.limit, query.next)
        roles = {role.name: role for role in self.roles.get_all(member.customer_id)}
        return MemberPage(items=[self._view(one, roles.get(one.role)) for one in page.items], next=page.next)

    def _view(self, one: Membership | Invitation, role: Role | None) -> MemberView:
        if isinstance(one, Invitation):
            return invited_view(one, role, self.invitations.clock())
        return member_view(one, role)

    def add_or_update(self, member: Member, who: str, body: ChangedMember) -> MemberView:
        """Give a member another role at once, or invite somebody by e-mail address; an id names the client's own alone.

        Raises Invalid, Forbidden (`role_exceeds_own`), Conflict, TooMany.
        """
        role = self.roles.get(member.customer_id, body.role)
        if role is None:
            raise Invalid.of(problems.ROLE_UNKNOWN("/role"))
        require_no_more_than_own(member, role)
        user = self.people.find_by_address(who, "") if "@" in who else None
        before = self._find(member.client_id, user.id if user else who)
        require_version(body.version, before.version if before else None)
        if before is not None:
            self._require_no_more_than_own_of(member, before)
        is_program = isinstance(before, Membership) and before.program is not None
        if is_program or (before is None and "@" not in who):
            raise unknown_user("")
        if isinstance(before, Membership):
            return self._change(before, role)
        return invited_view(self._invite(member, who, user, role, before), role, self.invitations.clock())

    def _change(self, before: Membership, role: Role) -> MemberView:
        remaining = None if MEMBERS_MANAGE in role.permissions else self._find_remaining_manager(before)
        after = replace(before, role=role.name, version=before.version + 1)
        describe_act(old={"role": before.role}, new={"user_id": before.user, "email": before.email})
        return member_view(self.store.save(after, before, remaining), role)

    def _invite(self, member: Member, who: str, user: User | None, role: Role, before: Invitation | None) -> Invitation:
        if before is not None and before.role == role.name and not before.is_over(self.invitations.clock()):
            return before
        self.invitations.count(member)
        if user is None:
            user = before.invited if before else self.people.invite(who)
        return self.invitations.invite(member, user, role.name, before)

    def remove(self, member: Member, who: str, version: int | None = None) -> None:
        """Take somebody out of the client, or their invitation back. Raises NotFound, Forbidden, Conflict."""
        before = self._find(member.client_id, self.people.find_id(who))
        if before is None:
            raise problems.MEMBER_NOT_FOUND()
        require_version(version, before.version)
        if isinstance(before, Membership) and before.program:
            raise problems.MEMBER_IS_PROGRAM()
        self._require_no_more_than_own_of(member, before)
        if isinstance(before, Invitation):
            self.invitations.revoke(before)
            return
        describe_act(old={"role": before.role}, new={"user_id": before.user, "email": before.email})
        self.store.delete(before, self._find_remaining_manager(before))

    def _find(self, client_id: str, user: str) -> Membership | Invitation | None:
        if not USER_ID.fullmatch(user):
            return None
        return self.store.get(client_id, user) or self.invitations.store.get(client_id, user)

    def _require_no_more_than_own_of(self, member: Member, other: Membership | Invitation) -> None:
        """Nobody takes away what they do not have, either."""
        role = self.roles.get(other.customer_id, other.role)
        if role is not None:
            require_no_more_than_own(member, role)

    def _find_remaining_manager(self, leaving: Membership) -> Membership | None:
        """Somebody else who can manage members, when the one who leaves or changes can. Raises Conflict."""
        role = self.roles.get(leaving.customer_id, leaving.role)
        if role is None or MEMBERS_MANAGE not in role.permissions:
            return None
        roles = self.roles.get_all(leaving.customer_id)
        managing = {role.name for role in roles if MEMBERS_MANAGE in role.permissions}
        cursor: str | None = None
        while True:
            page = self.store.get_page(leaving.client_id, 200, cursor)
            for member in page.items:
                if member.user != leaving.user and member.role in managing and not member.program:
                    return member
            if (cursor := page.next) is None:
                raise problems.LAST_MEMBER_WHO_MANAGES()


def require_no_more_than_own(member: Member, role: Role) -> None:
    """Nobody gives or takes what they do not have: managing members must not be a way to everything else."""
    if not role.permissions <= member.permissions:
        raise problems.ROLE_EXCEEDS_OWN()
