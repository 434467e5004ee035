"""One entry of the audit log, and whose log it is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from erphub.platform.wire import JsonObject, Model


class OwnerKind(StrEnum):
    """Who has an audit log: a client, and a customer for what concerns all of its clients."""

    CLIENT = "client"
    CUSTOMER = "customer"


@dataclass(frozen=True)
class Owner:
    """Whose log it is."""

    kind: OwnerKind
    id: str

    @classmethod
    def client(cls, client_id: str) -> "Owner":
        """A client's log."""
        return cls(OwnerKind.CLIENT, client_id)

    @classmethod
    def customer(cls, customer_id: str) -> "Owner":
        """A customer's log."""
        return cls(OwnerKind.CUSTOMER, customer_id)


class AuditEntry(Model):
    """One thing that happened. `old` and `new` hold what changed, never a secret."""

    id: str
    occurred_at: datetime
    actor: str
    """A user's id, or `platform.actors.HUB`."""
    email: str | None = None
    """The actor's address as it was then; a program's name."""
    action: str
    """What happened, for programs: `connection.renamed`, `job.created` …"""
    connection_id: str | None = None
    """The connection that it was about, if one."""
    source: str | None = None
    """The address the request came from."""
    old: JsonObject | None = None
    new: JsonObject | None = None


@dataclass(frozen=True)
class KeptEntry:
    """An entry with its place in the log."""

    entry: AuditEntry
    number: int | None
    """From 1; None for entries of before there were numbers."""
    digest: str | None


@dataclass(frozen=True)
class AuditFilter:
    """Which entries of a log: None is all."""

    actor: str | None = None
    """A user's id, or the address they had then."""
    action: str | None = None
    connection_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def wants(self, entry: AuditEntry) -> bool:
        """Whether the entry is one of them; `since` is part of the time, `until` is not."""
        return (
            (self.actor is None or self.actor == entry.actor or self.actor.lower() == (entry.email or "").lower())
            and self.action in {None, entry.action}
            and self.connection_id in {None, entry.connection_id}
            and (self.since is None or entry.occurred_at >= self.since)
            and (self.until is None or entry.occurred_at < self.until)
        )
