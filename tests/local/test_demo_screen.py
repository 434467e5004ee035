"""The demo's tables on a narrow terminal: names give way, and of an amount nothing is ever missing."""

from io import StringIO

import pytest
from rich.console import Console

from local.demo.screen import grid

AMOUNTS = ["282 776 123.45", "1 282 776 123.45", "-82 776 123.45"]


def shown(width: int) -> str:
    out = StringIO()
    row = ["1460", "Innkjøpte varer for videresalg og enda litt til", *AMOUNTS]
    heads = ["no.", "account", "debit", "credit", "balance"]
    table = grid(heads, [row], numbers=[2, 3, 4], cut=[1], total=["", "1 account", *AMOUNTS])
    Console(file=out, width=width).print(table)
    return out.getvalue()


@pytest.mark.parametrize("width", [100, 80, 60])
def test_amounts_stand_whole_beside_each_other_and_names_are_shortened(width: int):
    lines = shown(width).splitlines()
    assert [all(amount in line for amount in AMOUNTS) for line in lines].count(True) == 2
    assert max(len(line) for line in lines) <= width


def test_amounts_too_wide_for_the_terminal_go_on_in_the_next_line():
    text = shown(44)
    assert text.count("123.45") == 6
    assert text.count("1 282 776") == 2
    assert text.count("-82 776") == 2
