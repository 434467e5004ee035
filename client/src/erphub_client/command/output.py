"""What the command says: for people in tables and sentences, for programs (`--json`) as JSON, a value a line."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from erphub_client.problems import HubProblem

AsJson = Annotated[bool, typer.Option("--json", help="Answer with JSON, for programs.")]
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: object) -> str:
    """A text of the hub as a terminal may be given it: without control characters, and without markup."""
    return escape(_CONTROL.sub(lambda found: f"[U+{ord(found.group()):04X}]", str(text)))


class Output:
    """Where all goes that the command says: notes and questions to standard error, answers to standard output."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(highlight=False, soft_wrap=True)
        self.notes = Console(stderr=True, highlight=False, soft_wrap=True)

    def value(self, value: BaseModel | dict[str, Any]) -> None:
        """One value for programs, on a line of its own."""
        given = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
        sys.stdout.write(json.dumps(given, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def say(self, sentence: str) -> None:
        """A sentence for people, with rich's markup."""
        if not self.as_json:
            self.console.print(sentence)

    def note(self, sentence: str) -> None:
        """A sentence beside the answer, for people."""
        if not self.as_json:
            self.notes.print(sentence)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], values: Iterable[BaseModel]) -> None:
        """A list: its rows for people, its values for programs."""
        if self.as_json:
            for value in values:
                self.value(value)
            return
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*("" if cell is None else plain(cell) for cell in row))
        self.console.print(table)

    def problem(self, problem: HubProblem) -> None:
        """What went wrong, and which field is."""
        if self.as_json:
            self.value({"status": problem.status, "code": problem.code, "detail": problem.detail, **problem.members})
            return
        self.notes.print(f"[bold red]{plain(problem.detail)}[/] [dim]({plain(problem.code)})[/]")
        for wrong in problem.errors:
            self.notes.print(f"  [bold]{plain(wrong.pointer or '/')}[/]: {plain(wrong.detail)}")
