"""LOGIN7 as a guard changes it: [MS-TDS] 2.2.6.4.

What a driver sends is taken apart and laid out anew, in the order of the specification, so that nothing that was
replaced is still somewhere in the message. Nothing here is ever logged: a password in LOGIN7 is hidden from no one.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from erphub.platform.outbound.tds.messages import (
    LARGEST_PACKET_BYTES,
    MAX_LOGIN_BYTES,
    PACKET_BYTES,
    ProtocolError,
    end_of_features,
)

_FIXED_BYTES = 94
_OPTIONS_AT, _HAS_EXTENSION = 27, 0x10
_VERSION_AT, _PACKET_BYTES_AT = 4, 8
_LONG_SSPI_AT = 90


class Field(Enum):
    """A field of variable length: where its offset and length stand, and how many bytes its length counts in."""

    HOST = (36, 2)
    USER = (40, 2)
    PASSWORD = (44, 2)
    APPLICATION = (48, 2)
    SERVER = (52, 2)
    EXTENSION = (56, 1)
    LIBRARY = (60, 2)
    LANGUAGE = (64, 2)
    DATABASE = (68, 2)
    SSPI = (78, 1)
    FILE = (82, 2)
    NEW_PASSWORD = (86, 2)


@dataclass(frozen=True)
class Login:
    """A login, apart. The fields hold bytes as they are sent."""

    _fixed: bytes = field(repr=False)
    _values: Mapping[Field, bytes] = field(repr=False)
    _features: bytes = field(repr=False)

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Take a message apart. Raises ProtocolError."""
        if not _FIXED_BYTES <= len(body) <= MAX_LOGIN_BYTES or struct.unpack_from("<I", body)[0] != len(body):
            raise ProtocolError("a login that is not as long as it says")
        values = {one: _value(body, one) for one in Field}
        features = b""
        if body[_OPTIONS_AT] & _HAS_EXTENSION:
            if len(values[Field.EXTENSION]) != 4:
                raise ProtocolError("a login whose extension is nowhere")
            (at,) = struct.unpack("<I", values[Field.EXTENSION])
            if at < _FIXED_BYTES:
                raise ProtocolError("a login whose extension is nowhere")
            try:
                features = body[at : end_of_features(body, at)]
            except (struct.error, IndexError) as error:
                raise ProtocolError("a login whose extension has no end") from error
        return cls(body[:_FIXED_BYTES], values, features)

    def text(self, of: Field) -> str:
        """What a field says."""
        value = self._values[of]
        if of in (Field.PASSWORD, Field.NEW_PASSWORD):
            value = _shown(value)
        return value.decode("utf-16-le", "replace")

    @property
    def is_windows(self) -> bool:
        """Whether Windows vouches for the user, and no password is sent."""
        return bool(self._values[Field.SSPI])

    @property
    def version(self) -> int:
        """The version of TDS that the driver speaks, such as 0x74000004."""
        return int(struct.unpack_from("<I", self._fixed, _VERSION_AT)[0])

    def with_version(self, version: int) -> "Login":
        """The same login for another version of TDS."""
        fixed = bytearray(self._fixed)
        struct.pack_into("<I", fixed, _VERSION_AT, version)
        return Login(bytes(fixed), self._values, self._features)

    @property
    def most_packet_bytes(self) -> int:
        """The longest packet that the driver is prepared for, where the server says nothing about it."""
        (asked,) = struct.unpack_from("<I", self._fixed, _PACKET_BYTES_AT)
        return min(max(asked, PACKET_BYTES), LARGEST_PACKET_BYTES)

    def with_texts(self, texts: Mapping[Field, str]) -> "Login":
        """The same login with other words in these fields."""
        new = {
            one: _hidden(text.encode("utf-16-le")) if one is Field.PASSWORD else text.encode("utf-16-le")
            for one, text in texts.items()
        }
        return Login(self._fixed, {**self._values, **new}, self._features)

    def message(self) -> bytes:
        """The whole message. Raises ProtocolError for one that is longer than a login can be."""
        fixed, values = bytearray(self._fixed), b""
        for one in Field:
            value, (at, unit) = self._values[one], one.value
            if one is Field.EXTENSION and self._features:
                value = bytes(4)  # written below, when it is known where the features begin
            length = min(len(value) // unit, 0xFFFF)
            start = _FIXED_BYTES + len(values)
            if start + len(value) > MAX_LOGIN_BYTES or (start > 0xFFFF and value):
                raise ProtocolError("a login that is too long")
            struct.pack_into("<HH", fixed, at, min(start, 0xFFFF), length)
            values += value
        if len(self._values[Field.SSPI]) >= 0xFFFF:
            struct.pack_into("<I", fixed, _LONG_SSPI_AT, len(self._values[Field.SSPI]))
        whole = fixed + values + self._features
        if len(whole) > MAX_LOGIN_BYTES:
            raise ProtocolError("a login that is too long")
        if self._features:
            (at,) = struct.unpack_from("<H", fixed, Field.EXTENSION.value[0])
            struct.pack_into("<I", whole, at, len(fixed) + len(values))
        struct.pack_into("<I", whole, 0, len(whole))
        return bytes(whole)


def _value(body: bytes, of: Field) -> bytes:
    at, unit = of.value
    start, length = struct.unpack_from("<HH", body, at)
    size = length * unit
    if of is Field.SSPI and length == 0xFFFF:
        size = struct.unpack_from("<I", body, _LONG_SSPI_AT)[0] or size
    if size and not _FIXED_BYTES <= start <= start + size <= len(body):
        raise ProtocolError("a login with a field outside")
    return body[start : start + size] if size else b""


def _hidden(value: bytes) -> bytes:
    """As a password is sent: the halves of each byte swapped, then 0xA5 upon it."""
    return bytes(((byte << 4 | byte >> 4) & 0xFF) ^ 0xA5 for byte in value)


def _shown(value: bytes) -> bytes:
    return bytes(((byte ^ 0xA5) << 4 | (byte ^ 0xA5) >> 4) & 0xFF for byte in value)
