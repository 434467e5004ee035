"""The command's parts put together, and how a call of it ends."""

import sys
from typing import Annotated

import typer

import erphub_client
from erphub_client.command.connect import connect, connections, systems
from erphub_client.command.exits import MEANINGS, Exit, exit_of
from erphub_client.command.imports import imports
from erphub_client.command.log import log
from erphub_client.command.login import login, logout, whoami
from erphub_client.command.output import Output, plain
from erphub_client.command.rows import datasets, rows
from erphub_client.command.send import send
from erphub_client.problems import HubProblem
from erphub_client.store import StoreError
from erphub_client.waiting import StillGoing

application = typer.Typer(
    name="erphub",
    help="ERP Hub from a terminal: connect an ERP, import its data, send it documents.",
    epilog="Ends with " + "; ".join(f"{code.value}: {meaning}" for code, meaning in MEANINGS.items()) + ".",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for part in (login, logout, whoami, systems, connect, connections, send, log, datasets, rows):
    application.command()(part)
application.add_typer(imports, name="import")


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"erphub-client {erphub_client.__version__}")
        raise typer.Exit


@application.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Which client this is.")
    ] = False,
) -> None:
    """ERP Hub from a terminal: connect an ERP, import its data, send it documents."""


def run(arguments: list[str] | None = None) -> int:
    """Do what is asked; the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    output = Output(as_json="--json" in given)
    try:
        application(given, prog_name="erphub")
    except SystemExit as ended:
        # Its own 1 is an answer that was broken off; ours have other numbers.
        return Exit.INTERRUPTED if ended.code == 1 else int(ended.code or 0)
    except HubProblem as problem:
        output.problem(problem)
        return exit_of(problem)
    except StillGoing as error:
        output.notes.print(plain(error))
        return Exit.UNAVAILABLE
    except (StoreError, ImportError, OSError) as error:
        output.notes.print(f"[bold red]{plain(error)}[/]")
        return Exit.UNEXPECTED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.DONE


def main() -> None:
    """What the script `erphub` calls."""
    sys.exit(run())
