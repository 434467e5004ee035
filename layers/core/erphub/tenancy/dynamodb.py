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
from erphub.platform.errors import Conflict, NotFound
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write
from erphub.tenancy.models import Client, Customer, Membership, Role, User
from erphub.tenancy.ports import MemberStore

_THERE = "attribute_exists(pk)"
_NEW = "attribute_not_exists(pk)"


class TenancyTable(MemberStore):
    """Satisfies `tenancy.ports.TenancyStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def membership(self, client_id: str, user: str) -> Membership | None:
        """See the port."""
        item = self._table.get(member_key(client_id, user))
        return _membership(item) if item else None

    @override
    def get_many(self, client_id: str, users: Collection[str]) -> Sequence[Membership]:
        return [_membership(item) for item in self._table.get_many([member_key(client_id, user) for user in users])]

    def role(self, customer_id: str, name: str) -> Role | None:
        """See the port."""
        item = self._table.get(role_key(customer_id, name))
        return _role(item) if item else None

    def is_customer_administrator(self, customer_id: str, user: str) -> bool:
        """See the port."""
        return self._table.get(customer_admin_key(customer_id, user)) is not None

    def belongs_to_customer(self, customer_id: str, user: str) -> bool:
        """See the port."""
        mine = self._table.by_index("user", "user_pk", user_partition(user))
        return any(item.get("customer_id") == customer_id for item in mine)

    def is_platform_administrator(self, user: str) -> bool:
        """See the port."""
        return self._table.get(platform_admin_key(user)) is not None

    def make_platform_administrator(self, user: str) -> None:
        """See the port."""
        self._table.put({**platform_admin_key(user), "user": user})

    def end_platform_administrator(self, user: str) -> None:
        """See the port."""
        self._table.delete(platform_admin_key(user))

    def add_customer(self, customer: Customer, administrator: str, email: str | None = None) -> None:
        """See the port."""
        profile = {**customer_key(customer.id), "id": customer.id, "name": customer.name, "version": 1}
        profile["created_at"] = instant(customer.created_at)
        admin = _admin_item(customer.id, User(administrator, email))
        writes = [Write(put=profile, condition=_NEW), Write(put=admin)]
        writes += [Write(put=_built_in_role_item(customer.id, name)) for name in capabilities.built_in_roles()]
        self._table.transact(writes)

    def customer(self, customer_id: str) -> Customer | None:
        """See the port."""
        item = self._table.get(customer_key(customer_id))
        if item is None:
            return None
        return Customer(item["id"], item["name"], datetime.fromisoformat(item["created_at"]), int(item["version"]))

    def administrators(self, customer_id: str) -> Sequence[str]:
        """See the port."""
        return [item["user"] for item in self._table.all(customer_key(customer_id)["pk"], "ADMIN#")]

    def administrators_page(self, customer_id: str, limit: int, next: str | None) -> tuple[Sequence[User], str | None]:
        """See the port."""
        page = self._table.page(customer_key(customer_id)["pk"], "ADMIN#", limit=limit, next=next)
        return [User(item["user"], item.get("email")) for item in page.items], page.next

    def put_administrator(self, customer_id: str, user: User) -> None:
        """See the port."""
        there = Write(check=customer_key(customer_id), condition=_THERE)
        try:
            self._table.transact([there, Write(put=_admin_item(customer_id, user))])
        except VersionConflict as error:
            raise NotFound("There is no such customer.", code="customer_not_found") from error

    def delete_administrator(self, customer_id: str, user: str, keeping: str) -> None:
        """See the port."""
        stays = Write(check=customer_admin_key(customer_id, keeping), condition=_THERE)
        self._table.transact([stays, Write(delete=customer_admin_key(customer_id, user))])

    def roles(self, customer_id: str) -> Sequence[Role]:
        """See the port."""
        return [_role(item) for item in self._table.all(customer_key(customer_id)["pk"], "ROLE#")]

    def put_role(self, role: Role, replaces: int | None) -> Role:
        """See the port."""
        condition = _NEW if replaces is None else "version = :before"
        before = {} if replaces is None else {"before": replaces}
        item = self._table.update(
            role_key(role.customer_id, role.name),
            "SET customer_id = :customer, #name = :name, #permissions = :permissions, version = :version",
            condition=condition,
            names={"#name": "name", "#permissions": "permissions"},
            customer=role.customer_id,
            name=role.name,
            permissions=sorted(role.permissions),
            version=(replaces or 0) + 1,
            **before,
        )
        return _role(item)

    def delete_role(self, customer_id: str, name: str) -> None:
        """See the port."""
        try:
            self._table.delete(
                role_key(customer_id, name), condition="attribute_not_exists(held_by) OR held_by = :nobody", nobody=0
            )
        except VersionConflict as error:
            raise Conflict("Somebody still has this role. Give them another one first.", code="role_in_use") from error

    def add_client(self, client: Client, first: Membership) -> None:
        """See the port."""
        facts = {"id": client.id, "customer_id": client.customer_id, "name": client.name, "version": client.version}
        facts["created_at"] = instant(client.created_at)
        try:
            self._table.transact(
                [
                    Write(put=client_key(client.id) | facts, condition=_NEW),
                    Write(put=customer_client_key(client.customer_id, client.id) | facts),
                    Write(put=_member_item(first), condition=_NEW),
                    self._count(first, 1),
                ]
            )
        except VersionConflict as error:
            raise _role_gone() from error

    def client(self, client_id: str) -> Client | None:
        """See the port."""
        item = self._table.get(client_key(client_id))
        return _client(item) if item else None

    def clients(self, customer_id: str, limit: int, next: str | None) -> tuple[Sequence[Client], str | None]:
        """See the port."""
        page = self._table.page(customer_key(customer_id)["pk"], "CLIENT#", limit=limit, next=next)
        return [_client(item) for item in page.items], page.next

    def members(self, client_id: str, limit: int, next: str | None) -> tuple[Sequence[Membership], str | None]:
        """See the port."""
        page = self._table.page(client_key(client_id)["pk"], "MEMBER#", limit=limit, next=next)
        return [_membership(item) for item in page.items], page.next

    def put_member(self, member: Membership, before: Membership | None, keeping: Membership | None) -> Membership:
        """See the port."""
        if before is None:
            writes = [Write(put=_member_item(member), condition=_NEW), self._count(member, 1)]
        else:
            unchanged = "version = :before"
            writes = [Write(put=_member_item(member), condition=unchanged, values={"before": before.version})]
            if member.role != before.role:
                writes += [self._count(member, 1), self._count(before, -1)]
        self._table.transact([*writes, *_kept(keeping)])
        return member

    def delete_member(self, member: Membership, keeping: Membership | None) -> None:
        """See the port."""
        gone = Write(
            delete=member_key(member.client_id, member.user),
            condition="version = :before",
            values={"before": member.version},
        )
        self._table.transact([gone, self._count(member, -1), *_kept(keeping)])

    def of_user(self, user: str) -> tuple[Sequence[str], Sequence[Membership]]:
        """See the port."""
        items = list(self._table.by_index("user", "user_pk", user_partition(user)))
        customers = [item["customer_id"] for item in items if item["user_sk"].startswith("CUSTOMER#")]
        return customers, [_membership(item) for item in items if item["user_sk"].startswith("CLIENT#")]

    @staticmethod
    def _count(member: Membership, by: int) -> Write:
        return Write(
            update=role_key(member.customer_id, member.role),
            expression="ADD held_by :by",
            condition=_THERE,
            values={"by": by},
        )


def _kept(keeping: Membership | None) -> list[Write]:
    if keeping is None:
        return []
    return [
        Write(
            check=member_key(keeping.client_id, keeping.user),
            condition="version = :kept",
            values={"kept": keeping.version},
        )
    ]


def _admin_item(customer_id: str, user: User) -> Item:
    return {
        **customer_admin_key(customer_id, user.id),
        "customer_id": customer_id,
        "user": user.id,
        "email": user.email,
        "user_pk": user_partition(user.id),
        "user_sk": f"CUSTOMER#{customer_id}",
    }


def _role_gone() -> NotFound:
    return NotFound("The customer no longer has this role.", code="role_not_found")


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


def _member_item(member: Membership) -> Item:
    return {
        **member_key(member.client_id, member.user),
        "client_id": member.client_id,
        "customer_id": member.customer_id,
        "user": member.user,
        "email": member.email,
        "role": member.role,
        "version": member.version,
        "user_pk": user_partition(member.user),
        "user_sk": f"CLIENT#{member.client_id}",
    }


def _membership(item: Item) -> Membership:
    return Membership(
        item["client_id"], item["customer_id"], item["user"], item["role"], item.get("email"), int(item["version"])
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
