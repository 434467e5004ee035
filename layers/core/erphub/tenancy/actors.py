"""Names of those who did something in a client, from what its memberships say now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import override

from erphub.platform.actors import HUB, ActorDirectory, ActorKind, ActorView, kind_of
from erphub.tenancy.ports import MemberStore

_HUB = ActorView(id=HUB, name="ERP Hub", kind=ActorKind.SYSTEM)


@dataclass(frozen=True)
class MemberDirectory(ActorDirectory):
    """People are named by their e-mail address, programs as their key; whoever has left has no name any more."""

    members: MemberStore

    @override
    def find(self, client_id: str, ids: Iterable[str | None]) -> Mapping[str, ActorView]:
        wanted = {one for one in ids if one}
        people = wanted - {HUB}
        names = {one.user: one.name for one in self.members.get_many(client_id, people)} if people else {}
        found = {user: ActorView(id=user, name=names.get(user), kind=kind_of(user)) for user in people}
        return found | {HUB: _HUB} if HUB in wanted else found
