"""Customers, clients, roles and members: who is where, and who may change it."""

import re
from dataclasses import dataclass

from erphub.platform.capability import ADMINISTRATOR, Permission
from erphub.platform.clock import Clock, Ids
from erphub.platform.errors import Conflict, Forbidden, Invalid, NotFound
from erphub.platform.identity import Caller, Member
from erphub.platform.wire import PageQuery
from erphub.tenancy.capability import MEMBERS_MANAGE
from erphub.tenancy.models import Client, Customer, Membership, Role, User
from erphub.tenancy.ports import TenancyStore, UserDirectory
from erphub.tenancy.schemas import (
    AdministratorPage,
    AdministratorView,
    ChangedMember,
    ChangedRole,
    ClientPage,
    ClientView,
    CustomerView,
    Me,
    MemberPage,
    MemberView,
    MyClient,
    MyCustomer,
    NewClient,
    NewCustomer,
    RoleView,
)

_ROLE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,49}")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"#\x00-\x1f]{1,64}@[A-Za-z0-9.-]{1,189}")
_USER_ID = re.compile(r"[A-Za-z0-9_:.-]{1,128}")
_STALE = "It was changed by somebody else in the meantime. Read it again, then decide."


@dataclass(frozen=True)
class TenancyService:
    """The use-cases around customers and clients."""

    store: TenancyStore
    users: UserDirectory
    clock: Clock
    ids: Ids

    def me(self, caller: Caller) -> Me:
        """What the caller belongs to, and what may be done in each."""
        administered, memberships = self.store.of_user(caller.user)
        customers = {key: key in administered for key in [*administered, *(m.customer_id for m in memberships)]}
        return Me(
            user=caller.user,
            email=caller.email,
            platform_administrator=self.store.is_platform_administrator(caller.user),
            customers=[
                MyCustomer(id=key, name=found.name, administrator=administers)
                for key, administers in customers.items()
                if (found := self.store.customer(key))
            ],
            clients=[view for membership in memberships if (view := self._my_client(membership))],
        )

    def _my_client(self, membership: Membership) -> MyClient | None:
        client = self.store.client(membership.client_id)
        if client is None:
            return None
        return MyClient(
            id=client.id,
            name=client.name,
            customer_id=client.customer_id,
            role=membership.role,
            permissions=self._permissions(membership),
        )

    def create_customer(self, body: NewCustomer) -> CustomerView:
        """Make a customer with its first administrator and roles; an unknown e-mail address is invited."""
        administrator = self._user(body.administrator, "/administrator")
        customer = Customer(self.ids(), body.name, self.clock())
        self.store.add_customer(customer, administrator.id, administrator.email)
        return self.customer(customer.id)

    def customer(self, customer_id: str) -> CustomerView:
        """The customer with its administrators and roles. Raises NotFound."""
        customer = self._require_customer(customer_id)
        return CustomerView(
            id=customer.id,
            name=customer.name,
            administrators=list(self.store.administrators(customer_id)),
            roles=[_role_view(role) for role in self.store.roles(customer_id)],
            created_at=customer.created_at,
            version=customer.version,
        )

    def administrators(self, customer_id: str, query: PageQuery) -> AdministratorPage:
        """A page of those who administer a customer. Raises NotFound."""
        self._require_customer(customer_id)
        found, following = self.store.administrators_page(customer_id, query.limit, query.next)
        return AdministratorPage(items=[_administrator_view(user) for user in found], next=following)

    def put_administrator(self, customer_id: str, who: str) -> AdministratorView:
        """Let somebody administer a customer; an unknown e-mail address is invited. Raises NotFound, Invalid."""
        self._require_customer(customer_id)
        user = self._user(who, "")
        self.store.put_administrator(customer_id, user)
        return _administrator_view(user)

    def remove_administrator(self, customer_id: str, who: str) -> None:
        """Somebody administers a customer no longer. Raises NotFound, Conflict (`last_administrator`)."""
        user, administrators = self._id_of(who), self.store.administrators(customer_id)
        if user not in administrators:
            raise NotFound("The customer has no such administrator.", code="administrator_not_found")
        another = next((one for one in administrators if one != user), None)
        if another is None:
            raise Conflict("This is the customer's last administrator. Add another first.", code="last_administrator")
        self.store.delete_administrator(customer_id, user, another)

    def _require_customer(self, customer_id: str) -> Customer:
        customer = self.store.customer(customer_id)
        if customer is None:
            raise NotFound("There is no such customer, or you do not belong to it.", code="customer_not_found")
        return customer

    def create_client(self, customer_id: str, caller: Caller, body: NewClient) -> ClientView:
        """Make a client; whoever makes it is its first member, as administrator."""
        client = Client(self.ids(), customer_id, body.name, self.clock())
        self.store.add_client(client, Membership(client.id, customer_id, caller.user, ADMINISTRATOR, caller.email))
        return _client_view(client)

    def clients(self, customer_id: str, query: PageQuery) -> ClientPage:
        """A page of the customer's clients."""
        clients, following = self.store.clients(customer_id, query.limit, query.next)
        return ClientPage(items=[_client_view(client) for client in clients], next=following)

    def role(self, customer_id: str, name: str) -> RoleView:
        """One role. Raises NotFound."""
        return _role_view(self._role(customer_id, name))

    def put_role(self, customer_id: str, name: str, body: ChangedRole) -> RoleView:
        """Make a role or change its permissions. Raises Invalid, Conflict."""
        if not _ROLE_NAME.fullmatch(name):
            raise Invalid.field("", "role_name_invalid", "A role's name has small letters, digits and hyphens.")
        if name == ADMINISTRATOR and MEMBERS_MANAGE not in body.permissions:
            raise Conflict("Administrators must be able to manage members.", code="role_protected")
        before = self.store.role(customer_id, name)
        if body.version is not None and (before is None or before.version != body.version):
            raise Conflict(_STALE, code="version_conflict")
        role = Role(customer_id, name, frozenset(body.permissions))
        return _role_view(self.store.put_role(role, before.version if before else None))

    def delete_role(self, customer_id: str, name: str) -> None:
        """Remove a role nobody has. Raises NotFound, Conflict."""
        if name == ADMINISTRATOR:
            raise Conflict("The role of administrators stays.", code="role_protected")
        self._role(customer_id, name)
        self.store.delete_role(customer_id, name)

    def members(self, member: Member, query: PageQuery) -> MemberPage:
        """A page of the client's members."""
        members, following = self.store.members(member.client_id, query.limit, query.next)
        roles = {role.name: role for role in self.store.roles(member.customer_id)}
        return MemberPage(items=[_member_view(one, roles.get(one.role)) for one in members], next=following)

    def put_member(self, member: Member, who: str, body: ChangedMember) -> MemberView:
        """Give somebody a role in the client; an unknown e-mail address is invited.

        Raises Invalid, Forbidden (`role_exceeds_own`), Conflict.
        """
        role = self.store.role(member.customer_id, body.role)
        if role is None:
            raise Invalid.field("/role", "role_not_found", "The customer has no role of this name.")
        _require_no_more_than_own(member, role)
        user = self._user(who, "")
        before = self.store.membership(member.client_id, user.id)
        if body.version is not None and (before is None or before.version != body.version):
            raise Conflict(_STALE, code="version_conflict")
        if before is not None:
            self._require_no_more_than_own_of(member, before)
        keeping = None
        if before is not None and MEMBERS_MANAGE not in role.permissions:
            keeping = self._another_administrator(before)
        version = before.version + 1 if before else 1
        after = Membership(member.client_id, member.customer_id, user.id, role.name, user.email, version)
        return _member_view(self.store.put_member(after, before, keeping), role)

    def remove_member(self, member: Member, who: str) -> None:
        """Take somebody out of the client. Raises NotFound, Forbidden, Conflict (`last_administrator`)."""
        user = self._id_of(who)
        before = self.store.membership(member.client_id, user) if _USER_ID.fullmatch(user) else None
        if before is None:
            raise NotFound("There is no such member.", code="member_not_found")
        self._require_no_more_than_own_of(member, before)
        self.store.delete_member(before, self._another_administrator(before))

    def make_first_administrator(self, email: str) -> User:
        """The platform's first administrator, who may be there already."""
        user = self._user(email, "/email")
        self.store.make_platform_administrator(user.id)
        return user

    def end_first_administrator(self, email: str) -> None:
        """Somebody else is the platform's administrator from now on; the user stays. Again is fine."""
        user = self.users.find(email.lower())
        if user is not None:
            self.store.end_platform_administrator(user.id)

    def _require_no_more_than_own_of(self, member: Member, other: Membership) -> None:
        """Nobody takes away what they do not have, either."""
        role = self.store.role(other.customer_id, other.role)
        if role is not None:
            _require_no_more_than_own(member, role)

    def _id_of(self, who: str) -> str:
        """The id of whoever is named by it, or by an e-mail address."""
        found = self.users.find(who.lower()) if _EMAIL.fullmatch(who) else None
        return found.id if found else who

    def _another_administrator(self, leaving: Membership) -> Membership | None:
        """Somebody else who can manage members, when the one who leaves or changes can. Raises Conflict."""
        if MEMBERS_MANAGE not in self._permissions(leaving):
            return None
        able = {role.name for role in self.store.roles(leaving.customer_id) if MEMBERS_MANAGE in role.permissions}
        following: str | None = None
        while True:
            members, following = self.store.members(leaving.client_id, 200, following)
            for member in members:
                if member.user != leaving.user and member.role in able:
                    return member
            if following is None:
                raise Conflict(
                    "This is the last member who can manage members. Give somebody else such a role first.",
                    code="last_administrator",
                )

    def _user(self, who: str, pointer: str) -> User:
        if _EMAIL.fullmatch(who):
            return self.users.find(who.lower()) or self.users.invite(who.lower())
        user = self.users.find(who) if _USER_ID.fullmatch(who) else None
        if user is None:
            raise Invalid.field(pointer, "user_unknown", "There is no such user. Give an e-mail address to invite one.")
        return user

    def _role(self, customer_id: str, name: str) -> Role:
        role = self.store.role(customer_id, name) if _ROLE_NAME.fullmatch(name) else None
        if role is None:
            raise NotFound("The customer has no role of this name.", code="role_not_found")
        return role

    def _permissions(self, membership: Membership) -> list[Permission]:
        role = self.store.role(membership.customer_id, membership.role)
        return sorted(role.permissions) if role else []


def _require_no_more_than_own(member: Member, role: Role) -> None:
    """Nobody gives or takes what they do not have: managing members must not be a way to everything else."""
    if not role.permissions <= member.permissions:
        raise Forbidden("This role allows more than your own. Ask an administrator.", code="role_exceeds_own")


def _administrator_view(user: User) -> AdministratorView:
    return AdministratorView(user=user.id, email=user.email)


def _role_view(role: Role) -> RoleView:
    return RoleView(name=role.name, permissions=sorted(role.permissions), version=role.version)


def _member_view(member: Membership, role: Role | None) -> MemberView:
    return MemberView(
        user=member.user,
        email=member.email,
        role=member.role,
        permissions=sorted(role.permissions) if role else [],
        version=member.version,
    )


def _client_view(client: Client) -> ClientView:
    return ClientView(
        id=client.id,
        customer_id=client.customer_id,
        name=client.name,
        created_at=client.created_at,
        version=client.version,
    )
