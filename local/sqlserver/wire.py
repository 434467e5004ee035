"""How a SQL Server speaks on the line: packets, and the tokens a reply is made of (TDS 7.3 and 7.4).

Field layouts follow Microsoft's [MS-TDS]. Nothing here knows what is being said.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np

from local.sqlserver.errors import ConnectionLost, SqlError

SERVER_VERSION = (15, 0, 2000)
VERSION_TEXT = "15.0.2000.5"
PROGRAM = "Microsoft SQL Server"
# Collation SQL_Latin1_General_CP1_CI_AS: code page 1252, case does not matter, accents do.
COLLATION = bytes.fromhex("0904D00034")
HEADER = 8


class Packet(IntEnum):
    """What a message is (first byte of each of its packets)."""

    SQL_BATCH = 1
    RPC = 3
    RESPONSE = 4
    ATTENTION = 6
    BULK = 7
    TRANSACTION = 14
    LOGIN7 = 16
    SSPI = 17
    PRELOGIN = 18


class Done(IntFlag):
    """Status bits of a DONE token."""

    FINAL = 0
    MORE = 1
    ERROR = 2
    IN_TRANSACTION = 4
    COUNT = 0x10
    ATTENTION = 0x20
    SERVER_ERROR = 0x100


class Encryption(IntEnum):
    """The ENCRYPTION option of PRELOGIN."""

    OFF = 0
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


@dataclass(frozen=True)
class Message:
    """A whole request: its kind, whether the session is to be reset first, and its bytes."""

    kind: int
    reset: bool
    body: bytes


def packets(payload: bytes | memoryview, size: int, session: int, first: int, last: bool) -> tuple[bytes, int]:
    """The payload cut into RESPONSE packets of `size` bytes; `last` marks the final one. Returns them and the next id.

    Cutting is one numpy reshape: a reply of a million rows is some fifty thousand packets.
    """
    payload_size = size - HEADER
    whole = len(payload) // payload_size
    if last and whole and len(payload) == whole * payload_size:
        whole -= 1
    out = np.empty((whole, size), dtype=np.uint8)
    out[:, 0] = Packet.RESPONSE
    out[:, 1] = 0
    out[:, 2:4] = np.frombuffer(struct.pack(">H", size), dtype=np.uint8)
    out[:, 4:6] = np.frombuffer(struct.pack(">H", session), dtype=np.uint8)
    out[:, 6] = (first + np.arange(whole)) & 0xFF
    out[:, 7] = 0
    out[:, HEADER:] = np.frombuffer(payload, dtype=np.uint8, count=whole * payload_size).reshape(whole, payload_size)
    data = out.tobytes()
    rest = bytes(payload[whole * payload_size :])
    number = (first + whole) & 0xFF
    if last:
        data += struct.pack(">BBHHBB", Packet.RESPONSE, 1, HEADER + len(rest), session, number, 0) + rest
        return data, (number + 1) & 0xFF
    if rest:
        raise ValueError("only the last packet of a message may be short")
    return data, number


def short_text(text: str) -> bytes:
    """B_VARCHAR: one byte of length in characters, then UTF-16."""
    data = text.encode("utf-16-le")
    if len(data) // 2 > 255:
        data = data[:510]
    return bytes([len(data) // 2]) + data


def long_text(text: str) -> bytes:
    """US_VARCHAR: two bytes of length in characters, then UTF-16."""
    data = text.encode("utf-16-le")
    return struct.pack("<H", len(data) // 2) + data


def message_token(error: SqlError, server: str, *, information: bool = False) -> bytes:
    """ERROR (0xAA) or INFO (0xAB)."""
    body = struct.pack("<iBB", error.number, error.state, error.severity)
    body += long_text(error.text[:2000]) + short_text(server) + short_text("") + struct.pack("<i", 1)
    return struct.pack("<BH", 0xAB if information else 0xAA, len(body)) + body


def done_token(status: int, rows: int = 0, command: int = 0xC1, kind: int = 0xFD) -> bytes:
    """DONE (0xFD), DONEPROC (0xFE) or DONEINPROC (0xFF)."""
    return struct.pack("<BHHQ", kind, status, command, rows)


def change_token(kind: int, new: bytes, old: bytes) -> bytes:
    """ENVCHANGE: what changed (database 1, packet size 4, collation 7, transactions 8-10), new and old value."""
    body = bytes([kind]) + new + old
    return struct.pack("<BH", 0xE3, len(body)) + body


def login_token(version: int) -> bytes:
    """LOGINACK with the TDS version that was agreed."""
    major, minor, build = SERVER_VERSION
    body = b"\x01" + struct.pack(">I", version) + short_text(PROGRAM) + struct.pack(">BBH", major, minor, build)
    return struct.pack("<BH", 0xAD, len(body)) + body


def sspi_token(data: bytes) -> bytes:
    """SSPI: the server's turn in a Windows login."""
    return struct.pack("<BH", 0xED, len(data)) + data


def prelogin_reply(encryption: Encryption) -> bytes:
    """The server's PRELOGIN. MARS must be answered: without it FreeTDS falls back to TDS 7.1."""
    major, minor, build = SERVER_VERSION
    options = [
        (0, struct.pack(">BBHH", major, minor, build, 0)),
        (1, bytes([encryption])),
        (2, b"\x00"),
        (3, b""),
        (4, b"\x00"),
    ]
    offset = 5 * len(options) + 1
    head, data = b"", b""
    for token, value in options:
        head += struct.pack(">BHH", token, offset + len(data), len(value))
        data += value
    return head + b"\xff" + data


def prelogin_options(body: bytes) -> dict[int, bytes]:
    """The options of a client's PRELOGIN; raises ConnectionLost when it is none."""
    options: dict[int, bytes] = {}
    position = 0
    try:
        while body[position] != 0xFF:
            token, offset, length = struct.unpack_from(">BHH", body, position)
            options[token] = body[offset : offset + length]
            position += 5
    except (IndexError, struct.error) as error:
        raise ConnectionLost("the first packet is no PRELOGIN") from error
    return options


@dataclass(frozen=True)
class Login7:
    """What a client says about itself when it signs in."""

    version: int
    packet_size: int
    user: str
    password: str
    application: str
    server: str
    database: str
    integrated: bool
    sspi: bytes


def login7(body: bytes) -> Login7:
    """Read a LOGIN7 request; raises ConnectionLost when it is cut short."""
    try:
        version, packet_size = struct.unpack_from("<II", body, 4)
        integrated = bool(body[25] & 0x80)

        def text(index: int) -> str:
            offset, length = struct.unpack_from("<HH", body, 36 + 4 * index)
            return body[offset : offset + 2 * length].decode("utf-16-le", "replace")

        offset, length = struct.unpack_from("<HH", body, 36 + 8)
        hidden = body[offset : offset + 2 * length]
        plain = bytes((((byte ^ 0xA5) << 4) & 0xF0) | ((byte ^ 0xA5) >> 4) for byte in hidden)
        # HostName, UserName, Password, AppName, ServerName, Extension, CltIntName, Language, Database, then SSPI
        sspi_offset, sspi_length = struct.unpack_from("<HH", body, 36 + 4 * 9 + 6)
        return Login7(
            version=version,
            packet_size=packet_size,
            user=text(1),
            password=plain.decode("utf-16-le", "replace"),
            application=text(3),
            server=text(4),
            database=text(8),
            integrated=integrated,
            sspi=body[sspi_offset : sspi_offset + sspi_length],
        )
    except (IndexError, struct.error) as error:
        raise ConnectionLost("the LOGIN7 packet is cut short") from error


def without_headers(body: bytes) -> bytes:
    """The request behind its ALL_HEADERS block (TDS 7.2 and later)."""
    (length,) = struct.unpack_from("<I", body, 0)
    return body[length:]
