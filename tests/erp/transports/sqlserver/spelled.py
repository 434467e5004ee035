"""What a reader makes of a value, spelled alike for all of them."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from arro3.core import DataType

from erphub.erp.transports.sqlserver import readers
from erphub.erp.transports.sqlserver.drivers.connection import Connection, DriverError, GuardEndpoint, Login, Reader
from local.sqlserver.scripted import Scripted, answer

from .every_type import Case

SECONDS = 10
ROWS = 3
"""At a time, so that some answers need several fetches."""


def reading(reader: Reader, case: Case) -> str:
    """How a reader does with a type: `exact`, or what came instead."""
    with Scripted(lambda _: answer("c", case.type_info, [content for _, content in case.values], case.flags)) as server:
        try:
            connection = readers.connect(
                reader, GuardEndpoint("127.0.0.1", server.port, "token", SECONDS), Login("reader", "none")
            )
            connection.run("SELECT 1")
            came = _all(connection)
        except DriverError as error:
            return f"refused: {_plain(str(error.args[1]))[:70]}"
    wanted = [spelled for spelled, _ in case.values]
    if came == wanted:
        return "exact"
    differ = [(a, b) for a, b in zip(wanted, came, strict=False) if a != b]
    if not differ:
        return f"{len(came)} rows of {len(wanted)}"
    return "; ".join(f"`{_plain(a)[:40]}` comes as `{_plain(b)[:40]}`" for a, b in differ[:2])


def _plain(text: str | None) -> str:
    """In a table of Markdown: one line, without what cannot be seen."""
    return (
        "NULL"
        if text is None
        else text.encode("unicode_escape").decode()
        if not text.isprintable()
        else text.replace("|", "/")
    )


def _all(connection: Connection) -> list[str | None]:
    found: list[str | None] = []
    while True:
        if connection.reader is Reader.PYMSSQL:
            rows = connection.rows(ROWS)
            more: Sequence[Any] = [row[0] for row in rows]
        else:
            more = _values(connection.batch(ROWS).column(0))
        found += [_spelled(value) for value in more]
        if len(more) < ROWS:
            return found


def _values(column: Any) -> list[Any]:
    """Python has no nanoseconds: times come as their number."""
    if "Time64" not in str(column.type):
        return column.to_pylist()
    return [None if n is None else _time(n) for n in column.cast(DataType.int64()).to_pylist()]


def _time(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, 10**9)
    whole = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{whole}.{fraction:09}".rstrip("0").rstrip(".")


def _spelled(value: Any) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return str(int(value))
        case int() | float():
            return repr(value)
        case Decimal():
            return f"{value:f}" if value or not value.is_zero() else "0"
        case bytes():
            return f"0x{value.hex()}"
        case UUID():
            return str(value).upper()
        case datetime():
            return _trimmed(value.isoformat())
        case date() | time():
            return _trimmed(value.isoformat())
        case _:
            return f"{type(value).__name__} {value}"


def _trimmed(text: str) -> str:
    whole, dot, rest = text.partition(".")
    digits = rest[:6].rstrip("0")
    return whole + (dot + digits if digits else "") + rest[6:]
