"""Turns a batch of values into the rows of an answer, a column at a time.

A row on the line is its cells end to end. Cells of fixed width are built as one numpy matrix per column, cells of
varying width as Arrow binary arrays; one Arrow kernel then joins them row by row. Some 3 million rows a second pass
here, so that in a benchmark it is the client that is measured.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

import codecs
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from local.sqlserver.types import MAX, ResultColumn, SqlType
from local.sqlserver.wire import short_text

type Bytes = np.ndarray[Any, np.dtype[np.uint8]]
# One array of an Arrow batch; pyarrow has no types.
type Arrow = Any

_DAYS_TO_1970 = 719162  # from 0001-01-01
_DAYS_1900_TO_1970 = 25567
_DAY_MICROSECONDS = 86_400_000_000
_GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
_ROW = 0xD1


def column_metadata(columns: Sequence[ResultColumn]) -> bytes:
    """COLMETADATA: number, types and names of an answer's columns."""
    out = struct.pack("<BH", 0x81, len(columns))
    for column in columns:
        out += struct.pack("<IH", 0, 0x0009) + column.type.type_info + short_text(column.name)
    return out


def encode_rows(columns: Sequence[ResultColumn], arrays: Sequence[Arrow], rows: int) -> memoryview:
    """ROW tokens of `rows` rows. `arrays` are Arrow arrays in the shape `SqlType.wire_sql` asks for."""
    if rows == 0:
        return memoryview(b"")
    row_mark = np.full((rows, 1), _ROW, dtype=np.uint8)
    parts: list[Bytes | Arrow] = [row_mark]
    for column, array in zip(columns, arrays, strict=True):
        for part in _cells(column.type, array, rows):
            if isinstance(part, np.ndarray) and isinstance(parts[-1], np.ndarray):
                parts[-1] = np.hstack((parts[-1], part))
            else:
                parts.append(part)
    if len(parts) == 1:
        return memoryview(parts[0]).cast("B")
    joined = pc.binary_join_element_wise(*[_binary(part) for part in parts], pa.scalar(b"", pa.binary()))
    offsets = np.frombuffer(joined.buffers()[1], dtype=np.int32)
    return memoryview(joined.buffers()[2])[offsets[joined.offset] : offsets[joined.offset + rows]]


def _binary(part: Bytes | Arrow) -> Arrow:
    """A matrix of fixed cells as a binary array (binary arrays pass through)."""
    if not isinstance(part, np.ndarray):
        return part
    rows, width = part.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    data = np.ascontiguousarray(part)
    return pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _varying(lengths: np.ndarray[Any, Any], data: Bytes | bytes) -> Arrow:
    """A binary array of cells with these lengths, end to end in `data`."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.Array.from_buffers(pa.binary(), len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _nulls(array: Arrow) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    """Which values are NULL; None when none is."""
    if array.null_count == 0:
        return None
    return array.is_null().to_numpy(zero_copy_only=False)


def _values(array: Arrow, dtype: Any, rows: int) -> np.ndarray[Any, Any]:
    """The raw values of a fixed-width array (whatever stands where it is NULL)."""
    return np.frombuffer(array.buffers()[1], dtype=dtype)[array.offset : array.offset + rows]


def _as_bytes(values: np.ndarray[Any, Any]) -> Bytes:
    """Each value's bytes, as a matrix."""
    rows = len(values)
    return np.ascontiguousarray(values).view(np.uint8).reshape(rows, -1)


def _fixed(nulls: np.ndarray[Any, np.dtype[np.bool_]] | None, cells: Bytes) -> list[Bytes | Arrow]:
    """One length byte before each cell; a NULL is the single byte 0."""
    rows, width = cells.shape
    matrix = np.empty((rows, width + 1), dtype=np.uint8)
    matrix[:, 0] = width
    matrix[:, 1:] = cells
    if nulls is None:
        return [matrix]
    matrix[nulls, 0] = 0
    keep = np.ones((rows, width + 1), dtype=np.bool_)
    keep[nulls, 1:] = False
    return [_varying(np.where(nulls, 1, width + 1), matrix[keep])]


def _cells(kind: SqlType, array: Arrow, rows: int) -> list[Bytes | Arrow]:
    """The cells of one column."""
    if kind.is_text or kind.is_binary:
        return _text_cells(kind, array, rows)
    nulls = _nulls(array)
    match kind.name:
        case "bigint":
            return _fixed(nulls, _as_bytes(_values(array, "<i8", rows)))
        case "int":
            return _fixed(nulls, _as_bytes(_values(array, "<i4", rows)))
        case "smallint":
            return _fixed(nulls, _as_bytes(_values(array, "<i2", rows)))
        case "tinyint":
            return _fixed(nulls, _as_bytes(_values(array, "u1", rows)))
        case "bit":
            return _fixed(nulls, _as_bytes(_values(array.cast(pa.uint8()), "u1", rows)))
        case "float":
            return _fixed(nulls, _as_bytes(_values(array, "<f8", rows)))
        case "real":
            return _fixed(nulls, _as_bytes(_values(array, "<f4", rows)))
        case "decimal" | "numeric":
            return _fixed(nulls, _decimal(kind, array, rows))
        case "money" | "smallmoney":
            return _fixed(nulls, _money(kind, array, rows))
        case "uniqueidentifier":
            return _guid_cells(array, rows)
        case _:
            return _fixed(nulls, _moment(kind, array, rows))


def _decimal(kind: SqlType, array: Arrow, rows: int) -> Bytes:
    """Sign byte (1 is positive) and the magnitude, least significant byte first."""
    halves = np.frombuffer(array.buffers()[1], dtype="<u8")[2 * array.offset : 2 * (array.offset + rows)]
    low, high = halves[0::2].copy(), halves[1::2].copy()
    negative = high >> np.uint64(63) == 1
    low[negative] = ~low[negative] + np.uint64(1)
    high[negative] = ~high[negative] + (low[negative] == 0)
    magnitude = np.empty((rows, 16), dtype=np.uint8)
    magnitude[:, :8] = _as_bytes(low)
    magnitude[:, 8:] = _as_bytes(high)
    cells = np.empty((rows, kind.decimal_bytes), dtype=np.uint8)
    cells[:, 0] = ~negative
    cells[:, 1:] = magnitude[:, : kind.decimal_bytes - 1]
    return cells


def _money(kind: SqlType, array: Arrow, rows: int) -> Bytes:
    """Ten-thousandths; money has its upper half first."""
    low = np.frombuffer(array.buffers()[1], dtype="<i8")[2 * array.offset : 2 * (array.offset + rows) : 2]
    if kind.name == "smallmoney":
        return _as_bytes(low.astype("<i4"))
    cells = _as_bytes(low)
    return np.hstack((cells[:, 4:], cells[:, :4]))


def _guid_cells(array: Arrow, rows: int) -> list[Bytes | Arrow]:
    """Sixteen bytes, the first three groups turned round."""
    nulls = _nulls(array)
    matrix = np.zeros((rows, 16), dtype=np.uint8)
    present = array.drop_null()
    offsets = np.frombuffer(present.buffers()[1], dtype=np.int32)[present.offset :]
    data = np.frombuffer(present.buffers()[2] or b"", dtype=np.uint8)
    flat = data[offsets[0] : offsets[0] + 16 * len(present)].reshape(-1, 16)
    matrix[slice(None) if nulls is None else ~nulls] = flat[:, _GUID_ORDER]
    return _fixed(nulls, matrix)


def _time(kind: SqlType, microseconds: np.ndarray[Any, Any]) -> Bytes:
    """Units of 10**-scale seconds since midnight."""
    units = microseconds * 10 if kind.scale == 7 else microseconds // 10 ** (6 - kind.scale)
    return _as_bytes(units.astype("<i8"))[:, : kind.time_bytes]


def _moment(kind: SqlType, array: Arrow, rows: int) -> Bytes:
    """Dates and times; those with a date count days from 0001-01-01, the old ones from 1900-01-01."""
    if kind.name == "date":
        return _as_bytes(_values(array, "<i4", rows) + np.int32(_DAYS_TO_1970))[:, :3]
    if kind.name == "time":
        return _time(kind, _values(array, "<i8", rows))
    offset = None
    if kind.name == "datetimeoffset":
        offset = _values(array.field(1), "<i2", rows)
        array = array.field(0)
    stamps = _values(array, "<i8", rows)
    days, rest = np.divmod(stamps, _DAY_MICROSECONDS)
    if kind.name == "smalldatetime":
        minutes = (rest // 60_000_000).astype("<u2")
        return np.hstack((_as_bytes((days + _DAYS_1900_TO_1970).astype("<u2")), _as_bytes(minutes)))
    if kind.name == "datetime":
        ticks = ((rest * 3 + 5_000) // 10_000).astype("<u4")
        return np.hstack((_as_bytes((days + _DAYS_1900_TO_1970).astype("<i4")), _as_bytes(ticks)))
    parts = [_time(kind, rest), _as_bytes((days + _DAYS_TO_1970).astype("<i4"))[:, :3]]
    if offset is not None:
        parts.append(_as_bytes(offset))
    return np.hstack(parts)


def _text_cells(kind: SqlType, array: Arrow, rows: int) -> list[Bytes | Arrow]:
    """Length and bytes; for (max) types as one chunk of a partially length-prefixed value."""
    nulls = _nulls(array)
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + rows + 1]
    buffer = array.buffers()[2]
    data = np.frombuffer(buffer if buffer is not None else b"", dtype=np.uint8)[offsets[0] : offsets[-1]]
    starts = offsets - offsets[0]
    if kind.name in ("nvarchar", "nchar"):
        starts, data = _utf16(starts, data)
    elif kind.is_text:
        starts, data = _cp1252(starts, data)
    lengths = np.diff(starts)
    payload = _varying(lengths, data)
    if kind.length != MAX:
        prefix = lengths.astype("<u2")
        if nulls is not None:
            prefix[nulls] = 0xFFFF
        return [_as_bytes(prefix), payload]
    return _chunked(nulls, lengths, payload, rows)


def _chunked(nulls: Any, lengths: np.ndarray[Any, Any], payload: Arrow, rows: int) -> list[Bytes | Arrow]:
    """PLP: 8 bytes of total length, one chunk (4 bytes of length, data), and an empty chunk as the end."""
    head = np.hstack((_as_bytes(lengths.astype("<u8")), _as_bytes(lengths.astype("<u4"))))
    tail = np.zeros((rows, 4), dtype=np.uint8)
    empty = lengths == 0
    if nulls is None and not empty.any():
        return [head, payload, tail]
    missing = np.zeros(rows, dtype=np.bool_) if nulls is None else nulls
    head[missing, :8] = 0xFF
    # an empty value has no chunk before the end, a NULL not even the end
    head_lengths = np.where(empty | missing, 8, 12)
    tail_lengths = np.where(missing, 0, 4)
    kept = np.arange(12)[None, :] < head_lengths[:, None]
    return [_varying(head_lengths, head[kept]), payload, _varying(tail_lengths, bytes(int(tail_lengths.sum())))]


def _utf16(starts: np.ndarray[Any, Any], data: Bytes) -> tuple[np.ndarray[Any, Any], Bytes]:
    """UTF-8 to UTF-16 for all values at once; the offsets follow from counting lead bytes."""
    if not len(data) or int(data.max()) < 0x80:
        wide = np.zeros(2 * len(data), dtype=np.uint8)
        wide[0::2] = data
        return starts * 2, wide
    units = (data < 0x80) | (data >= 0xC0)
    counts = np.concatenate(([0], np.cumsum(units + (data >= 0xF0).astype(np.int64))))
    wide = np.frombuffer(data.tobytes().decode("utf-8").encode("utf-16-le"), dtype=np.uint8)
    return counts[starts] * 2, wide


def _best_fit(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return bytes(ord(char) if ord(char) in _UNASSIGNED else ord("?") for char in missing), error.end


_UNASSIGNED = frozenset({0x81, 0x8D, 0x8F, 0x90, 0x9D})
_BEST_FIT = "cp1252-best-fit"
codecs.register_error(_BEST_FIT, _best_fit)


def _cp1252(starts: np.ndarray[Any, Any], data: Bytes) -> tuple[np.ndarray[Any, Any], Bytes]:
    """UTF-8 to code page 1252; what it lacks becomes a question mark, as on the server. The five bytes without a
    character are the control characters of their number, as Windows maps them.
    """
    if not len(data) or int(data.max()) < 0x80:
        return starts, data
    counts = np.concatenate(([0], np.cumsum((data < 0x80) | (data >= 0xC0))))
    narrow = np.frombuffer(data.tobytes().decode("utf-8").encode("cp1252", _BEST_FIT), dtype=np.uint8)
    return counts[starts], narrow
