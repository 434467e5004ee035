"""The page on security: each promise names tests that are there, and each of them holds tests."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")
NAMED = re.compile(r"`((?:tests/[\w/.]+/)?test_\w+\.py|tests/[\w/.-]+)`")


def named_files(text: str) -> list[str]:
    """The tests that a text names; a name without its folder stands for one in the folder named before."""
    found, folder = list[str](), ""
    for name in NAMED.findall(text):
        if "/" in name:
            folder = name.rpartition("/")[0]
        found.append(name if "/" in name else f"{folder}/{name}")
    return found


FILES = sorted(set(named_files(PAGE)))


@pytest.mark.parametrize("file", FILES)
def test_what_the_page_names_is_there_and_tests(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert not Path(file).name.startswith("test_") or re.search(r"^def test_\w+|^    def test_\w+", text, re.MULTILINE)


def table_rows() -> list[str]:
    """The rows of every table whose last column is `tests`."""
    rows, inside = list[str](), False
    for line in PAGE.splitlines():
        if not line.startswith("|"):
            inside = False
        elif re.search(r"\| tests \|$", line):
            inside = True
        elif inside and not line.startswith("|---"):
            rows.append(line)
    return rows


@pytest.mark.parametrize("row", table_rows(), ids=lambda row: row[2:50])
def test_each_promise_names_its_test(row: str) -> None:
    tests = row.rstrip("|").rpartition("|")[2].strip()
    assert named_files(tests) or tests == "both", "a promise without a test is none"


def test_a_promise_without_its_test_would_be_noticed() -> None:
    assert len(table_rows()) > 20
    assert named_files("`tests/no/such.py`, `test_other.py`") == ["tests/no/such.py", "tests/no/test_other.py"]
    assert not named_files("looked at by people")
