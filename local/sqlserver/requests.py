"""Reads what a client asks for: batches, transaction requests, and procedure calls with their typed values."""
# ruff: noqa: DTZ001, DTZ901 (SQL Server's dates have no zone)

import re
import struct
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Literal

from local.sqlserver.errors import ConnectionLost, SqlError
from local.sqlserver.types import MAX, SqlType
from local.sqlserver.wire import without_headers

type Scalar = int | float | str | bytes | bool | Decimal | date | time | datetime | uuid.UUID | None

_PROCEDURES = {
    1: "sp_cursor",
    2: "sp_cursoropen",
    3: "sp_cursorprepare",
    4: "sp_cursorexecute",
    5: "sp_cursorprepexec",
    6: "sp_cursorunprepare",
    7: "sp_cursorfetch",
    8: "sp_cursoroption",
    9: "sp_cursorclose",
    10: "sp_executesql",
    11: "sp_prepare",
    12: "sp_execute",
    13: "sp_prepexec",
    14: "sp_prepexecrpc",
    15: "sp_unprepare",
}
_DECLARED = re.compile(r"@[\w$#@]+")


@dataclass(frozen=True)
class Parameter:
    """A value with its type, as it came."""

    name: str
    type: SqlType
    value: Scalar


@dataclass(frozen=True)
class Call:
    """A procedure call."""

    procedure: str
    parameters: list[Parameter] = field(default_factory=list[Parameter])

    def statement(self, index: int) -> tuple[str, dict[str, Parameter]]:
        """The SQL text at `index` and the values for its variables (declared in the text before or after it)."""
        if len(self.parameters) <= index:
            raise SqlError(214, "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.")
        text = str(self.parameters[index].value or "")
        if self.procedure == "sp_executesql":
            names, values = self.declared(1), self.parameters[2:]
        else:
            names, values = self.declared(1), self.parameters[3:]
        by_name = {each.name: each for each in values if each.name}
        by_place = dict(zip(names, values, strict=False))
        return text, by_name if len(by_name) == len(values) else by_place

    def declared(self, index: int) -> list[str]:
        """The variables' names in a declaration text like `@P1 int, @P2 nvarchar(20)`."""
        if len(self.parameters) <= index:
            return []
        return _DECLARED.findall(str(self.parameters[index].value or ""))


@dataclass(frozen=True)
class Transaction:
    """A driver's own transaction request; `again` begins the next one at once."""

    action: Literal["begin", "commit", "rollback"]
    again: bool = False


def batch_text(body: bytes) -> str:
    """The text of a SQL batch."""
    return without_headers(body).decode("utf-16-le", "replace")


def transaction(body: bytes) -> Transaction:
    """The transaction request; raises SqlError for distributed ones."""
    data = without_headers(body)
    (kind,) = struct.unpack_from("<H", data, 0)
    if kind == 5:
        return Transaction("begin")
    if kind in (7, 8):
        flags = data[3 + 2 * data[2]] if len(data) > 3 else 0
        return Transaction("commit" if kind == 7 else "rollback", bool(flags & 1))
    raise SqlError(8501, "MSDTC on this server is unavailable.")


def calls(body: bytes) -> list[Call]:
    """The procedure calls of an RPC request; raises ConnectionLost when it makes no sense."""
    reader = _Reader(without_headers(body))
    out: list[Call] = []
    try:
        while reader.more():
            length = reader.number("<H")
            if length == 0xFFFF:
                number = reader.number("<H")
                procedure = _PROCEDURES.get(number, f"procedure {number}")
            else:
                procedure = reader.take(2 * length).decode("utf-16-le").split(".")[-1]
            reader.number("<H")
            out.append(Call(procedure, _parameters(reader)))
    except (IndexError, struct.error) as error:
        raise ConnectionLost("an RPC request that is cut short") from error
    return out


def return_status() -> bytes:
    """RETURNSTATUS 0."""
    return struct.pack("<Bi", 0x79, 0)


def return_value(handle: int) -> bytes:
    """RETURNVALUE: the handle of a prepared statement."""
    return struct.pack("<BHBBIHBBBi", 0xAC, 0, 0, 1, 0, 0, 0x26, 4, 4, handle)


class _Reader:
    """A cursor over bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def more(self) -> bool:
        return self._position < len(self._data)

    def peek(self) -> int:
        return self._data[self._position]

    def take(self, size: int) -> bytes:
        if self._position + size > len(self._data):
            raise IndexError(size)
        out = self._data[self._position : self._position + size]
        self._position += size
        return out

    def number(self, form: str) -> int:
        return int(struct.unpack(form, self.take(struct.calcsize(form)))[0])


def _parameters(reader: _Reader) -> list[Parameter]:
    out: list[Parameter] = []
    while reader.more():
        if reader.peek() in (0x80, 0xFF, 0xFE):
            reader.take(1)
            break
        name = reader.take(2 * reader.number("<B")).decode("utf-16-le")
        reader.take(1)
        kind, value = _typed(reader)
        out.append(Parameter(name, kind, value))
    return out


def _typed(reader: _Reader) -> tuple[SqlType, Scalar]:
    """TYPE_INFO and value of one parameter."""
    code = reader.number("<B")
    if code in (0x1F, 0x30, 0x34, 0x38, 0x7F, 0x32, 0x3B, 0x3E, 0x3D, 0x3C):
        return _plain(reader, code)
    if code in (0x26, 0x68, 0x6D, 0x6E, 0x6F, 0x24):
        return _sized(reader, code)
    if code in (0x6A, 0x6C):
        reader.take(1)
        precision, scale = reader.number("<B"), reader.number("<B")
        data = reader.take(reader.number("<B"))
        value = None
        if data:
            value = Decimal(int.from_bytes(data[1:], "little")).scaleb(-scale) * (1 if data[0] else -1)
        return SqlType("decimal", precision=precision, scale=scale), value
    if code in (0x28, 0x29, 0x2A, 0x2B):
        return _moment(reader, code)
    if code in (0xE7, 0xEF, 0xA7, 0xAF, 0xA5, 0xAD):
        return _sequence(reader, code)
    raise SqlError(8009, f"The stand-in server does not know parameters of type {code:#x}.")


def _plain(reader: _Reader, code: int) -> tuple[SqlType, Scalar]:
    """Types whose length is in their code."""
    match code:
        case 0x1F:
            return SqlType("int"), None
        case 0x30:
            return SqlType("tinyint"), reader.number("<B")
        case 0x32:
            return SqlType("bit"), bool(reader.number("<B"))
        case 0x34:
            return SqlType("smallint"), reader.number("<h")
        case 0x38:
            return SqlType("int"), reader.number("<i")
        case 0x7F:
            return SqlType("bigint"), reader.number("<q")
        case 0x3B:
            return SqlType("real"), float(struct.unpack("<f", reader.take(4))[0])
        case 0x3E:
            return SqlType("float"), float(struct.unpack("<d", reader.take(8))[0])
        case 0x3D:
            return SqlType("datetime"), _datetime(reader.take(8))
        case _:
            return SqlType("money"), _money(reader.take(8))


def _sized(reader: _Reader, code: int) -> tuple[SqlType, Scalar]:
    """Types with one byte of length."""
    declared = reader.number("<B")
    data = reader.take(reader.number("<B"))
    match code:
        case 0x26:
            kind = SqlType({1: "tinyint", 2: "smallint", 4: "int", 8: "bigint"}[declared])
            return kind, int.from_bytes(data, "little", signed=declared > 1) if data else None
        case 0x68:
            return SqlType("bit"), bool(data[0]) if data else None
        case 0x6D:
            value = struct.unpack("<f" if len(data) == 4 else "<d", data)[0] if data else None
            return SqlType("real" if declared == 4 else "float"), value
        case 0x6E:
            return SqlType("money"), _money(data) if data else None
        case 0x6F:
            return SqlType("datetime" if declared == 8 else "smalldatetime"), _datetime(data) if data else None
        case _:
            return SqlType("uniqueidentifier"), uuid.UUID(bytes_le=data) if data else None


def _money(data: bytes) -> Decimal:
    turned = data[4:] + data[:4] if len(data) == 8 else data
    return Decimal(int.from_bytes(turned, "little", signed=True)).scaleb(-4)


def _datetime(data: bytes) -> datetime:
    if len(data) == 4:
        days, minutes = struct.unpack("<HH", data)
        return datetime(1900, 1, 1) + timedelta(days=days, minutes=minutes)
    days, ticks = struct.unpack("<iI", data)
    return datetime(1900, 1, 1) + timedelta(days=days, milliseconds=(ticks * 10 + 1) // 3)


def _moment(reader: _Reader, code: int) -> tuple[SqlType, Scalar]:
    """date, time, datetime2, datetimeoffset."""
    scale = reader.number("<B") if code != 0x28 else 0
    data = reader.take(reader.number("<B"))
    name = {0x28: "date", 0x29: "time", 0x2A: "datetime2", 0x2B: "datetimeoffset"}[code]
    kind = SqlType(name, scale=scale)
    if not data:
        return kind, None
    if code == 0x28:
        return kind, date.fromordinal(1 + int.from_bytes(data, "little"))
    size = kind.time_bytes
    since = timedelta(microseconds=int.from_bytes(data[:size], "little") * 10**6 // 10**scale)
    if code == 0x29:
        return kind, (datetime.min + since).time()
    stamp = datetime.fromordinal(1 + int.from_bytes(data[size : size + 3], "little")) + since
    if code == 0x2A:
        return kind, stamp
    (minutes,) = struct.unpack("<h", data[size + 3 :])
    zone = timezone(timedelta(minutes=minutes))
    return kind, stamp.replace(tzinfo=UTC).astimezone(zone)


def _sequence(reader: _Reader, code: int) -> tuple[SqlType, Scalar]:
    """Texts and bytes, in one piece or (max) in chunks."""
    size = reader.number("<H")
    text = code in (0xE7, 0xEF, 0xA7, 0xAF)
    if text:
        reader.take(5)
    wide = code in (0xE7, 0xEF)
    name = {0xE7: "nvarchar", 0xEF: "nchar", 0xA7: "varchar", 0xAF: "char", 0xA5: "varbinary", 0xAD: "binary"}[code]
    kind = SqlType(name, length=MAX if size == 0xFFFF else max(size // (2 if wide else 1), 1))
    data: bytes | None
    if size == 0xFFFF:
        data = _chunks(reader)
    else:
        length = reader.number("<H")
        data = None if length == 0xFFFF else reader.take(length)
    if data is None or not text:
        return kind, data
    return kind, data.decode("utf-16-le" if wide else "cp1252", "replace")


def _chunks(reader: _Reader) -> bytes | None:
    total = reader.number("<Q")
    if total == 0xFFFFFFFFFFFFFFFF:
        return None
    out = b""
    while length := reader.number("<I"):
        out += reader.take(length)
    return out
