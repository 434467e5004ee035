"""Tables that are opened in a spreadsheet: what others typed stays text there, and never runs as a formula."""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

from erphub.platform.characters import shown

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII)
_FORMULA = re.compile(r"""(^|;)([\s"]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b])""")
"""Where a spreadsheet may begin a cell: at the start, and after the semicolon that some countries separate cells by."""


def cell(value: object) -> str:
    """A value as the text of a cell: on one line, nothing hidden in it, an apostrophe before what would be a formula.

    Numbers stay numbers, negative ones too. Rule and characters: OWASP, "CSV Injection".
    """
    text = shown("" if value is None else str(value))
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(r"\1'\2", text)


class Sheet:
    """A table as CSV (RFC 4180)."""

    def __init__(self, header: Sequence[str]) -> None:
        self._text = StringIO()
        self._writer = csv.writer(self._text)
        self.add([header])

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        """Further rows."""
        self._writer.writerows([cell(value) for value in row] for row in rows)

    def text(self) -> str:
        """The whole table."""
        return self._text.getvalue()
