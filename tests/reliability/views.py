"""What is stored, so that two runs can be compared: without what is another in every run or only counts tries."""

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from tests.reliability.stage import Stage

_ID = re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_WORD = re.compile(r"[A-Z]+(-[A-Z]+)*")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_OF_TRIES = frozenset(
    {
        "write_id", "version", "rev", "health_rev", "expires_at", "active_at", "token", "lambda_ms", "tasks",
        "publication_token",
        "manifest",
        "bytes", "size_bytes",
        "bytes_read",  # what came over the wire, once more when it was read once more
        "held_ms",  # how long tries that came to nothing held a worker, by the clock
        "duration_ms", "tries", "trouble", "attempts", "paths", "path", "commits", "read_version", "tested_at",
        "last_problem", "staging_path",
        "run_time",  # of a schedule: drawn, so that not all start at once
        "digest", "previous",  # of an entry of the audit log: over its instants and identifiers
    }
)  # fmt: skip
"""Attributes that are another in every run, or tell how often something was tried."""
_NOT_COMPARED = ("LIMIT", "RATE-LIMIT", "TOKEN", "request", "RUN-LOG", "ATTEMPT", "SYNC-LEASE", "DELETION-PLAN")
"""Kinds of items that serve or tell of tries: taken calls, sessions, kept answers, log lines, attempts."""


def kind_of(item: Mapping[str, Any]) -> str:
    """What kind of item it is, by its sort key: `RUN`, `WIZARD`, `WIZARD TOKEN`."""
    words = [word for word in item["sk"].split("#") if _WORD.fullmatch(word) and not _ID.fullmatch(word)]
    return " ".join(words) or item["sk"].partition("#")[0]


def items(stage: Stage, without: Collection[str] = ()) -> list[str]:
    """Every item that is compared, as text; `without` names kinds that this scene compares otherwise."""
    left_out = {*_NOT_COMPARED, *without}
    found = [item for item in stage.items() if kind_of(item).partition(" ")[0] not in left_out]
    return sorted(text(item) for item in found if item["pk"].partition("#")[0] != "IDEMPOTENCY")


def text(value: Any) -> str:
    """A value with ids and instants blotted out."""
    return _INSTANT.sub("T", _ID.sub("ID", json.dumps(_plain(value), sort_keys=True, default=str, ensure_ascii=False)))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items() if not _is_of_tries(name)}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return _plain(json.loads(value))
        except ValueError:
            return value
    return value


def _is_of_tries(name: str) -> bool:
    return name in _OF_TRIES or name.startswith(("calls:", "lease_"))


def difference(before: list[str], after: list[str]) -> list[str]:
    """What the one has and the other has not; of two lines that are nearly alike, where they differ."""
    had, has = Counter(before), Counter(after)
    gone, new = list((had - has).elements()), list((has - had).elements())
    found: list[str] = []
    for line in gone:
        alike = [other for other in new if _key(other) == _key(line) != ""]
        if alike:
            new.remove(alike[0])
            found.append(_apart(line, alike[0]))
        else:
            found.append(f"- {line}")
    return found + [f"+ {line}" for line in new]


def _key(line: str) -> str:
    return "".join(re.findall(r'"[ps]k": "[^"]*"', line))


def _apart(one: str, other: str) -> str:
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(0, at - 60)
    return f"{_key(one)}: was …{one[start : at + 120]}… is …{other[start : at + 120]}…"
