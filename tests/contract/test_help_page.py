"""Every sentence of the help page that the hub was conceived from stands in the manual, with tests that there are.

The page is somebody else's and not part of the project: its sentences are known by their digests.
"""

import ast
import re
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
MANUAL = TESTS.parent / "docs/from-till-to-ledger.md"
PAGE = TESTS.parent.parent / "shared/help-pages/duell-24sevenoffice.txt"
_ENDS = re.compile(r"(?<=[.)!:])\s+(?=[A-ZÅÆØ])")


def digests(page: str) -> list[str]:
    """The sentences and headings of a page, each as the first eight digits of its SHA-256: cell by cell, without the
    dash of a list, blanks as one, in small letters."""
    cells = [cell.strip() for line in page.splitlines() for cell in line.split("|")]
    sentences = [" ".join(one.split()).lstrip("- ") for cell in cells for one in _ENDS.split(cell)]
    return [sha256(one.casefold().encode()).hexdigest()[:8] for one in sentences if one]


@cache
def rows() -> list[tuple[list[str], str, list[str]]]:
    """The manual's table: digests, what the hub does, tests."""
    section = MANUAL.read_text("utf-8").partition("## The help page, sentence by sentence")[2]
    lines = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return [(re.findall(r"`(\w+)`", first), words, re.findall(r"`([^`]+)`", tests)) for first, words, tests in lines]


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef))


def test_every_sentence_of_the_page_stands_in_the_manual_once() -> None:
    if not PAGE.is_file():
        pytest.skip("the folder ../shared with the help page is not there")
    told = [digest for digests_of_row, _, _ in rows() for digest in digests_of_row]
    assert sorted(told) == sorted(set(digests(PAGE.read_text("utf-8"))))


def test_whatever_is_said_of_a_sentence_is_tested() -> None:
    assert len(rows()) > 20
    for digests_of_row, words, tests in rows():
        assert digests_of_row, words
        assert tests, words
        missing = [one for one in tests if one.partition("::")[2] not in names_in(one.partition("::")[0])]
        assert not missing, missing


def test_sentences_are_told_apart_and_spelling_is_not() -> None:
    assert digests("- One.  Two | Three:\n\none.") == [*digests("One.\nTwo\nThree:"), *digests("ONE.")]
