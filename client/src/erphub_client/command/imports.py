"""`erphub import`: jobs that read the ERP's data, and their runs."""

import time
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from erphub_client.command.exits import Exit
from erphub_client.command.output import AsJson, Output, plain
from erphub_client.command.session import ClientId, ProfileName, open_session
from erphub_client.generated import models as m

imports = typer.Typer(help="Jobs that read the ERP's data, and their runs.", no_args_is_help=True)


@imports.command()
def jobs(profile: ProfileName = "default", client: ClientId = None, as_json: AsJson = False) -> None:
    """The client's import jobs."""
    with open_session(profile, client, as_json=as_json) as session:
        found = list(session.hub.iterate_import_jobs(session.client, limit=200))
        rows = [(one.id, one.name, one.connection_id, one.next_run_at) for one in found]
        session.output.table(("id", "name", "connection", "next run"), rows, found)


@imports.command()
def run(
    job: Annotated[str | None, typer.Argument(help="Id or name of the job; the only one if left out.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay until it is over, and show how far it is.")
    ] = False,
    profile: ProfileName = "default",
    client: ClientId = None,
    as_json: AsJson = False,
) -> None:
    """Start a run of a job."""
    with open_session(profile, client, as_json=as_json) as session:
        chosen = session.choose("job", job, session.hub.iterate_import_jobs(session.client, limit=200))
        started = session.hub.start_run(session.client, chosen.id)
        if not follow:
            session.output.say(f"Run [bold]{plain(started.id)}[/] has started.")
            if as_json:
                session.output.value(started)
            return
        _follow(session.output, session.hub.follow_run(session.client, chosen.id, started.id))


@imports.command()
def status(
    job: Annotated[str, typer.Argument(help="Id or name of the job.")],
    run_id: Annotated[str | None, typer.Argument(help="The run; the latest if left out.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Stay until it is over.")] = False,
    profile: ProfileName = "default",
    client: ClientId = None,
    as_json: AsJson = False,
) -> None:
    """How a run is going."""
    with open_session(profile, client, as_json=as_json) as session:
        chosen = session.choose("job", job, session.hub.iterate_import_jobs(session.client, limit=200))
        wanted = run_id or next((one.id for one in session.hub.iterate_runs(session.client, chosen.id, limit=1)), None)
        if wanted is None:
            raise typer.BadParameter("This job has not run yet.")
        seen = session.hub.follow_run(session.client, chosen.id, wanted)
        _follow(session.output, seen if follow else [session.hub.get_run(session.client, chosen.id, wanted)])


def _follow(output: Output, seen: Iterable[m.Run]) -> None:
    """Show each state of a run; ends the command with FAILED when the run did not succeed."""
    latest: m.Run | None = None
    if output.as_json:
        for latest in seen:
            output.value(latest)
    else:
        latest = _with_bar(output, seen)
    if latest is None:
        return
    if latest.status in {"failed", "cancelled", "partially_succeeded"}:
        if latest.problem:
            output.note(f"[red]{plain(latest.problem.get('detail', ''))}[/]")
        raise typer.Exit(Exit.FAILED)


def _with_bar(output: Output, seen: Iterable[m.Run]) -> m.Run | None:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TextColumn("{task.fields[rate]} rows/s"),
        TimeElapsedColumn(),
    )
    latest: m.Run | None = None
    rate = Rate()
    with Progress(*columns, console=output.notes, transient=False) as progress:
        shown = progress.add_task("queued", total=None, rows="0", rate="0")
        for latest in seen:
            done, total = latest.progress.parts_done, latest.progress.part_count
            rows = latest.progress.rows_read
            progress.update(
                shown,
                description=str(latest.status),
                completed=done,
                total=total,
                rows=f"{rows:,}",
                rate=f"{rate.after(rows):,.0f}",
            )
    if latest is not None:
        totals = latest.totals
        counted = f": {totals.rows_read:,} rows read, {totals.rows_written:,} written" if totals else ""
        output.say(f"[bold]{plain(latest.status)}[/]{counted}")
    return latest


class Rate:
    """Rows a second since the first that were seen."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def after(self, rows: int) -> float:
        """The rate when so many have been read."""
        return rows / max(time.monotonic() - self._began, 0.001)
