"""Members of a client: whoever manages them gives and takes no more than they have."""

from dataclasses import dataclass

from erphub.platform.acts import describe_act
from erphub.platform.errors import Conflict, Forbidden, Invalid, NotFound, version_conflict
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.tenancy.capability import MEMBERS_MANAGE
from erphub.tenancy.models import Membership, Role
from erphub.tenancy.people import USER_ID, PersonLookup
from erphub.tenancy.ports import MemberStore, RoleStore
from erphub.tenancy.schemas import ChangedMember, MemberPage, MemberView, member_view


@dataclass(frozen=True)
class MemberService:
    """Members, for those who manage them."""

    store: MemberStore
    roles: RoleStore
    people: PersonLookup

    def list_members(self, member: Member, query: PageQuery) -> MemberPage:
        """A page of the client's members."""
        page = self.store.get_page(member.client_id, query.limit, query.next)
        roles = {role.name: role for role in self.roles.get_all(member.customer_id)}
        return MemberPage(items=[member_view(one, roles.get(one.role)) for one in page.items], next=page.next)

    def add_or_update(self, member: Member, who: str, body: ChangedMember) -> MemberView:
        """Give somebody a role in the client; an unknown e-mail address is invited.

        Raises Invalid, Forbidden (`role_exceeds_own`), Conflict.
        """
        role = self.roles.get(member.customer_id, body.role)
        if role is None:
            raise Invalid.field("/role", "role_not_found", "The customer has no role of this name.")
        require_no_more_than_own(member, role)
        user = self.people.find_or_invite(who, "")
        before = self.store.get(member.client_id, user.id)
        if body.version is not None and (before is None or before.version != body.version):
            raise version_conflict()
        if before is not None:
            self._require_no_more_than_own_of(member, before)
        remaining = None
        if before is not None and MEMBERS_MANAGE not in role.permissions:
            remaining = self._find_remaining_manager(before)
        version = before.version + 1 if before else 1
        after = Membership(member.client_id, member.customer_id, user.id, role.name, user.email, version)
        describe_act(old={"role": before.role} if before else None, new={"user_id": user.id, "email": user.email})
        return member_view(self.store.save(after, before, remaining), role)

    def remove(self, member: Member, who: str) -> None:
        """Take somebody out of the client. Raises NotFound, Forbidden, Conflict (`last_administrator`)."""
        user = self.people.find_id(who)
        before = self.store.get(member.client_id, user) if USER_ID.fullmatch(user) else None
        if before is None:
            raise NotFound("There is no such member.", code="member_not_found")
        if before.program:
            said = "This member is a program. Revoke its API key instead."
            raise Conflict(said, code="member_is_program")
        self._require_no_more_than_own_of(member, before)
        describe_act(old={"role": before.role}, new={"user_id": before.user, "email": before.email})
        self.store.delete(before, self._find_remaining_manager(before))

    def _require_no_more_than_own_of(self, member: Member, other: Membership) -> None:
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
                raise Conflict(
                    "This is the last member who can manage members. Give somebody else such a role first.",
                    code="last_administrator",
                )


def require_no_more_than_own(member: Member, role: Role) -> None:
    """Nobody gives or takes what they do not have: managing members must not be a way to everything else."""
    if not role.permissions <= member.permissions:
        raise Forbidden("This role allows more than your own. Ask an administrator.", code="role_exceeds_own")
