"""Numbers, days and truth values in their documented lexical forms alone: what is written otherwise is refused.

A body says a day as text (`2026-03-05`), a count as a JSON number (`7`), a truth value as `true` or `false`, an amount
as a JSON number or as text (`90071992547409.99`), digits 0 to 9, no exponent. Nothing is read into anything else: a
number of seconds is no day, `true` is no number, an instant is no day. In a query all of it is text.

Every field of a request or document that holds one of these has its type here, or is strict; a test walks them all.
"""

import json
import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import from_json

from erphub.platform import problems

_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_COUNT = re.compile(r"[0-9]{1,18}")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9._:@~-]{1,100}")
_FLAGS = {"true": True, "false": False}


def loads(text: str | bytes) -> Any:
    """JSON in UTF-8 whose fractions are decimals, digit by digit. A number with an exponent stays a float, and is
    no amount.

    Raises Malformed for what is no JSON (RFC 8259): NaN, Infinity, lone surrogates, other encodings; and for more than
    200 levels, a number of more than 4,300 digits or beyond any float, and an object that has a member twice: readers
    differ in which of the two they take.
    """
    try:
        from_json(text, allow_inf_nan=False)  # judges grammar, text and depth; knows no decimals
        return json.loads(text, parse_float=_fraction, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise problems.NOT_JSON() from error


def is_external_id(text: str) -> bool:
    """Whether it can be another system's identifier of one of its records: it stands in addresses and in keys."""
    return _EXTERNAL_ID.fullmatch(text) is not None


def is_digits(text: str) -> bool:
    """Whether it is a number of 1 to 18 digits 0 to 9, which `int` reads. Other scripts' digits, and ², are none."""
    return _COUNT.fullmatch(text) is not None


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(members)
    if len(made) != len(members):
        raise ValueError("a member is there twice")
    return made


def _fraction(text: str) -> Decimal | float:
    if "e" not in text.lower():
        return Decimal(text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("beyond any float")
    return number


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if type(value) is int or (isinstance(value, str) and _DECIMAL.fullmatch(value)):
        return Decimal(value)
    raise problems.DECIMAL_FORM.in_model()


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise problems.DATE_UNKNOWN.in_model() from error
    raise problems.DATE_FORM.in_model()


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError as error:
            raise problems.INSTANT_FORM.in_model() from error
    raise problems.INSTANT_FORM.in_model()


def _count(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and is_digits(value):
        return int(value)
    raise problems.INTEGER_FORM.in_model()


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _FLAGS:
        return _FLAGS[value]
    raise problems.BOOLEAN_FORM.in_model()


DECIMAL_FORM = BeforeValidator(_decimal)
"""A decimal: a JSON number or text. It stands behind the bounds: `Annotated[Decimal, Field(…), DECIMAL_FORM]`."""
COUNT_FORM = BeforeValidator(_count)
"""A whole number of a query."""
Day = Annotated[date, BeforeValidator(_day)]
"""A day: text."""
Instant = Annotated[datetime, BeforeValidator(_instant)]
"""A moment: text, with its zone."""
Whole = Annotated[int, Field(strict=True)]
"""A whole number of a document: a JSON number without a point."""
Flag = Annotated[bool, Field(strict=True)]
"""A truth value of a document."""
QueryFlag = Annotated[bool, BeforeValidator(_flag)]
"""A truth value of a query."""
