"""Who did what, when, from where: written once, never changed, there after what it was about is gone."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, override

from erphub.audit.models import AuditEntry, AuditFilter, KeptEntry, Owner
from erphub.audit.ports import AuditStore
from erphub.audit.schemas import AuditEntryView, AuditPage, AuditQuery
from erphub.platform.actors import ActorDirectory, ActorView, kind_of
from erphub.platform.acts import ActAtHand, ActLog, at_hand
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.identity import Member
from erphub.platform.secrets import Redactor
from erphub.platform.wire import PageQuery
from erphub.platform.writes import Write, accompanied
from erphub.tenancy.problems import CONNECTION_NOT_FOUND

MAX_VALUE_BYTES = 8_000
"""Of one member of `old` or `new` as JSON; a longer one is named by its size and digest."""


@dataclass(frozen=True)
class AuditLog(ActLog):
    """Writes entries and shows them."""

    store: AuditStore
    redactor: Redactor
    actors: ActorDirectory
    clock: Clock
    new_id: IdGenerator

    def record(
        self,
        client_id: str,
        connection_id: str,
        actor: str,
        action: str,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
        source: str | None = None,
        *,
        email: str | None = None,
        event_key: str | None = None,
    ) -> None:
        """Write down what happened to a connection: `actor` is a user's id or `platform.actors.HUB`.

        Whoever may be run again gives an `event_key` (of an execution, a wizard, a plan): within a connection it is
        written down once. `old` and `new` hold what changed as plain JSON; what is hidden stays hidden in them.
        """
        entry = self.entry(actor, action, old, new, source, email=email)
        about = entry.model_copy(update={"connection_id": connection_id})
        self.store.add(Owner.client(client_id), about, event_key)

    def entry(
        self,
        actor: str,
        action: str,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
        source: str | None = None,
        *,
        email: str | None = None,
    ) -> AuditEntry:
        """An entry that a store writes together with the change it is about: both or none."""
        return AuditEntry(
            id=self.new_id(),
            occurred_at=self.clock(),
            actor=actor,
            email=email,
            action=action,
            source=source,
            old=self._values(old),
            new=self._values(new),
        )

    def _values(self, given: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """What changed, without what is hidden, and no longer than an item can hold."""
        if given is None:
            return None
        cleaned: dict[str, Any] = self.redactor.clean(dict(given))
        return {name: _short(value) for name, value in cleaned.items()}

    @override
    @contextmanager
    def acting(self, act: ActAtHand) -> Generator[None]:
        before = at_hand.set(act)
        try:
            with accompanied(lambda: self._writes(act)):
                yield
        finally:
            at_hand.reset(before)

    def _writes(self, act: ActAtHand) -> list[Write]:
        caller = act.caller
        entry = self.entry(caller.user, act.act, act.old or None, act.new or None, caller.source, email=caller.name)
        entry = entry.model_copy(update={"connection_id": act.connection_id})
        owners = [Owner.client(act.client_id)] if act.client_id else []
        if act.customer_id:
            owners.append(Owner.customer(act.customer_id))
        if not owners:
            raise ValueError(f"nobody's log for {act.act}: the use case tells whose it is")
        return [write for owner in owners for write in self.store.writes(owner, entry)]

    def list_of_client(self, member: Member, query: AuditQuery) -> AuditPage:
        """A page of the client's log, the newest first."""
        page = self.store.get_page(Owner.client(member.client_id), _filter(query), query.limit, query.next)
        actors = self.actors.find(member.client_id, [one.entry.actor for one in page.items])
        return AuditPage(items=[_view(one, actors[one.entry.actor]) for one in page.items], next=page.next)

    def list_of_customer(self, customer_id: str, query: AuditQuery) -> AuditPage:
        """A page of what was done at the customer, for all of its clients, the newest first."""
        page = self.store.get_page(Owner.customer(customer_id), _filter(query), query.limit, query.next)
        return AuditPage(items=[_view(one, _person(one.entry)) for one in page.items], next=page.next)

    def list_entries(self, member: Member, connection_id: str, query: PageQuery) -> AuditPage:
        """A page of a connection's log, the newest first. Raises NotFound when nothing was ever written there."""
        page = self.store.get_page_of_connection(member.client_id, connection_id, query.limit, query.next)
        if not page.items and query.next is None:
            raise CONNECTION_NOT_FOUND()
        actors = self.actors.find(member.client_id, [one.entry.actor for one in page.items])
        return AuditPage(items=[_view(one, actors[one.entry.actor]) for one in page.items], next=page.next)


def _filter(query: AuditQuery) -> AuditFilter:
    return AuditFilter(query.actor, query.action, query.connection_id, query.from_time, query.to_time)


def _short(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str).encode("utf-8", "surrogatepass")
    if len(text) > MAX_VALUE_BYTES:
        return {"bytes": len(text), "sha256": sha256(text).hexdigest()}
    # As JSON and without floats, so that the same entry always has the same digest.
    return json.loads(text, parse_float=str)


def _person(entry: AuditEntry) -> ActorView:
    return ActorView(id=entry.actor, name=entry.email, kind=kind_of(entry.actor))


def _view(kept: KeptEntry, actor: ActorView) -> AuditEntryView:
    entry = kept.entry
    return AuditEntryView(
        id=entry.id,
        number=kept.number,
        digest=kept.digest,
        occurred_at=entry.occurred_at,
        actor=actor.model_copy(update={"name": entry.email or actor.name}),
        action=entry.action,
        connection_id=entry.connection_id,
        source=entry.source,
        old=entry.old,
        new=entry.new,
    )
