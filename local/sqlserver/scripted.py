"""A SQL Server that says chosen bytes, for what the stand-in would never say: every type in every form, and nonsense.

It speaks plain TDS on loopback, lets everybody in, and answers each batch with what its script has for it.
"""

import socket
import struct
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from local.sqlserver.wire import (
    Done,
    Encryption,
    Packet,
    change_token,
    done_token,
    login_token,
    prelogin_reply,
    short_text,
    without_headers,
)

type Script = Callable[[str], bytes]
"""The tokens that answer a text."""
PACKET_BYTES = 4096
COLLATION = bytes.fromhex("0904D00034")
"""SQL_Latin1_General_CP1_CI_AS; `mssql-odbc` signs in to no server that does not say its own."""
TDS_7_4 = 0x74000004
_HEADER = struct.Struct(">BBHHBB")
_NULLABLE = 0x0009


class Scripted:
    """The server, from `with` to its end; each connection has a thread."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, name="scripted-tds", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # the listener was closed
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with client:
            while (message := _message(client)) is not None:
                kind, body = message
                client.sendall(_packets(self._answer(kind, body)))

    def _answer(self, kind: int, body: bytes) -> bytes:
        match kind:
            case Packet.PRELOGIN:
                return prelogin_reply(Encryption.NOT_SUPPORTED)
            case Packet.SQL_BATCH:
                return self._script(without_headers(body).decode("utf-16-le"))
            case Packet.ATTENTION:
                return done_token(Done.ATTENTION)
            case Packet.TRANSACTION | Packet.RPC:
                return done_token(Done.FINAL)
            case _:
                size = short_text(str(PACKET_BYTES))
                changes = change_token(1, short_text("master"), short_text("master"))
                changes += change_token(7, bytes([len(COLLATION)]) + COLLATION, b"\0") + change_token(4, size, size)
                return changes + login_token(TDS_7_4) + done_token(Done.FINAL)


def _message(client: socket.socket) -> tuple[int, bytes] | None:
    body = b""
    while True:
        head = _exactly(client, _HEADER.size)
        if head is None:
            return None
        kind, status, length, _, _, _ = _HEADER.unpack(head)
        part = _exactly(client, length - _HEADER.size)
        if part is None:
            return None
        body += part
        if status & 1:
            return kind, body


def _exactly(client: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        try:
            more = client.recv(size - len(data))
        except OSError:
            return None
        if not more:
            return None
        data += more
    return data


def _packets(body: bytes) -> bytes:
    payload_size = PACKET_BYTES - _HEADER.size
    parts = [body[at : at + payload_size] for at in range(0, len(body), payload_size)] or [b""]
    return b"".join(
        _HEADER.pack(Packet.RESPONSE, place == len(parts) - 1, len(part) + _HEADER.size, 51, place % 255 + 1, 0) + part
        for place, part in enumerate(parts)
    )


def answer(name: str, type_info: bytes, values: Sequence[bytes], flags: int = _NULLABLE) -> bytes:
    """One column and its rows, as COLMETADATA, ROW and DONE tokens. [MS-TDS] 2.2.7.4, 2.2.7.19."""
    metadata = struct.pack("<BHIH", 0x81, 1, 0, flags) + type_info + short_text(name)
    rows = b"".join(b"\xd1" + value for value in values)
    return metadata + rows + done_token(Done.COUNT, len(values))
