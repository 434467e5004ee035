"""Customers, clients, roles and members in the tenant table.

A role counts its members, in the same transaction that adds or removes one: so a role in use cannot be deleted, nor can
somebody be put into a role that has just been.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import override

from erphub import capabilities
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.pages import Page
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write
from erphub.tenancy import problems
from erphub.tenancy.models import Affiliations, Client, Customer, Membership, ProgramAccess, Role, User
from erphub.tenancy.ports import ClientStore, CustomerStore, MemberStore, PlatformAdministrators, RoleStore

_THERE = "attribute_exists(pk)"
_NEW = "attribute_not_exists(pk)"


class CustomerTable(CustomerStore):
    """Customers and who administers them."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def add(self, customer: Customer, administrator: User) -> None:
        profile = {**customer_key(customer.id), "id": customer.id, "name": customer.name, "version": 1}
        profile["created_at"] = instant(customer.created_at)
        writes = [Write(put=profile, condition=_NEW), Write(put=_administrator_item(customer.id, administrator))]
        writes += [Write(put=_built_in_role_item(customer.id, name)) for name in capabilities.built_in_roles()]
        self._table.transact(writes)

    @override
    def get(self, customer_id: str) -> Customer | None:
        item = self._table.get(customer_key(customer_id))
        if item is None:
            return None
        return Customer(item["id"], item["name"], datetime.fromisoformat(item["created_at"]), int(item["version"]))

    @override
    def get_administrators(self, customer_id: str) -> Sequence[User]:
        return [_user(item) for item in self._table.read_all(customer_key(customer_id)["pk"], "ADMIN#")]

    @override
    def get_administrator_page(self, customer_id: str, limit: int, cursor: str | None) -> Page[User]:
        page = self._table.page(customer_key(customer_id)["pk"], "ADMIN#", limit=limit, cursor=cursor)
        return Page([_user(item) for item in page.items], page.next)

    @override
    def is_administrator(self, customer_id: str, user: str) -> bool:
        return self._table.get(customer_admin_key(customer_id, user)) is not None

    @override
    def add_administrator(self, customer_id: str, user: User) -> None:
        exists = Write(check=customer_key(customer_id), condition=_THERE)
        try:
            self._table.transact([exists, Write(put=_administrator_item(customer_id, user))])
        except VersionConflict as error:
            raise problems.CUSTOMER_GONE() from error

    @override
    def remove_administrator(self, customer_id: str, user: str, remaining: str) -> None:
        stays = Write(check=customer_admin_key(customer_id, remaining), condition=_THERE)
        self._table.transact([stays, Write(delete=customer_admin_key(customer_id, user))])


class ClientTable(ClientStore):
    """Clients, each found by itself and below its customer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def add(self, client: Client, first: Membership) -> None:
        item = {"id": client.id, "customer_id": client.customer_id, "name": client.name, "version": client.version}
        item["created_at"] = instant(client.created_at)
        try:
            self._table.transact(
                [
                    Write(put=client_key(client.id) | item, condition=_NEW),
                    Write(put=customer_client_key(client.customer_id, client.id) | item),
                    Write(put=member_item(first), condition=_NEW),
                    count_member(first, 1),
                ]
            )
        except VersionConflict as error:
            raise problems.ROLE_REMOVED() from error

    @override
    def get(self, client_id: str) -> Client | None:
        item = self._table.get(client_key(client_id))
        return _client(item) if item else None

    @override
    def get_page(self, customer_id: str, limit: int, cursor: str | None) -> Page[Client]:
        page = self._table.page(customer_key(customer_id)["pk"], "CLIENT#", limit=limit, cursor=cursor)
        return Page([_client(item) for item in page.items], page.next)


class RoleTable(RoleStore):
    """Roles below their customer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, customer_id: str, name: str) -> Role | None:
        item = self._table.get(role_key(customer_id, name))
        return _role(item) if item else None

    @override
    def get_all(self, customer_id: str) -> Sequence[Role]:
        return [_role(item) for item in self._table.read_all(customer_key(customer_id)["pk"], "ROLE#")]

    @override
    def save(self, role: Role, version: int | None) -> Role:
        condition = _NEW if version is None else "version = :before"
        before = {} if version is None else {"before": version}
        item = self._table.update(
            role_key(role.customer_id, role.name),
            "SET customer_id = :customer, #name = :name, #permissions = :permissions, version = :version",
            condition=condition,
            names={"#name": "name", "#permissions": "permissions"},
            customer=role.customer_id,
            name=role.name,
            permissions=sorted(role.permissions),
            version=(version or 0) + 1,
            **before,
        )
        return _role(item)

    @override
    def delete(self, role: Role) -> None:
        unused = "attribute_not_exists(member_count) OR member_count = :none"
        as_read = "attribute_not_exists(version) OR version = :before"
        key = role_key(role.customer_id, role.name)
        try:
            self._table.delete(key, condition=f"({unused}) AND ({as_read})", none=0, before=role.version)
        except VersionConflict as error:
            if (item := self._table.get(key)) is not None and int(item["version"]) != role.version:
                raise
            raise problems.ROLE_IN_USE() from error


class MemberTable(MemberStore):
    """Memberships below their client; an index finds those of a user."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, client_id: str, user: str) -> Membership | None:
        item = self._table.get(member_key(client_id, user))
        return membership_of(item) if item else None

    @override
    def get_many(self, client_id: str, users: Collection[str]) -> Sequence[Membership]:
        return [membership_of(item) for item in self._table.get_many([member_key(client_id, user) for user in users])]

    @override
    def get_page(self, client_id: str, limit: int, cursor: str | None) -> Page[Membership]:
        page = self._table.page(client_key(client_id)["pk"], "MEMBER#", limit=limit, cursor=cursor)
        return Page([membership_of(item) for item in page.items], page.next)

    @override
    def save(self, member: Membership, before: Membership | None, remaining: Membership | None) -> Membership:
        if before is None:
            writes = new_membership(member)
        else:
            unchanged = "version = :before"
            writes = [Write(put=member_item(member), condition=unchanged, values={"before": before.version})]
            if member.role != before.role:
                writes += [count_member(member, 1), count_member(before, -1)]
        self._table.transact([*writes, *_unchanged(remaining)])
        return member

    @override
    def delete(self, member: Membership, remaining: Membership | None) -> None:
        self._table.transact([*ended_membership(member), *_unchanged(remaining)])

    @override
    def find_affiliations(self, user: str) -> Affiliations:
        items = list(self._table.by_index("user", "user_pk", user_partition(user)))
        administered = [item["customer_id"] for item in items if item["user_sk"].startswith("CUSTOMER#")]
        return Affiliations(administered, [membership_of(one) for one in items if one["user_sk"].startswith("CLIENT#")])


class PlatformAdministratorTable(PlatformAdministrators):
    """Users who administer the platform."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def contains(self, user: str) -> bool:
        return self._table.get(platform_admin_key(user)) is not None

    @override
    def add(self, user: str) -> None:
        self._table.put({**platform_admin_key(user), "user": user})

    @override
    def remove(self, user: str) -> None:
        self._table.delete(platform_admin_key(user))


def new_membership(member: Membership) -> list[Write]:
    """A membership of somebody who has none in the client, in a role that is there."""
    return [Write(put=member_item(member), condition=_NEW), count_member(member, 1)]


def ended_membership(member: Membership) -> list[Write]:
    """The end of a membership as it was read."""
    unchanged = Write(
        delete=member_key(member.client_id, member.user),
        condition="version = :before",
        values={"before": member.version},
    )
    return [unchanged, count_member(member, -1)]


def count_member(member: Membership, by: int) -> Write:
    """One more of the members that a role counts, or one less; refused when the role is gone."""
    return Write(
        update=role_key(member.customer_id, member.role),
        expression="ADD member_count :by",
        condition=_THERE,
        values={"by": by},
    )


def _unchanged(remaining: Membership | None) -> list[Write]:
    if remaining is None:
        return []
    return [
        Write(
            check=member_key(remaining.client_id, remaining.user),
            condition="version = :version",
            values={"version": remaining.version},
        )
    ]


def _administrator_item(customer_id: str, user: User) -> Item:
    return {
        **customer_admin_key(customer_id, user.id),
        "customer_id": customer_id,
        "user": user.id,
        "email": user.email,
        "user_pk": user_partition(user.id),
        "user_sk": f"CUSTOMER#{customer_id}",
    }


def _built_in_role_item(customer_id: str, name: str) -> Item:
    """A role that nobody has changed allows what the manifests say, also of capabilities that came later."""
    return {**role_key(customer_id, name), "customer_id": customer_id, "name": name, "version": 1}


def _role(item: Item) -> Role:
    declared = capabilities.permissions()
    if "permissions" in item:
        permissions = frozenset(declared[name] for name in item["permissions"] if name in declared)
    else:
        permissions = capabilities.built_in_roles().get(item["name"], frozenset())
    return Role(item["customer_id"], item["name"], permissions, int(item["version"]))


def _user(item: Item) -> User:
    return User(item["user"], item.get("email"))


def member_item(member: Membership) -> Item:
    """A membership as it is kept."""
    return {
        **member_key(member.client_id, member.user),
        "client_id": member.client_id,
        "customer_id": member.customer_id,
        "user": member.user,
        "email": member.email,
        "role": member.role,
        "version": member.version,
        "invitation_id": member.invitation_id,
        "user_pk": user_partition(member.user),
        "user_sk": f"CLIENT#{member.client_id}",
        **_program_attributes(member.program),
    }


def _program_attributes(program: ProgramAccess | None) -> Item:
    if program is None:
        return {}
    # Not `expires_at`: that one ends the item.
    ends = {"key_expires_at": instant(program.expires_at)} if program.expires_at else {}
    return {"program_name": program.name, "key_prefix": program.prefix, **ends}


def _program(item: Item) -> ProgramAccess | None:
    if "program_name" not in item:
        return None
    ends = item.get("key_expires_at")
    return ProgramAccess(item["program_name"], item["key_prefix"], datetime.fromisoformat(ends) if ends else None)


def membership_of(item: Item) -> Membership:
    """A membership from how it is kept."""
    return Membership(
        item["client_id"],
        item["customer_id"],
        item["user"],
        item["role"],
        item.get("email"),
        int(item["version"]),
        _program(item),
        item.get("invitation_id"),
    )


def _client(item: Item) -> Client:
    created = datetime.fromisoformat(item["created_at"])
    return Client(item["id"], item["customer_id"], item["name"], created, int(item["version"]))


def customer_key(customer_id: str) -> Key:
    """The key of a customer."""
    return make_key(f"CUSTOMER#{customer_id}", "PROFILE")


def customer_admin_key(customer_id: str, user: str) -> Key:
    """The key of a customer admin."""
    return make_key(f"CUSTOMER#{customer_id}", "ADMIN", user)


def role_key(customer_id: str, name: str) -> Key:
    """The key of a role."""
    return make_key(f"CUSTOMER#{customer_id}", "ROLE", name)


def customer_client_key(customer_id: str, client_id: str) -> Key:
    """The key of a customer client."""
    return make_key(f"CUSTOMER#{customer_id}", "CLIENT", client_id)


def client_key(client_id: str) -> Key:
    """The key of a client."""
    return make_key(f"CLIENT#{client_id}", "PROFILE")


def member_key(client_id: str, user: str) -> Key:
    """The key of a member."""
    return make_key(f"CLIENT#{client_id}", "MEMBER", user)


def platform_admin_key(user: str) -> Key:
    """The key of a platform admin."""
    return make_key(f"USER#{user}", "PLATFORM")


def user_partition(user: str) -> str:
    """The partition of index `user` that holds a user's memberships and administratorships."""
    return f"USER#{user}"
