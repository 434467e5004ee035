"""Which version of a thing a change was made from: told by a body's `version`, or by `If-Match`."""

from erphub.platform import problems

NOTHING = 0
"""The version of what is not there: wanted by whoever makes a thing only if nobody has made it yet."""
ANYTHING = -1
"""Wanted by whoever changes a thing whatever its version, but makes none (`If-Match: *`)."""


def require_version(wanted: int | None, current: int | None) -> None:
    """Let a change through that was made from what is there.

    `current` is the version of what is there, None when there is nothing; `wanted` the one that it was made from: None
    for a change that does not say, `NOTHING`, `ANYTHING`. Raises Conflict (`version_conflict`).
    """
    if not is_wanted(wanted, current):
        raise problems.VERSION_CONFLICT()


def is_wanted(wanted: int | None, current: int | None) -> bool:
    """Whether a change was made from what is there; see `require_version`."""
    if wanted == ANYTHING:
        return current is not None
    return wanted is None or wanted == (current or NOTHING)
