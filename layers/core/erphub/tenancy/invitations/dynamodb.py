"""Invitations in the tenant table.

CLIENT#<client>, MEMBER-INVITATION#<user>    the invitation; behind the client's members in the order of sort keys
INVITED#<user>, INVITATION#<invitation>      which client it is to, for the invited; forgotten some time after its end
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import override

from erphub.platform.aws.due import DueIndex
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.pages import Page
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write
from erphub.tenancy.dynamodb import client_key, count_member, member_item, member_key, membership_of, role_key
from erphub.tenancy.invitations.models import Invitation
from erphub.tenancy.invitations.ports import InvitationStore
from erphub.tenancy.models import Membership, User

_WORD = "MEMBER-INVITATION"
_THERE, _NEW = "attribute_exists(pk)", "attribute_not_exists(pk)"
_KEPT = timedelta(days=30)
"""How long it is known, after its end, which client an invitation was to: who accepts again is answered as before."""


class InvitationTable(InvitationStore):
    """Invitations beside the memberships that they become."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._due = DueIndex(table, "invitations", _invitation)

    @override
    def get(self, client_id: str, user: str) -> Invitation | None:
        item = self._table.get(invitation_key(client_id, user))
        return _invitation(item) if item else None

    @override
    def client_of(self, user: str, invitation_id: str) -> str | None:
        item = self._table.get(invited_key(user, invitation_id))
        return item["client_id"] if item else None

    @override
    def get_all_of(self, user: str) -> Sequence[Invitation]:
        key = invited_key(user, "")
        kept = {item["id"]: item["client_id"] for item in self._table.read_all(key["pk"], key["sk"])}
        there = self._table.get_many([invitation_key(client_id, user) for client_id in set(kept.values())])
        found = [_invitation(item) for item in there if item["id"] in kept]
        return sorted(found, key=lambda one: one.id)

    @override
    def get_page_with_members(self, client_id: str, limit: int, cursor: str | None) -> Page[Membership | Invitation]:
        page = self._table.page(client_key(client_id)["pk"], "MEMBER", limit=limit, cursor=cursor)
        items = [_invitation(one) if one["sk"].startswith(_WORD) else membership_of(one) for one in page.items]
        return Page(items, page.next)

    @override
    def save(self, invitation: Invitation, before: Invitation | None) -> None:
        unchanged = "attribute_not_exists(pk)" if before is None else "id = :before"
        values = {} if before is None else {"before": before.id}
        key = invitation_key(invitation.client_id, invitation.invited.id)
        item = {**key, **_attributes(invitation), **self._due.attributes(key, invitation.ends_at)}
        gone = int((invitation.ends_at + _KEPT).timestamp())
        attributes = {"id": invitation.id, "client_id": invitation.client_id, "expires_at": gone}
        self._table.transact(
            [
                Write(put=item, condition=unchanged, values=values),
                Write(put=invited_key(invitation.invited.id, invitation.id) | attributes),
                Write(check=role_key(invitation.customer_id, invitation.role), condition=_THERE),
                Write(check=member_key(invitation.client_id, invitation.invited.id), condition=_NEW),
            ]
        )

    @override
    def accept(self, invitation: Invitation, member: Membership) -> None:
        self._table.transact(
            [_removal(invitation), Write(put=member_item(member), condition=_NEW), count_member(member, 1)]
        )

    @override
    def delete(self, invitation: Invitation) -> None:
        self._table.transact([_removal(invitation)])

    @override
    def get_over(self, now: datetime) -> Iterable[Invitation]:
        return [one.read() for one in self._due.due(now)]


def _removal(invitation: Invitation) -> Write:
    key = invitation_key(invitation.client_id, invitation.invited.id)
    return Write(delete=key, condition="id = :before", values={"before": invitation.id})


def _attributes(invitation: Invitation) -> Item:
    return {
        "id": invitation.id,
        "client_id": invitation.client_id,
        "customer_id": invitation.customer_id,
        "user": invitation.invited.id,
        "email": invitation.invited.email,
        "role": invitation.role,
        "inviter": invitation.inviter.id,
        "inviter_email": invitation.inviter.email,
        "invited_at": instant(invitation.invited_at),
        "version": invitation.version,
    }


def _invitation(item: Item) -> Invitation:
    return Invitation(
        item["id"],
        item["client_id"],
        item["customer_id"],
        User(item["user"], item.get("email")),
        item["role"],
        User(item["inviter"], item.get("inviter_email")),
        datetime.fromisoformat(item["invited_at"]),
        int(item["version"]),
    )


def invitation_key(client_id: str, user: str) -> Key:
    """The key of an invitation."""
    return make_key(client_key(client_id)["pk"], _WORD, user)


def invited_key(user: str, invitation_id: str) -> Key:
    """The key of what the invited find an invitation by."""
    return make_key(f"INVITED#{user}", "INVITATION", invitation_id)
