"""SQL Server's column types: how each is declared, described, stored here and announced on the line."""

import re
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from local.sqlserver.wire import COLLATION

_DECLARATION = re.compile(r"^\s*(\w+)\s*(?:\(\s*(\d+|max)\s*(?:,\s*(\d+)\s*)?\))?\s*$", re.IGNORECASE)

# name -> (bytes, precision, scale) as sys.columns shows them
_FIXED: dict[str, tuple[int, int, int]] = {
    "bigint": (8, 19, 0),
    "int": (4, 10, 0),
    "smallint": (2, 5, 0),
    "tinyint": (1, 3, 0),
    "bit": (1, 1, 0),
    "money": (8, 19, 4),
    "smallmoney": (4, 10, 4),
    "float": (8, 53, 0),
    "real": (4, 24, 0),
    "datetime": (8, 23, 3),
    "smalldatetime": (4, 16, 0),
    "date": (3, 10, 0),
    "uniqueidentifier": (16, 0, 0),
}
_STORED: dict[str, str] = {
    "bigint": "BIGINT",
    "int": "INTEGER",
    "smallint": "SMALLINT",
    "tinyint": "UTINYINT",
    "bit": "BOOLEAN",
    "money": "DECIMAL(19,4)",
    "smallmoney": "DECIMAL(10,4)",
    "float": "DOUBLE",
    "real": "FLOAT",
    "datetime": "TIMESTAMP",
    "datetime2": "TIMESTAMP",
    "smalldatetime": "TIMESTAMP",
    "date": "DATE",
    "time": "TIME",
    "datetimeoffset": "STRUCT(utc TIMESTAMP, minutes SMALLINT)",
    "uniqueidentifier": "UUID",
    "nvarchar": "VARCHAR",
    "nchar": "VARCHAR",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "varbinary": "BLOB",
    "binary": "BLOB",
}
_TEXTS = {"nvarchar": 0xE7, "nchar": 0xEF, "varchar": 0xA7, "char": 0xAF, "varbinary": 0xA5, "binary": 0xAD}
_SYNONYMS = {"integer": "int", "dec": "decimal", "sysname": "nvarchar(128)"}
# sys.types.user_type_id of the base types, which is also their system_type_id
TYPE_IDS: dict[str, int] = {
    "uniqueidentifier": 36,
    "date": 40,
    "time": 41,
    "datetime2": 42,
    "datetimeoffset": 43,
    "tinyint": 48,
    "smallint": 52,
    "int": 56,
    "smalldatetime": 58,
    "real": 59,
    "money": 60,
    "datetime": 61,
    "float": 62,
    "bit": 104,
    "decimal": 106,
    "numeric": 108,
    "smallmoney": 122,
    "bigint": 127,
    "varbinary": 165,
    "varchar": 167,
    "binary": 173,
    "char": 175,
    "nvarchar": 231,
    "nchar": 239,
}
MAX = -1


@dataclass(frozen=True)
class SqlType:
    """A declared type. `length` counts characters (bytes for binary), -1 is max; `scale` also for time types."""

    name: str
    length: int = 0
    precision: int = 0
    scale: int = 0

    @classmethod
    def parse(cls, declaration: str) -> Self:
        """`decimal(38,20)`, `nvarchar(max)`, `datetime2` … Raises ValueError for what is no supported type."""
        match = _DECLARATION.match(_SYNONYMS.get(declaration.strip().lower(), declaration))
        if match is None:
            raise ValueError(f"not a type: {declaration!r}")
        name = _SYNONYMS.get(match[1].lower(), match[1].lower())
        first, second = match[2], match[3]
        if name in ("decimal", "numeric"):
            precision, scale = int(first or 18), int(second or 0)
            if not 1 <= precision <= 38 or scale > precision:
                raise ValueError(f"not a type: {declaration!r}")
            return cls(name, precision=precision, scale=scale)
        if name in _TEXTS:
            length = MAX if first and first.lower() == "max" else int(first or 1)
            widest = 4000 if name in ("nvarchar", "nchar") else 8000
            if length == 0 or length > widest or (length == MAX and name in ("nchar", "char", "binary")):
                raise ValueError(f"not a type: {declaration!r}")
            return cls(name, length=length)
        if name in ("datetime2", "time", "datetimeoffset"):
            scale = int(first) if first is not None else 7
            if scale > 7:
                raise ValueError(f"not a type: {declaration!r}")
            return cls(name, scale=scale)
        if name == "float" and first is not None:
            return cls("real" if int(first) <= 24 else "float")
        if name not in _FIXED:
            raise ValueError(f"not a type: {declaration!r}")
        return cls(name)

    def __str__(self) -> str:
        if self.name in ("decimal", "numeric"):
            return f"{self.name}({self.precision},{self.scale})"
        if self.name in _TEXTS:
            return f"{self.name}({'max' if self.length == MAX else self.length})"
        if self.name in ("datetime2", "time", "datetimeoffset"):
            return f"{self.name}({self.scale})"
        return self.name

    @property
    def is_text(self) -> bool:
        """Characters, not bytes."""
        return self.name in ("nvarchar", "nchar", "varchar", "char")

    @property
    def is_binary(self) -> bool:
        """Bytes of varying number."""
        return self.name in ("varbinary", "binary")

    @property
    def is_integer(self) -> bool:
        """Whole numbers (bit is none)."""
        return self.name in ("bigint", "int", "smallint", "tinyint")

    @property
    def is_decimal(self) -> bool:
        """Exact numbers with a scale, money among them."""
        return self.name in ("decimal", "numeric", "money", "smallmoney")

    @property
    def is_float(self) -> bool:
        """Binary floating point."""
        return self.name in ("float", "real")

    @property
    def is_moment(self) -> bool:
        """Dates and date-times."""
        return self.name in ("date", "datetime", "datetime2", "smalldatetime", "datetimeoffset")

    @property
    def stored(self) -> str:
        """The DuckDB type that keeps the values."""
        if self.name in ("decimal", "numeric"):
            return f"DECIMAL({self.precision},{self.scale})"
        return _STORED[self.name]

    @property
    def decimal_digits(self) -> tuple[int, int]:
        """Precision and scale of an exact number."""
        return (self.precision, self.scale) if self.precision else _FIXED[self.name][1:]

    @cached_property
    def described(self) -> tuple[int, int, int]:
        """`max_length` in bytes, `precision` and `scale` as sys.columns shows them."""
        if self.name in ("decimal", "numeric"):
            return self.decimal_bytes, self.precision, self.scale
        if self.name in ("nvarchar", "nchar"):
            return (MAX if self.length == MAX else 2 * self.length), 0, 0
        if self.name in _TEXTS:
            return self.length, 0, 0
        if self.name == "time":
            return self.time_bytes, 8 if self.scale == 0 else 9 + self.scale, self.scale
        if self.name == "datetime2":
            return self.time_bytes + 3, 19 if self.scale == 0 else 20 + self.scale, self.scale
        if self.name == "datetimeoffset":
            return self.time_bytes + 5, 26 if self.scale == 0 else 27 + self.scale, self.scale
        return _FIXED[self.name]

    @property
    def decimal_bytes(self) -> int:
        """Bytes of a decimal on the line and in sys.columns, sign included."""
        return 5 if self.precision <= 9 else 9 if self.precision <= 19 else 13 if self.precision <= 28 else 17

    @property
    def time_bytes(self) -> int:
        """Bytes of the time part of time, datetime2 and datetimeoffset."""
        return 3 if self.scale <= 2 else 4 if self.scale <= 4 else 5

    @property
    def type_info(self) -> bytes:
        """TYPE_INFO of a result column; always the nullable form."""
        match self.name:
            case "bigint" | "int" | "smallint" | "tinyint":
                return bytes([0x26, _FIXED[self.name][0]])
            case "bit":
                return b"\x68\x01"
            case "decimal" | "numeric":
                kind = 0x6A if self.name == "decimal" else 0x6C
                return bytes([kind, self.decimal_bytes, self.precision, self.scale])
            case "money" | "smallmoney":
                return bytes([0x6E, _FIXED[self.name][0]])
            case "float" | "real":
                return bytes([0x6D, _FIXED[self.name][0]])
            case "datetime" | "smalldatetime":
                return bytes([0x6F, _FIXED[self.name][0]])
            case "date":
                return b"\x28"
            case "time":
                return bytes([0x29, self.scale])
            case "datetime2":
                return bytes([0x2A, self.scale])
            case "datetimeoffset":
                return bytes([0x2B, self.scale])
            case "uniqueidentifier":
                return b"\x24\x10"
            case _:
                size = 0xFFFF if self.length == MAX else self.described[0]
                return struct.pack("<BH", _TEXTS[self.name], size) + (COLLATION if self.is_text else b"")

    def wire_sql(self, expression: str) -> str:
        """The DuckDB expression whose Arrow values `encode` takes for this type."""
        if self.name == "uniqueidentifier":
            return f"unhex(replace(CAST({expression} AS VARCHAR), '-', ''))"
        return expression


@dataclass(frozen=True)
class ResultColumn:
    """A column of an answer; expressions have no name."""

    name: str
    type: SqlType


@dataclass(frozen=True)
class TableColumn:
    """A column as it was declared."""

    name: str
    type: SqlType
    nullable: bool = True

    @classmethod
    def declare(cls, name: str, declaration: str) -> Self:
        """From `int not null`, `nvarchar(60)`, `decimal(38,20) null`."""
        text = " ".join(declaration.split())
        lowered = text.lower()
        if lowered.endswith(" not null"):
            return cls(name, SqlType.parse(text[: -len(" not null")]), nullable=False)
        if lowered.endswith(" null"):
            text = text[: -len(" null")]
        return cls(name, SqlType.parse(text))
