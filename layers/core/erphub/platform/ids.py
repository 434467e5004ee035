"""Identifiers: ULIDs, which sort by the time they were made and say nothing else.

While a request is answered that may come twice, they are the same ones whenever it is answered anew: whatever the
first attempt stored before it died is met by the second one as its own.
"""

import secrets
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import sha256

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class _Repetition:
    """Work that may be done anew: what it is known by, when it was first begun, what it has had so far."""

    known_by: tuple[str, ...]
    milliseconds: int
    ids: int = 0
    writes: Counter[tuple[str, ...]] = field(default_factory=Counter[tuple[str, ...]])


_repeating: ContextVar[_Repetition | None] = ContextVar("repeating", default=None)


@contextmanager
def repeatable(milliseconds: int, *known_by: str) -> Generator[None]:
    """The ids made meanwhile are those of each other time that these words and this beginning are given."""
    before = _repeating.set(_Repetition(known_by, milliseconds))
    try:
        yield
    finally:
        _repeating.reset(before)


@contextmanager
def unrepeated() -> Generator[None]:
    """What is written meanwhile is another one each time, also in work that may be done anew."""
    before = _repeating.set(None)
    try:
        yield
    finally:
        _repeating.reset(before)


def write_marks(*place: str) -> tuple[str, str]:
    """A word for a write at this place that no other write has but its own repetition, and the last such word that
    later writes of the same work at the same place may have: in between lies whatever was written since.
    """
    repetition = _repeating.get()
    if repetition is None:
        mark = _chance()
        return mark, mark
    repetition.writes[place] += 1
    base = derived_id(*repetition.known_by, "write", *place)
    return f"{base}#{repetition.writes[place]:04}", f"{base}#9999"


def _spell(number: int) -> str:
    return "".join(_ALPHABET[number >> bits & 31] for bits in range(125, -1, -5))


def new_id() -> str:
    """A new identifier: 48 bits of milliseconds, 80 bits of chance; 26 characters. `repeatable` work has its own."""
    repetition = _repeating.get()
    if repetition is None:
        return _chance()
    repetition.ids += 1
    return derived_id_at(repetition.milliseconds, *repetition.known_by, str(repetition.ids))


def _chance() -> str:
    return _spell((time.time_ns() // 1_000_000) << 80 | secrets.randbits(80))


def derived_id(*parts: str) -> str:
    """The identifier that always belongs to these words: whoever does the same thing again finds the same one."""
    digest = sha256("\x1f".join(parts).encode()).digest()
    return _spell(int.from_bytes(digest[:16]) & (1 << 128) - 1)


def derived_id_at(milliseconds: int, *parts: str) -> str:
    """Like `derived_id`, but sorted by an instant (milliseconds since 1970) as identifiers made then are."""
    digest = sha256("\x1f".join(parts).encode()).digest()
    return _spell(milliseconds << 80 | int.from_bytes(digest[:10]))
