"""`erphub log`: what became of each document that was handed in."""

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Annotated

import typer

from erphub_client.command.output import AsJson, Output, plain
from erphub_client.command.session import ClientId, ConnectionId, ProfileName, Session, open_session
from erphub_client.generated import models as m

COLOURS = {"sent": "green", "rejected": "red", "uncertain": "yellow", "pending": "cyan", "skipped": "dim"}
SHORTEST, LONGEST = 1.0, 15.0
"""Seconds between two looks while something happens, and while nothing does."""


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

        def look() -> list[m.Entry]:
            since = date.today() - timedelta(days=days)  # noqa: DTZ011 -- the days of whoever asks
            return list(
                session.hub.iterate_export_log(
                    session.client, chosen.id, limit=200, status=status, kind=kind, from_date=since
                )
            )

        for entry in _changes(session, look, seconds) if follow else sorted(look(), key=_moment):
            show(session.output, entry)


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


def _changes(session: Session, look: Callable[[], list[m.Entry]], seconds: float | None) -> Iterator[m.Entry]:
    """Every entry, and each again when it has changed, until the time is over."""
    seen: dict[str, object] = {}
    ends = None if seconds is None else time.monotonic() + seconds
    pause = SHORTEST
    while True:
        fresh = sorted((one for one in look() if seen.get(one.id) != one.updated_at), key=_moment)
        yield from fresh
        seen.update({one.id: one.updated_at for one in fresh})
        pause = SHORTEST if fresh else min(LONGEST, pause * 1.5)
        if ends is not None and time.monotonic() + pause > ends:
            return
        session.hub.sleep(pause)
