"""A chain shows what was done to it: altered, removed, swapped, cut at the end."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from erphub.platform.chains import Head, Link, beginning, first_break, link

CHAIN = "CLIENT#C#AUDIT#CHAIN"


def chain(name: str = CHAIN, length: int = 4) -> tuple[list[Link], Head]:
    links, head = list[Link](), beginning(name)
    for number in range(1, length + 1):
        made = link({"action": f"act {number}", "new": {"name": "Ærlig ☕"}}, head)
        links.append(made)
        head = Head(number, made.digest)
    return links, head


def test_a_whole_chain_has_no_break_however_long():
    for length in range(5):
        assert first_break(CHAIN, *chain(length=length)) is None


def test_no_entries_and_no_head_is_a_chain_that_nothing_was_written_to():
    assert first_break(CHAIN, [], None) is None


def altered(links: list[Link]) -> None:
    links[1] = replace(links[1], text=links[1].text.replace("act 2", "act 9"))


def altered_with_its_digest(links: list[Link]) -> None:
    links[1] = link({"action": "act 9"}, Head(1, links[0].digest))


def removed(links: list[Link]) -> None:
    del links[1]


def removed_first(links: list[Link]) -> None:
    del links[0]


def swapped(links: list[Link]) -> None:
    links[1], links[2] = links[2], links[1]


def cut(links: list[Link]) -> None:
    del links[3]


def cut_to_nothing(links: list[Link]) -> None:
    links.clear()


def added(links: list[Link]) -> None:
    links.append(link({"action": "never"}, Head(4, links[3].digest)))


@pytest.mark.parametrize(
    ("done", "number", "word"),
    [
        (altered, 2, "altered"),
        (altered_with_its_digest, 3, "not the one"),
        (removed, 2, "missing"),
        (removed_first, 1, "missing"),
        (swapped, 2, "moved"),
        (cut, 4, "end is missing"),
        (cut_to_nothing, 1, "end is missing"),
        (added, 5, "head names entry 4"),
    ],
)
def test_what_was_done_to_it_is_named_with_the_first_place(done: Callable[[list[Link]], None], number: int, word: str):
    links, head = chain()
    done(links)
    found = first_break(CHAIN, links, head)
    assert found is not None
    assert (found.number, word in found.reason) == (number, True), found


def test_a_head_that_is_gone_or_another_is_a_break():
    links, head = chain()
    assert first_break(CHAIN, links, None) is not None
    assert first_break(CHAIN, links, Head(4, links[2].digest)) is not None
    assert first_break(CHAIN, links[:3], Head(3, head.digest)) is not None


def test_the_chain_of_one_client_is_none_of_another():
    assert first_break("CLIENT#D#AUDIT#CHAIN", *chain()) is not None
