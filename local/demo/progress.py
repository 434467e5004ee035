"""The import as it runs: rows read of each dataset and company, drawn anew in place, or told line by line."""

import contextlib
import time
from collections.abc import Generator, Sequence
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local.demo.screen import Screen, count, grid

type Json = dict[str, Any]
_MOST_COMPANIES = 4
_EVERY, _QUIET = 5.0, 20.0
"""Seconds between two plain lines when something has changed, and when nothing has."""


class Watch:
    """Shows a run whenever it was looked at."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._live: Live | None = None
        self._shown_at = 0.0
        self._words: str = ""
        self._began = time.monotonic()

    @contextlib.contextmanager
    def watching(self) -> Generator[None]:
        """While this lasts, `show` draws."""
        if not self._screen.live:
            yield
            return
        with Live(console=self._screen.console, refresh_per_second=4, transient=True) as self._live:
            yield

    def show(self, run: Json) -> None:
        """The run as it is now."""
        if self._live is not None:
            self._live.update(self._drawn(run))
            return
        words = in_words(run)
        now = time.monotonic()
        if now - self._shown_at >= (_EVERY if words != self._words else _QUIET):
            self._shown_at, self._words = now, words
            self._screen.say(f"{now - self._began:3.0f} s  {words}")

    def _drawn(self, run: Json) -> Padding:
        units: Sequence[Json] = run["units"]["items"]
        planned = sum(unit["rows_planned"] or 0 for unit in units)
        done = run["progress"]["rows_read"]
        bar = Table.grid(padding=(0, 2))
        bar.add_row(ProgressBar(max(planned, 1), min(done, planned), width=30), in_words(run))
        return Padding(Group(bar, matrix(units)), (0, 0, 0, 4))


def in_words(run: Json) -> str:
    """One line about a run."""
    units: Sequence[Json] = run["units"]["items"]
    if not units:
        return "looking for what there is to import"
    planned = sum(unit["rows_planned"] or 0 for unit in units)
    published = sum(unit["status"] == "published" for unit in units)
    read = count(run["progress"]["rows_read"])
    return f"{read} of {count(planned)} rows read, {published} of {len(units)} parts published"


def matrix(units: Sequence[Json]) -> Table:
    """Rows read per dataset and company (as many as fit beside each other)."""
    names = {unit["company_key"]: unit["company_name"] for unit in units}
    shown = list(names)[:_MOST_COMPANIES]
    found = {(unit["dataset_id"], unit["company_key"]): unit for unit in units}
    datasets = list(dict.fromkeys(unit["dataset_id"] for unit in units))
    rows = [[name, *(_cell(found.get((name, company))) for company in shown)] for name in datasets]
    return grid(["dataset", *shown], rows, numbers=range(1, len(shown) + 1))


def _cell(unit: Json | None) -> Text:
    """How far one dataset of one company is."""
    if unit is None:
        return Text("")
    match unit["status"]:
        case "published":
            return Text(f"{count(unit['rows_written'])} ✓", "green")
        case "failed" | "cancelled":
            return Text(f"{unit['status']} ✗", "red")
        case _ if unit["rows_written"] or unit["rows_read"]:
            return Text(f"{count(max(unit['rows_written'], unit['rows_read']))}  ", "yellow")
        case _:
            return Text("·  ", "dim")
