"""Examples of answers for the API's description, taken from answers that the tests were given.

`make answers` lets the API's tests write down what they are answered (`pytest --answers`, tests/support/answers.py) and
keeps of each operation the answer that says most, in local/answer_examples.json: without what was only so that day
(identifiers, instants, secrets). An example that is there stays while it still fits the description.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from local.emulator import ROOT

type Json = dict[str, Any]

FILE = ROOT / "local/answer_examples.json"
MAX_ITEMS = 2
MAX_LETTERS = 12_000
"""What a test of bounds is answered is no example."""
_ULID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_INSTANT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_SECRETS = ((re.compile(r"\behk_[\w-]{20,}"), "ehk_…"), (re.compile(r"\bwhsec_[\w+/=-]{20,}"), "whsec_…"))
_BASE36 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FIRST = datetime(2026, 3, 5, 8, 30, tzinfo=UTC)


def richness(value: Any) -> tuple[int, int]:
    """How much an answer says: values that are there, and, of answers that say as much, the shorter."""
    return sum(1 for _ in _leaves(value)), -len(json.dumps(value))


def _leaves(value: Any) -> Iterator[Any]:
    """The values in it that are something; of a list its first few."""
    if isinstance(value, dict):
        for one in cast(Json, value).values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in cast(list[Any], value)[:MAX_ITEMS]:
            yield from _leaves(one)
    elif value is not None and value != "":
        yield value


def as_example(value: Any) -> Any:
    """The answer without what was only so that day: identifiers in order, instants minutes apart, no secrets."""
    short = _shortened(value)
    text = json.dumps(short, ensure_ascii=False)
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    found = {one: f"01JCG0W1ZARD00000000000{_number(at)}" for at, one in enumerate(_in_order(_ULID, text))}
    found |= {one: f"8a6f0c3e-1d2b-4c5d-9e7f-{at:012x}" for at, one in enumerate(_in_order(_UUID, text), 1)}
    instants = sorted(_in_order(_INSTANT, text))
    found |= {one: f"{_FIRST + timedelta(minutes=at):%Y-%m-%dT%H:%M:%SZ}" for at, one in enumerate(instants)}
    pattern = re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True))) or "(?!)")
    return json.loads(pattern.sub(lambda one: found[one.group()], text))


def _shortened(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _shortened(one, key) for key, one in cast(Json, value).items()}
    if isinstance(value, list):
        return [_shortened(one) for one in cast(list[Any], value)[:MAX_ITEMS]]
    return "opaque" if name == "next" and isinstance(value, str) else value


def _in_order(pattern: re.Pattern[str], text: str) -> list[str]:
    return list(dict.fromkeys(pattern.findall(text)))


def _number(at: int) -> str:
    return "0" + _BASE36[at // 32 % 32] + _BASE36[at % 32]


def merged(
    written: Sequence[Mapping[str, Any]], before: Mapping[str, Any], fits: Callable[[str, Any], bool]
) -> dict[str, Any]:
    """The examples by operation: those of before that still fit, and of the others the richest that was written."""
    best: dict[str, Any] = {}
    for one in written:
        for operation, value in one.items():
            if operation not in best or richness(value) > richness(best[operation]):
                best[operation] = value
    kept = {operation: value for operation, value in before.items() if fits(operation, value)}
    return dict(sorted(({operation: as_example(value) for operation, value in best.items()} | kept).items()))


def read() -> dict[str, Any]:
    """The examples by operation."""
    return json.loads(FILE.read_text("utf-8"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Keep what the tests wrote into a folder."""
    parser = argparse.ArgumentParser(prog="python -m local.answer_examples", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--anew", action="store_true", help="take every example anew")
    given = parser.parse_args(arguments)
    from tests.support import described

    written = [json.loads(path.read_text("utf-8")) for path in sorted(given.folder.glob("*.json"))]
    before = {} if given.anew else read()
    examples = merged(written, before, described.fits)
    FILE.write_text(json.dumps(examples, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
