"""What others typed stays text in a spreadsheet, whatever country's separators it is opened with."""

import csv
from io import StringIO

import pytest

from erphub.platform.spreadsheet import Sheet, cell

FORMULA = "=HYPERLINK(1)"
BEGINNINGS = ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", '"=', "\u200b=", "\ufeff=", "\x00=", "\u00a0=", "\u3000="]
BEGINNINGS += [
    "\u2212",
    "\ufe62",
    "\ufe63",
    "\ufe66",
    "\ufe6b",
    "\u202e=",
    '  " =',
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
    "=-+@",
    "-2+3+cmd|' /C calc'!",
]
RUNS = tuple("=+-@\t\r\n\u2212\ufe62\ufe63\ufe66\ufe6b\uff1d\uff0b\uff0d\uff20")


@pytest.mark.parametrize("beginning", BEGINNINGS, ids=ascii)
def test_nothing_that_was_typed_begins_a_cell_as_a_formula(beginning: str) -> None:
    sheet = Sheet(["a", "b", "c"])
    sheet.add([["x", beginning + "HYPERLINK(1)", f"x;{beginning}HYPERLINK(1)"]])
    by_comma = list(csv.reader(StringIO(sheet.text())))
    by_semicolon = list(csv.reader(StringIO(sheet.text()), delimiter=";"))
    assert len(by_comma) == 2
    assert [len(row) for row in by_comma] == [3, 3]
    for row in [*by_comma, *by_semicolon]:
        assert [part for part in row if part.strip(' "').startswith(RUNS)] == []


@pytest.mark.parametrize("text", ["-12.50", "+3", "0", "1250,00", "Fjord = Handel AS", "a-b", "a@b.no", "Åse; Ola"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_lines_and_controls_leave_one_line_to_a_row() -> None:
    assert cell(f"first\r\nsecond\x0b{FORMULA}") == f"first second {FORMULA}"
    assert cell(None) == ""
