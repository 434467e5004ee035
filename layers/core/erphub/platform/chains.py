"""A list that shows what was done to it: each entry holds the digest of the one before, the last is named apart.

Whoever takes an entry away, changes it, swaps two, or cuts the end off leaves a place where they do not fit.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

NUMBER, PREVIOUS = "number", "previous"
"""What an entry's text holds besides what it tells: its place, from 1, and the digest of the entry before it."""


@dataclass(frozen=True)
class Link:
    """One entry as it is kept: its text is what the digest is of."""

    text: str
    digest: str


@dataclass(frozen=True)
class Head:
    """Which entry is the last one."""

    number: int
    digest: str


@dataclass(frozen=True)
class Break:
    """The first place where a chain does not fit: the number of the entry, and what is wrong there."""

    number: int
    reason: str


def beginning(chain: str) -> Head:
    """The head of a chain without entries. It differs by chain, so that one cannot be shown in place of another."""
    return Head(0, _digest(chain))


def link(body: Mapping[str, Any], before: Head) -> Link:
    """The entry that follows. `body` is JSON without floats."""
    whole = {**body, NUMBER: before.number + 1, PREVIOUS: before.digest}
    text = json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Link(text, _digest(text))


def first_break(chain: str, links: Iterable[Link], head: Head | None) -> Break | None:
    """Where a chain is broken first; None when it is whole. `links` in order, `head` as it is kept."""
    last = beginning(chain)
    for found in links:
        number = last.number + 1
        if _digest(found.text) != found.digest:
            return Break(number, "the entry was altered")
        body = json.loads(found.text)
        if body[NUMBER] != number:
            return Break(number, f"entry {body[NUMBER]} stands here: one is missing or was moved")
        if body[PREVIOUS] != last.digest:
            return Break(number, "the entry before it is not the one that it was written behind")
        last = Head(number, found.digest)
    if last == (head or beginning(chain)):
        return None
    if head is None:
        return Break(last.number, "the head, which names the last entry, is missing")
    if head.number > last.number:
        return Break(last.number + 1, f"the end is missing: the head names entry {head.number} as the last")
    return Break(last.number, f"the head names entry {head.number} as the last, with another digest or place")


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
