"""`erphub log`: what became of each document that was handed in."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from erphub_client.command.output import AsJson, Output, plain
from erphub_client.command.session import ClientId, ConnectionId, ProfileName, open_session
from erphub_client.generated import models as m
from erphub_client.hub import Hub

COLOURS = {"sent": "green", "rejected": "red", "uncertain": "yellow", "pending": "cyan", "skipped": "dim"}
SHORTEST, LONGEST = 1.0, 15.0
"""Seconds between two looks while something happens, and while nothing does."""
OVERLAP = timedelta(minutes=1)
"""How far before the latest change the log is asked for again: one that was made before may show after it."""


def log(
    connection: ConnectionId = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay, and show what changes.")] = False,
    days: Annotated[int, typer.Option(min=0, help="Documents of so many days back.")] = 31,
    status: Annotated[m.EntryStatus | None, typer.Option(help="Only those that stand so.")] = None,
    kind: Annotated[m.DocumentKind | None, typer.Option(help="Only these.")] = None,
    seconds: Annotated[float | None, typer.Option(help="With --follow: stay at most so long.")] = None,
    profile: ProfileName = "default",
    client: ClientId = None,
    as_json: AsJson = False,
) -> None:
    """The export log, the oldest first."""
    with open_session(profile, client, as_json=as_json) as session:
        chosen = session.connection(connection)
        asked = Question(session.hub, session.client, chosen.id, days, status, kind)
        for entry in changes(asked, seconds) if follow else sorted(asked.answers(), key=_moment):
            show(session.output, entry)


@dataclass(frozen=True)
class Question:
    """What of a connection's export log is asked for."""

    hub: Hub
    client_id: str
    connection_id: str
    days: int = 31
    """Documents of so many days back."""
    status: m.EntryStatus | None = None
    kind: m.DocumentKind | None = None

    def answers(self, since: datetime | None = None) -> list[m.Entry]:
        """All of it, or what has changed since a moment."""
        first = date.today() - timedelta(days=self.days)  # noqa: DTZ011 -- the days of whoever asks
        asked = self.hub.iterate_export_log(
            *(self.client_id, self.connection_id),
            limit=200,
            status=self.status,
            kind=self.kind,
            from_date=first,
            updated_since=since,
        )
        return list(asked)


def show(output: Output, entry: m.Entry) -> None:
    """One document of the log, on a line."""
    if output.as_json:
        output.value(entry)
        return
    colour = COLOURS.get(str(entry.status), "white")
    said = entry.detail or entry.reference or ""
    output.console.print(
        f"{entry.updated_at:%Y-%m-%d %H:%M:%S}  [{colour}]{plain(entry.status):<9}[/]  {plain(entry.kind):<10}"
        f"  {entry.document_date}  [bold]{plain(entry.external_id)}[/]  {plain(entry.title)}  [dim]{plain(said)}[/]"
    )


def _moment(entry: m.Entry) -> tuple[object, str]:
    return (entry.updated_at, entry.id)


def changes(asked: Question, seconds: float | None = None) -> Iterator[m.Entry]:
    """Every entry, and each again when it has changed, until the time is over; each look asks for what is new alone."""
    seen: dict[str, datetime] = {}
    since: datetime | None = None
    ends = None if seconds is None else time.monotonic() + seconds
    pause = SHORTEST
    while True:
        fresh = sorted((one for one in asked.answers(since) if seen.get(one.id) != one.updated_at), key=_moment)
        yield from fresh
        if fresh:
            since = fresh[-1].updated_at - OVERLAP
            seen |= {one.id: one.updated_at for one in fresh}
            seen = {name: moment for name, moment in seen.items() if moment >= since}
        pause = SHORTEST if fresh else min(LONGEST, pause * 1.5)
        if ends is not None and time.monotonic() + pause > ends:
            return
        asked.hub.sleep(pause)
