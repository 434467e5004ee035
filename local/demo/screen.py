"""How the demo looks: headings with the time, sentences, tables; plain lines where nobody watches a terminal."""

import contextlib
import sys
import time
from collections.abc import Generator, Iterable, Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

WIDEST = 100
MARKS = {"passed": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("·", "dim"), "warning": ("!", "yellow")}


class Screen:
    """Writes to the terminal, or plainly to a file or a pipe."""

    def __init__(self) -> None:
        # A terminal that lacks a character shows a question mark rather than ending the demo.
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        self.console = Console(highlight=False)
        if self.console.width > WIDEST:
            self.console = Console(highlight=False, width=WIDEST)
        self.began = time.monotonic()
        self._chapter = 0

    @property
    def live(self) -> bool:
        """Whether a person watches, so that lines may move."""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def elapsed(self) -> str:
        """Minutes and seconds since the beginning."""
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        return f"{minutes}:{seconds:02}"

    def title(self, text: str, under: str) -> None:
        """The first lines."""
        self.console.print()
        self.console.print(Text(text, style="bold"))
        self.console.print(Text(under, style="dim"))

    def chapter(self, title: str) -> None:
        """A numbered heading with the time so far."""
        self._chapter += 1
        left, right = f" {self._chapter}  {title} ", f" {self.elapsed()} "
        rule = "─" * max(self.console.width - len(left) - len(right) - 2, 2)
        self.console.print()
        self.console.print(Text.assemble((left, "bold cyan"), (rule, "cyan"), (right, "dim"), ("──", "cyan")))

    def show(self, thing: RenderableType) -> None:
        """Anything, indented."""
        self.console.print(Padding(thing, (0, 0, 0, 4), expand=False))

    def say(self, text: str | Text, style: str = "") -> None:
        """A sentence, indented and wrapped."""
        self.show(Text(text, style) if isinstance(text, str) else text)

    def request(self, text: str) -> None:
        """What is asked of the API at this moment."""
        self.say(f"> {text}", "dim")

    def good(self, text: str) -> None:
        """Something is as it must be."""
        self.say(Text.assemble(("✓ ", "green"), text))

    def bad(self, text: str) -> None:
        """Something is not."""
        self.say(Text.assemble(("✗ ", "bold red"), (text, "bold")))

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str | Text]],
        *,
        numbers: Sequence[int] = (),
        cut: Sequence[int] = (),
        total: Sequence[str | Text] | None = None,
        title: str | None = None,
    ) -> None:
        """A table, as `grid` makes it."""
        self.show(grid(columns, rows, numbers=numbers, cut=cut, total=total, title=title))

    @contextlib.contextmanager
    def doing(self, text: str) -> Generator[None]:
        """Something that takes a while: says what, and then how long it took."""
        began = time.monotonic()
        if self.live:
            with self.console.status(Text(text)):
                yield
        else:
            yield
        self.good(f"{text}: {time.monotonic() - began:.1f} s")

    def probes(self, probes: Iterable[dict[str, Any]]) -> None:
        """The stages of a connection test."""
        rows = [
            [
                Text(*MARKS.get(one["outcome"], ("?", ""))),
                f"{one['stage']} {one['area']}".strip(),
                f"{one['duration_ms']} ms",
                one["detail"],
            ]
            for one in probes
        ]
        self.table(["", "stage", "took", "what the hub found"], rows, numbers=[2])


def grid(
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    numbers: Sequence[int] = (),
    cut: Sequence[int] = (),
    total: Sequence[str | Text] | None = None,
    title: str | None = None,
) -> Table:
    """A table with a line below its heads, and one above its last row when that is a `total`.

    `numbers` are the places of columns that stand flush right and whole, `cut` those that are shortened rather than
    wrapped.
    """
    table = Table(
        box=box.SIMPLE if total is not None else box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        show_footer=total is not None,
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        footer_style="bold",
    )
    for place, head in enumerate(columns):
        table.add_column(
            head,
            footer="" if total is None else _whole(total[place]) if place in numbers else total[place],
            justify="right" if place in numbers else "left",
            no_wrap=place in numbers,
            overflow="fold",
        )
    for row in rows:
        # The column may shrink, so that the numbers need not; its cells do not wrap.
        shown = [_whole(cell) if place in numbers else cell for place, cell in enumerate(row)]
        table.add_row(*[_short(cell) if place in cut else cell for place, cell in enumerate(shown)])
    return table


def _whole(cell: str | Text) -> Text:
    """A number that goes on in the next line where even its column is too narrow: half of an amount is another one."""
    text = Text(cell) if isinstance(cell, str) else cell.copy()
    text.no_wrap, text.overflow = False, "fold"
    return text


def _short(cell: str | Text) -> Text:
    return Text(str(cell), no_wrap=True, overflow="ellipsis")


def money(amount: Decimal) -> str:
    """An amount as people write it here: 1 234 567.89, and zero as nothing's sign."""
    return f"{amount:,.2f}".replace(",", " ")


def count(number: int) -> str:
    """A number with its thousands apart."""
    return f"{number:,}".replace(",", " ")
