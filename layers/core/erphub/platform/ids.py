"""Identifiers: ULIDs, which sort by the time they were made and say nothing else."""

import secrets
import time
from hashlib import sha256

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _spell(number: int) -> str:
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def new_id() -> str:
    """A new identifier: 48 bits of milliseconds, 80 bits of chance; 26 characters."""
    return _spell((time.time_ns() // 1_000_000) << 80 | secrets.randbits(80))


def derived_id(*parts: str) -> str:
    """The identifier that always belongs to these words: whoever does the same thing again finds the same one."""
    digest = sha256("\x1f".join(parts).encode()).digest()
    return _spell(int.from_bytes(digest[:16]) & (1 << 128) - 1)


def derived_id_at(milliseconds: int, *parts: str) -> str:
    """Like `derived_id`, but sorted by an instant (milliseconds since 1970) as identifiers made then are."""
    digest = sha256("\x1f".join(parts).encode()).digest()
    return _spell(milliseconds << 80 | int.from_bytes(digest[:10]))
