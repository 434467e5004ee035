"""Numbers on their way out and in: exact decimals as JSON numbers and as XML text, never a float."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

_MOST_DIGITS = 400


def loads(text: bytes | str) -> Any:
    """JSON whose fractions are decimals. Raises ValueError: also for NaN and Infinity, which are no JSON, for numbers
    beyond 400 digits, and for what lies deeper than can be read.
    """
    try:
        return json.loads(text, parse_float=_fraction, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _fraction(text: str) -> Decimal:
    number = Decimal(text)
    if number and abs(number.adjusted()) > _MOST_DIGITS:  # written out, it would fill the memory
        raise ValueError("a number without measure")
    return number


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not a number")


def dumps(value: Any) -> str:
    """JSON in which a decimal is the number it is, digit by digit."""
    match value:
        case Decimal():
            return plain(value)
        case Mapping():
            items = cast(Mapping[str, Any], value).items()
            return "{" + ",".join(f"{json.dumps(name)}:{dumps(item)}" for name, item in items) + "}"
        case str() | int() | None:
            return json.dumps(value, ensure_ascii=False)
        case Sequence():
            return "[" + ",".join(dumps(item) for item in cast(Sequence[Any], value)) + "]"
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON")


def plain(number: Decimal) -> str:
    """A decimal without an exponent and without needless zeros: 100, 12.5."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def decimal(value: Any) -> Decimal | None:
    """A number of an answer (int, decimal or text) as a decimal; None stays None. Raises ValueError."""
    if value is None or isinstance(value, Decimal):
        return value
    try:
        return Decimal(str(value))
    except ArithmeticError as error:
        raise ValueError(f"{value!r} is not a number") from error


def number(value: Any) -> Decimal:
    """A number of an answer as a decimal; absence is zero. Raises ValueError."""
    return decimal(value) or Decimal(0)


def part(record: Any, *names: str) -> Mapping[str, Any]:
    """The object inside an answer's object, reached by names; empty when it is absent, null or something else."""
    for name in names:
        record = cast(Mapping[str, Any], record).get(name) if isinstance(record, Mapping) else None
    return cast(Mapping[str, Any], record) if isinstance(record, Mapping) else {}


def records(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none when it is absent or no list."""
    items: list[Any] = cast(list[Any], value) if isinstance(value, list) else []
    return [cast(dict[str, Any], item) for item in items if isinstance(item, dict)]


def shown(value: Any) -> Any:
    """The same data with decimals as text: how what would be sent is shown to people."""
    match value:
        case Decimal():
            return plain(value)
        case Mapping():
            return {name: shown(item) for name, item in cast(Mapping[str, Any], value).items()}
        case str() | int() | None:
            return value
        case Sequence():
            return [shown(item) for item in cast(Sequence[Any], value)]
        case _:
            return str(value)


def rate_key(rate: Decimal) -> str:
    """A VAT rate as settings spell it: 25, 11.11, 0."""
    return plain(rate)
