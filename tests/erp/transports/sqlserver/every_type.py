"""Every type of SQL Server as bytes on the line and as what they stand for: boundaries, nulls, code pages, collations.

Sources: [MS-TDS] 2.2.5.4 (types), 2.2.5.5 (values), 2.2.5.1.2 (collations); Microsoft, "Data types (Transact-SQL)".
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from uuid import UUID

NULLABLE, NOT_NULL, ROW_VERSION = 0x09, 0x08, 0x88
LATIN1 = bytes.fromhex("0904D00034")  # SQL_Latin1_General_CP1_CI_AS
DANISH = bytes.fromhex("0604D00000")
CYRILLIC = bytes.fromhex("1904D00000")
CP437 = bytes.fromhex("090400001E")  # by its sort id
JAPANESE = bytes.fromhex("1104D00000")
UTF8 = bytes.fromhex("0904D02400")
MOST = 0xFFFF
LONG = 100_000

type Value = tuple[str | None, bytes]
"""What the value is, spelled; and its bytes."""


@dataclass(frozen=True)
class Case:
    """One column: TYPE_INFO, and its values."""

    name: str
    type_info: bytes
    values: Sequence[Value]
    flags: int = NULLABLE


def _short(content: bytes | None) -> bytes:
    """A value with one byte of length."""
    return b"\0" if content is None else bytes([len(content)]) + content


def _long(content: bytes | None) -> bytes:
    """A value with two bytes of length."""
    return b"\xff\xff" if content is None else struct.pack("<H", len(content)) + content


def _parts(content: bytes | None) -> bytes:
    """A (max) value: its whole length, its parts, an end."""
    if content is None:
        return b"\xff" * 8
    part = struct.pack("<I", len(content)) + content if content else b""
    return struct.pack("<Q", len(content)) + part + bytes(4)


def _pointed(content: bytes | None) -> bytes:
    """A value of text, ntext or image: a pointer, an instant, the content."""
    return b"\0" if content is None else b"\x10" + b"p" * 16 + b"t" * 8 + struct.pack("<I", len(content)) + content


def _packed(form: str, *values: float | None) -> list[Value]:
    return [(None if v is None else repr(v), _short(None if v is None else struct.pack(form, v))) for v in values]


def _texts(encoding: str, write: Callable[[bytes | None], bytes], *values: str | None) -> list[Value]:
    return [(v, write(None if v is None else v.encode(encoding))) for v in values]


def _bytes(write: Callable[[bytes | None], bytes], *values: bytes | None) -> list[Value]:
    return [(None if v is None else f"0x{v.hex()}", write(v)) for v in values]


def _decimal(code: int, precision: int, scale: int, *values: str | None) -> tuple[bytes, list[Value]]:
    size = 4 * (1 + sum(precision > digits for digits in (9, 19, 28)))
    written: list[Value] = []
    for value in values:
        if value is None:
            written.append((None, b"\0"))
            continue
        whole = int(Decimal(value).scaleb(scale, Context(prec=60)))
        written.append((value, bytes([size + 1, whole >= 0]) + abs(whole).to_bytes(size, "little")))
    return bytes([code, size + 1, precision, scale]), written


def _money(value: str | None) -> Value:
    if value is None:
        return None, b"\0"
    high, low = divmod(int(Decimal(value).scaleb(4)), 2**32)
    return value, b"\x08" + struct.pack("<iI", high, low)


def _days_from_1900(text: str) -> int:
    return (date.fromisoformat(text[:10]) - date(1900, 1, 1)).days


def _datetime(text: str | None, ticks: int = 0) -> Value:
    """A datetime: days, and three-hundredths of a second."""
    return text, _short(None if text is None else struct.pack("<iI", _days_from_1900(text), ticks))


def _smalldatetime(text: str | None, minutes: int = 0) -> Value:
    return text, _short(None if text is None else struct.pack("<HH", _days_from_1900(text), minutes))


def _day(text: str) -> bytes:
    return (date.fromisoformat(text[:10]).toordinal() - 1).to_bytes(3, "little")


def _time(text: str, scale: int) -> bytes:
    hours, minutes, seconds = text.partition(".")[0].split(":")
    fraction = int((text.partition(".")[2] or "0").ljust(scale, "0") or 0)
    ticks = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 10**scale + fraction
    return ticks.to_bytes(3 + (scale > 2) + (scale > 4), "little")


def _moments(scale: int, *values: str | None) -> list[Value]:
    return [(v, _short(None if v is None else _time(v[11:], scale) + _day(v))) for v in values]


def _offset(shown: str, utc: str, minutes: int) -> Value:
    return shown, _short(_time(utc[11:], 7) + _day(utc) + struct.pack("<h", minutes))


def _variant(kind: int, properties: bytes, content: bytes) -> bytes:
    body = bytes([kind, len(properties)]) + properties + content
    return struct.pack("<I", len(body)) + body


def cases() -> list[Case]:
    """All of them."""
    return [*_numbers(), *_moments_and_ids(), *_characters(), *_long_values(), *_others()]


def _numbers() -> Iterator[Case]:
    yield Case("bit", b"\x68\x01", [("1", b"\1\1"), ("0", b"\1\0"), (None, b"\0")])
    yield Case("tinyint", b"\x26\x01", _packed("<B", 0, 255, None))
    yield Case("smallint", b"\x26\x02", _packed("<h", -(2**15), 2**15 - 1, None))
    yield Case("int", b"\x26\x04", _packed("<i", -(2**31), 2**31 - 1, None))
    yield Case("bigint", b"\x26\x08", _packed("<q", -(2**63), 2**63 - 1, None))
    for name, code, form, *values in (
        ("bit", b"\x32", "<B", 1, 0),
        ("tinyint", b"\x30", "<B", 255),
        ("smallint", b"\x34", "<h", -5),
        ("int", b"\x38", "<i", -5, 7),
        ("bigint", b"\x7f", "<q", -5),
        ("real", b"\x3b", "<f", 0.5),
        ("float", b"\x3e", "<d", -0.1),
    ):
        yield Case(f"{name} not null", code, [(repr(v), struct.pack(form, v)) for v in values], NOT_NULL)
    yield Case("money not null", b"\x3c", [("-1.0001", struct.pack("<iI", -1, 2**32 - 10001))], NOT_NULL)
    yield Case("smallmoney not null", b"\x7a", [("-1.0001", struct.pack("<i", -10001))], NOT_NULL)
    for precision, scale, *values in (
        (38, 20, "123456789012345678.12345678901234567891", "-0.00000000000000000001", "0", None),
        (38, 0, "9" * 38, "-" + "9" * 38, None),
        (38, 38, "0." + "0" * 37 + "1", "-0." + "9" * 38, None),
        (28, 6, "-9487049.350000", "9999999999999999999999.999999", None),
        (19, 4, "-0.0001", "999999999999999.9999", None),
        (9, 2, "-0.05", "9999999.99", None),
        (5, 0, "99999", "-1", None),
    ):
        yield Case(f"decimal({precision},{scale})", *_decimal(0x6A, precision, scale, *values))
    yield Case("numeric(18,2)", *_decimal(0x6C, 18, 2, "1234567.89", "-0.01", None))
    yield Case(
        "money", b"\x6e\x08", [_money(v) for v in ("-922337203685477.5808", "922337203685477.5807", "0.0001", None)]
    )
    small = [
        ("214748.3647", b"\x04" + struct.pack("<i", 2**31 - 1)),
        ("-214748.3648", b"\x04" + struct.pack("<i", -(2**31))),
    ]
    yield Case("smallmoney", b"\x6e\x04", [*small, (None, b"\0")])
    yield Case("float", b"\x6d\x08", _packed("<d", 0.1, -1.7976931348623157e308, 5e-324, -0.0, None))
    real = [(repr(struct.unpack("<f", struct.pack("<f", v))[0]), _short(struct.pack("<f", v))) for v in (0.1, 3.4e38)]
    yield Case("real", b"\x6d\x04", [*real, (None, b"\0")])


def _moments_and_ids() -> Iterator[Case]:
    days: list[Value] = [(v, _short(_day(v))) for v in ("0001-01-01", "1969-12-31", "2024-02-29", "9999-12-31")]
    yield Case("date", b"\x28", [*days, (None, b"\0")])
    last = 86399 * 300 + 299
    yield Case(
        "datetime",
        b"\x6f\x08",
        [
            _datetime("2024-02-29T23:59:59.997", last),
            _datetime("1753-01-01T00:00:00"),
            _datetime("1969-12-31T23:59:59.997", last),
            _datetime("2024-01-01T00:00:00.003", 1),
            _datetime("2024-01-01T00:00:00.007", 2),
            _datetime("9999-12-31T23:59:59.997", last),
            _datetime(None),
        ],
    )
    yield Case(
        "datetime not null",
        b"\x3d",
        [("2024-01-01T00:00:00.003", struct.pack("<iI", _days_from_1900("2024-01-01"), 1))],
        NOT_NULL,
    )
    yield Case(
        "smalldatetime",
        b"\x6f\x04",
        [
            _smalldatetime("2024-02-29T12:34:00", 754),
            _smalldatetime("2079-06-06T23:59:00", 1439),
            _smalldatetime("1900-01-01T00:00:00"),
            _smalldatetime(None),
        ],
    )
    for scale in (7, 6, 3, 0):
        most = "." + "9" * scale if scale else ""
        values = (f"9999-12-31T23:59:59{most}", "0001-01-01T00:00:00", "2262-04-12T00:00:00", None)
        yield Case(f"datetime2({scale})", bytes([0x2A, scale]), _moments(scale, *values))
    for scale, *times in ((7, "23:59:59.9999999", "00:00:00"), (3, "12:34:56.789"), (0, "12:34:56")):
        written: list[Value] = [(v, _short(_time(v, scale))) for v in times]
        yield Case(f"time({scale})", bytes([0x29, scale]), [*written, (None, b"\0")])
    yield Case(
        "datetimeoffset(7)",
        b"\x2b\x07",
        [
            _offset("2024-02-29T23:30:00.5-03:30", "2024-03-01T03:00:00.5", -210),
            _offset("2024-03-01T02:00:00+14:00", "2024-02-29T12:00:00", 840),
            (None, b"\0"),
        ],
    )
    some = UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF")
    ids: list[Value] = [(str(one).upper(), _short(one.bytes_le)) for one in (some, UUID(int=0))]
    yield Case("uniqueidentifier", b"\x24\x10", [*ids, (None, b"\0")])


def _characters() -> Iterator[Case]:
    words = "Kjøp æøå ÆØÅ €"
    yield Case("nvarchar(50)", b"\xe7\x64\x00" + LATIN1, _texts("utf-16-le", _long, words, "", "  x ", "😀漢", None))
    yield Case("nvarchar(50) with NUL", b"\xe7\x64\x00" + LATIN1, _texts("utf-16-le", _long, "a\0b", "\0"))
    yield Case(
        "nvarchar(50) with half a character", b"\xe7\x64\x00" + LATIN1, [("x\\ud83dy", _long(b"x\0\x3d\xd8y\0"))]
    )
    yield Case("nvarchar(4000)", b"\xe7\x40\x1f" + LATIN1, _texts("utf-16-le", _long, "ø" * 4000))
    yield Case("nchar(5)", b"\xef\x0a\x00" + LATIN1, _texts("utf-16-le", _long, "æø   ", None))
    printable = bytes(code for code in range(32, 256) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
    yield Case(
        "varchar(250) of 1252",
        b"\xa7\xfa\x00" + LATIN1,
        [(printable.decode("cp1252"), _long(printable)), ("", _long(b"")), (None, _long(None))],
    )
    unassigned = b"\x81\x8d\x8f\x90\x9d"
    yield Case(
        "varchar(9) of 1252, bytes without a character",
        b"\xa7\x09\x00" + LATIN1,
        [(unassigned.decode("latin-1"), _long(unassigned))],
    )
    yield Case("varchar(10) of 1252, filled", b"\xa7\x0a\x00" + LATIN1, _texts("cp1252", _long, "æøåÆØÅ€ßäö"))
    yield Case("varchar(50) Danish_Norwegian", b"\xa7\x32\x00" + DANISH, _texts("cp1252", _long, words, None))
    yield Case("varchar(50) Cyrillic", b"\xa7\x32\x00" + CYRILLIC, _texts("cp1251", _long, "Привет"))
    yield Case("varchar(50) of 437", b"\xa7\x32\x00" + CP437, _texts("cp437", _long, "Kjöp æå"))
    yield Case("varchar(50) Japanese", b"\xa7\x32\x00" + JAPANESE, _texts("cp932", _long, "日本ｱ"))
    yield Case("varchar(50) UTF-8", b"\xa7\x32\x00" + UTF8, _texts("utf-8", _long, "æ😀漢", ""))
    yield Case("varchar(5) UTF-8, filled", b"\xa7\x05\x00" + UTF8, _texts("utf-8", _long, "a漢b"))
    yield Case("char(5)", b"\xaf\x05\x00" + LATIN1, _texts("cp1252", _long, "ø    ", None))


def _long_values() -> Iterator[Case]:
    words = "Kjøp æøå ÆØÅ €"
    yield Case("nvarchar(max)", b"\xe7\xff\xff" + LATIN1, _texts("utf-16-le", _parts, words, "", "ø" * LONG, None))
    yield Case("varchar(max)", b"\xa7\xff\xff" + LATIN1, _texts("cp1252", _parts, words, "", "ø" * LONG, None))
    yield Case("varchar(max) UTF-8", b"\xa7\xff\xff" + UTF8, _texts("utf-8", _parts, "æ😀" * 5, None))
    named = b"\x01\x01\x00t\x00"
    yield Case("text", b"\x23\xff\xff\xff\x7f" + LATIN1 + named, _texts("cp1252", _pointed, words, "", None))
    yield Case("ntext", b"\x63\xff\xff\xff\x7f" + LATIN1 + named, _texts("utf-16-le", _pointed, words, None))
    yield Case("image", b"\x22\xff\xff\xff\x7f" + named, _bytes(_pointed, b"\x00\xff", None))
    yield Case("xml", b"\xf1\x00", _texts("utf-16-le", _parts, "<a>ø</a>", None))
    yield Case("varbinary(max)", b"\xa5\xff\xff", _bytes(_parts, b"\x00\xff" * (LONG // 2), b"", None))


def _others() -> Iterator[Case]:
    yield Case("varbinary(50)", b"\xa5\x32\x00", _bytes(_long, b"\x00\x01\xff", b"", None))
    yield Case("binary(4)", b"\xad\x04\x00", _bytes(_long, b"\x00\x01\x00\x00", None))
    yield Case("rowversion", b"\xad\x08\x00", _bytes(_long, b"\0\0\0\0\0\0\x07\xd1"), ROW_VERSION)
    any_type = b"\x62" + struct.pack("<I", 8009)
    forty_two = _variant(0x38, b"", struct.pack("<i", 42))
    yield Case("sql_variant, int", any_type, [("42", forty_two), (None, bytes(4))])
    yield Case(
        "sql_variant, nvarchar", any_type, [("æ", _variant(0xE7, LATIN1 + b"\x64\x00", "æ".encode("utf-16-le")))]
    )
    names = (
        b"\x06"
        + "master".encode("utf-16-le")
        + b"\x03"
        + "sys".encode("utf-16-le")
        + b"\x09"
        + "geography".encode("utf-16-le")
    )
    assembly = "Microsoft.SqlServer.Types.SqlGeography"
    geography = b"\xf0\xff\xff" + names + struct.pack("<H", len(assembly)) + assembly.encode("utf-16-le")
    yield Case("geography", geography, _bytes(_parts, b"\xe6\x10\x00\x00", None))
