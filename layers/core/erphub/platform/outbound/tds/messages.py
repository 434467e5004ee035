"""TDS as far as a guard has to know it: packets, PRELOGIN, the login's answer.

Source: [MS-TDS] 2.2.1 (packets), 2.2.6.5 (PRELOGIN), 2.2.7 (tokens of an answer). Everything here comes from a
stranger: each length is checked before it is used.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from erphub.platform.lexical import is_digits

HEADER_BYTES = 8
PACKET_BYTES = 4096
"""What packets may have until a login's answer says otherwise."""
SMALLEST_PACKET_BYTES, LARGEST_PACKET_BYTES = 512, 32_767
"""[MS-TDS] 2.2.3.1.3."""
MAX_LOGIN_BYTES = 128 * 1024
"""[MS-TDS] 2.2.6.4: a LOGIN7 message has at most 128 KB less one byte; answers to it are shorter still."""


TDS_8 = 0x08000000
"""The version that LOGIN7 names where TLS comes first, [MS-TDS] 2.2.6.4; all that follows is as in 7.4."""


class ProtocolError(Exception):
    """What came is no TDS, or not what may come at this point."""


class UnlimitedError(ProtocolError):
    """A column whose values have no limit, before a driver that is spared them."""


class PacketType(IntEnum):
    """The kinds of packets that a guard meets."""

    RESPONSE = 0x04
    LOGIN = 0x10
    SSPI = 0x11
    PRELOGIN = 0x12


class Encryption(IntEnum):
    """PRELOGIN's word on encryption, [MS-TDS] 2.2.6.5."""

    OFF = 0
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


@dataclass(frozen=True)
class ServerError:
    """An error as the server tells it. `severity` of 20 and more ends the connection."""

    number: int
    state: int
    severity: int
    message: str


@dataclass(frozen=True)
class Redirection:
    """Where a server wants its client to go instead: environment change 20, [MS-TDS] 2.2.7.9."""

    host: str
    port: int


@dataclass(frozen=True)
class LoginAnswer:
    """What a server answers to a login. One that is neither acknowledged nor an error wants another message (SSPI)."""

    acknowledged: bool
    errors: tuple[ServerError, ...]
    redirection: Redirection | None
    packet_bytes: int | None = None
    """The size of packets from here on, where the server says one."""


# --- packets ---------------------------------------------------------------------------------------------------------


def packets(kind: int, body: bytes, *, size: int = PACKET_BYTES) -> bytes:
    """A message cut into packets."""
    content_bytes = size - HEADER_BYTES
    parts = [body[at : at + content_bytes] for at in range(0, len(body), content_bytes)] or [b""]
    return b"".join(
        struct.pack(">BBHHBB", kind, number == len(parts), len(part) + HEADER_BYTES, 0, number & 0xFF, 0) + part
        for number, part in enumerate(parts, 1)
    )


def packet_head(head: bytes) -> tuple[int, bool, int]:
    """The kind of a packet, whether it is its message's last, and how many bytes follow its head."""
    kind, status, length = struct.unpack(">BBH", head[:4])
    if length < HEADER_BYTES:
        raise ProtocolError("a packet that is shorter than its head")
    return kind, bool(status & 1), length - HEADER_BYTES


# --- PRELOGIN --------------------------------------------------------------------------------------------------------

_ENCRYPTION_OPTION, _END = 1, 0xFF


def prelogin(encryption: Encryption) -> bytes:
    """The hub's own PRELOGIN: version 15, this encryption, no instance, no thread, no MARS."""
    options = ((0, b"\x0f\x00\x00\x00\x00\x00"), (1, bytes([encryption])), (2, b"\0"), (3, bytes(4)), (4, b"\0"))
    head, values, at = b"", b"", 5 * len(options) + 1
    for token, value in options:
        head += struct.pack(">BHH", token, at, len(value))
        values += value
        at += len(value)
    return head + bytes([_END]) + values


def offered_encryption(answer: bytes) -> int:
    """What an answer to PRELOGIN says about encryption. Raises ProtocolError."""
    return answer[_where_encryption_stands(answer)]


def with_encryption(answer: bytes, encryption: Encryption) -> bytes:
    """The same PRELOGIN with another word on encryption. Raises ProtocolError."""
    changed = bytearray(answer)
    changed[_where_encryption_stands(answer)] = encryption
    return bytes(changed)


def _where_encryption_stands(answer: bytes) -> int:
    at = 0
    while at + 5 <= len(answer) and answer[at] != _END:
        token, offset, length = struct.unpack_from(">BHH", answer, at)
        if token == _ENCRYPTION_OPTION and length and offset < len(answer):
            return offset
        at += 5
    raise ProtocolError("PRELOGIN says nothing about encryption")


# --- the login's answer ----------------------------------------------------------------------------------------------

_ERROR, _INFO, _LOGIN_ACK, _FEATURES, _CHANGE, _SSPI = 0xAA, 0xAB, 0xAD, 0xAE, 0xE3, 0xED
_SESSION_STATE = 0xE4
_WITH_LENGTH = frozenset({_ERROR, _INFO, _LOGIN_ACK, _CHANGE, _SSPI})
_DONE = frozenset({0xFD, 0xFE, 0xFF})
_DONE_BYTES = 13
_PACKET_SIZE, _ROUTING = 4, 20
_VERSION_ENDS_AT = 5


def read_login_answer(body: bytes) -> LoginAnswer:
    """What an answer to a login says. Raises ProtocolError for what may not stand in one."""
    errors: list[ServerError] = []
    redirection: Redirection | None = None
    packet_bytes: int | None = None
    acknowledged = False
    try:
        for token, value in _tokens(body):
            if token == _ERROR:
                errors.append(_error(value))
            elif token == _LOGIN_ACK:
                acknowledged = True
            elif token == _CHANGE and value[:1] == bytes([_ROUTING]):
                redirection = _redirection(value)
            elif token == _CHANGE and value[:1] == bytes([_PACKET_SIZE]):
                packet_bytes = _packet_bytes(value)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ProtocolError("the login's answer ends in the middle of a token") from error
    return LoginAnswer(acknowledged, tuple(errors), redirection, packet_bytes)


def without_redirection(body: bytes) -> bytes:
    """The same answer without its order to go elsewhere, so that no driver follows it by itself."""
    kept, at = b"", 0
    for token, value, end in _tokens_with_ends(body):
        if not (token == _CHANGE and value[:1] == bytes([_ROUTING])):
            kept += body[at:end]
        at = end
    return kept


def with_version(body: bytes, version: int) -> bytes:
    """The same answer to a client that speaks this version of TDS."""
    changed, at = bytearray(body), 0
    for token, value, end in _tokens_with_ends(body):
        if token == _LOGIN_ACK and len(value) >= _VERSION_ENDS_AT:
            struct.pack_into(">I", changed, at + 4, version)  # behind token, length and interface
        at = end
    return bytes(changed)


def _tokens(body: bytes) -> Iterator[tuple[int, bytes]]:
    return ((token, value) for token, value, _ in _tokens_with_ends(body))


def _tokens_with_ends(body: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Each token with what it carries, and where it ends."""
    at = 0
    while at < len(body):
        token = body[at]
        if token in _WITH_LENGTH:
            (length,) = struct.unpack_from("<H", body, at + 1)
            value, at = body[at + 3 : at + 3 + length], at + 3 + length
            if at > len(body):
                raise ProtocolError("the login's answer ends in the middle of a token")
        elif token == _SESSION_STATE:
            (length,) = struct.unpack_from("<I", body, at + 1)
            value, at = body[at + 5 : at + 5 + length], at + 5 + length
            if at > len(body):
                raise ProtocolError("the login's answer ends in the middle of a token")
        elif token in _DONE:
            value, at = body[at + 1 : at + _DONE_BYTES], at + _DONE_BYTES
        elif token == _FEATURES:
            end = end_of_features(body, at + 1)
            value, at = body[at + 1 : end], end
        else:
            raise ProtocolError(f"token 0x{token:02x} has no place in a login's answer")
        yield token, value, at


def end_of_features(body: bytes, at: int) -> int:
    """Where a list of features ends that begins at `at`. Raises struct.error, IndexError when it does not end."""
    while body[at] != _END:
        at += 5 + struct.unpack_from("<I", body, at + 1)[0]
    return at + 1


def _error(value: bytes) -> ServerError:
    number, state, severity, length = struct.unpack_from("<iBBH", value)
    return ServerError(number, state, severity, value[8 : 8 + 2 * length].decode("utf-16-le", "replace"))


def _redirection(value: bytes) -> Redirection:
    protocol, port, length = struct.unpack_from("<BHH", value, 3)
    host = value[8 : 8 + 2 * length].decode("utf-16-le")
    if protocol != 0 or not port or not host or len(host) != length:
        raise ProtocolError("an order to go elsewhere that names no TCP port")
    return Redirection(host, port)


def _packet_bytes(value: bytes) -> int:
    said = value[2 : 2 + 2 * value[1]].decode("utf-16-le")
    if not is_digits(said) or not SMALLEST_PACKET_BYTES <= int(said) <= LARGEST_PACKET_BYTES:
        raise ProtocolError("a size of packets that there is not")
    return int(said)
