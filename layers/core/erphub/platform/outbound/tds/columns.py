"""What kinds of values an answer will hold, as its beginning says: [MS-TDS] 2.2.7.4 (COLMETADATA), 2.2.5.4 (types).

A value whose type has no limit comes in chunks that say how long they are, and a driver may make room for as much
before anything has come. The rows are too many to be looked at here; their columns are not.
"""

import struct
from collections.abc import Generator
from typing import Final

from erphub.platform.outbound.tds.messages import ProtocolError, UnlimitedError

type Reading = Generator[int, bytes]
"""Says how many bytes it wants next, and is sent them."""

MOST_BYTES: Final = 2 * 1024 * 1024
"""Of what may come before rows do: 4,096 columns with the longest names are not as much."""

_WITH_SHORT_LENGTH = frozenset({0xA4, 0xA5, 0xA9, 0xAA, 0xAB, 0xE3})
_WITH_LONG_LENGTH = frozenset({0xE4})
_OF_SIZE = {0x79: 4, 0xFD: 12, 0xFE: 12, 0xFF: 12}
_COLUMNS, _NO_COLUMNS = 0x81, 0xFFFF

_INFO_BYTES = {
    **dict.fromkeys((0x1F, 0x28, 0x30, 0x32, 0x34, 0x38, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x7A, 0x7F), 0),
    **dict.fromkeys((0x24, 0x25, 0x26, 0x29, 0x2A, 0x2B, 0x2D, 0x68, 0x6D, 0x6E, 0x6F), 1),
    **dict.fromkeys((0x37, 0x3F, 0x6A, 0x6C), 3),
}
"""Types that end by themselves: how many bytes follow the type's own."""
_BINARY, _TEXT, _OF_CLR = frozenset({0xA5, 0xAD}), frozenset({0xA7, 0xAF, 0xE7, 0xEF}), 0xF0
_UNLIMITED = frozenset({0x22, 0x23, 0x62, 0x63, 0xF1, 0xF4, 0xF5})
"""image, text, sql_variant, ntext, xml, json, vector: their values say themselves how long they are."""
_WITHOUT_LIMIT = 0xFFFF
_COLLATION_BYTES = 5


def limited_columns() -> Reading:
    """Reads an answer up to its first rows. Raises UnlimitedError for a column whose values have no limit, and
    ProtocolError for what may not stand before rows.
    """
    while True:
        token = (yield 1)[0]
        if token in _WITH_SHORT_LENGTH:
            yield struct.unpack("<H", (yield 2))[0]
        elif token in _WITH_LONG_LENGTH:
            yield struct.unpack("<I", (yield 4))[0]
        elif token in _OF_SIZE:
            yield _OF_SIZE[token]
        elif token == _COLUMNS:
            (count,) = struct.unpack("<H", (yield 2))
            if count == _NO_COLUMNS:
                continue
            for _ in range(count):
                yield from _column()
            return
        else:
            raise ProtocolError(f"token 0x{token:02x} has no place before rows")


def _column() -> Reading:
    kind = (yield 7)[6]  # behind four bytes of user type and two of flags
    limit = 0
    if kind in _INFO_BYTES:
        yield _INFO_BYTES[kind]
    elif kind in _BINARY or kind in _TEXT:
        (limit,) = struct.unpack("<H", (yield 2))
        yield _COLLATION_BYTES if kind in _TEXT else 0
    elif kind == _OF_CLR:
        (limit,) = struct.unpack("<H", (yield 2))
        for _ in ("database", "schema", "type"):
            yield 2 * (yield 1)[0]
        yield 2 * struct.unpack("<H", (yield 2))[0]
    else:
        limit = _WITHOUT_LIMIT if kind in _UNLIMITED else 0
        if not limit:
            raise ProtocolError(f"a column of type 0x{kind:02x}, which there is not")
    if limit == _WITHOUT_LIMIT:
        raise UnlimitedError("a column whose values have no limit, where none was asked for")
    yield 2 * (yield 1)[0]
