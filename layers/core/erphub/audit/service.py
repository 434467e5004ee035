"""Who did what to a connection, when, from where: written once, never changed, there after the connection is gone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from erphub.audit.models import AuditEntry
from erphub.audit.ports import AuditStore
from erphub.audit.schemas import AuditEntryView, AuditPage
from erphub.platform.actors import ActorDirectory, ActorView
from erphub.platform.clock import Clock, Ids
from erphub.platform.errors import NotFound
from erphub.platform.identity import Member
from erphub.platform.secrets import Redactor
from erphub.platform.wire import PageQuery


@dataclass(frozen=True)
class AuditLog:
    """Writes entries and shows them."""

    store: AuditStore
    redactor: Redactor
    actors: ActorDirectory
    clock: Clock
    ids: Ids

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
        """Write down what happened. `actor` is a user's id or `platform.actors.HUB`; `action` a stable word.

        Whoever may be run again gives an `event_key` (of an execution, a wizard, a plan): within a connection it is
        written down once. `old` and `new` hold what changed as plain JSON; what is hidden stays hidden in them.
        """
        self.store.add(client_id, connection_id, self.entry(actor, action, old, new, source, email=email), event_key)

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
            id=self.ids(),
            occurred_at=self.clock(),
            actor=actor,
            email=email,
            action=action,
            source=source,
            old=self.redactor.clean(dict(old)) if old is not None else None,
            new=self.redactor.clean(dict(new)) if new is not None else None,
        )

    def list_entries(self, member: Member, connection_id: str, query: PageQuery) -> AuditPage:
        """A page of a connection's log, the newest first. Raises NotFound when nothing was ever written there."""
        page = self.store.get_page(member.client_id, connection_id, query.limit, query.next)
        if not page.items and query.next is None:
            raise NotFound("There is no such connection.", code="connection_not_found")
        actors = self.actors.find(member.client_id, [one.actor for one in page.items])
        return AuditPage(items=[_view(one, actors[one.actor]) for one in page.items], next=page.next)


def _view(entry: AuditEntry, actor: ActorView) -> AuditEntryView:
    return AuditEntryView(
        id=entry.id,
        occurred_at=entry.occurred_at,
        actor=actor.model_copy(update={"name": entry.email or actor.name}),
        action=entry.action,
        source=entry.source,
        old=entry.old,
        new=entry.new,
    )
