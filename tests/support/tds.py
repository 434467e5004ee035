"""A SQL Server that says exactly the bytes that a test gives it, also such as no SQL Server would say.

It speaks TDS 7.4 with TLS inside PRELOGIN, lets everybody in, and answers every statement with the steps of its script:

* `bytes` go out in packets of their answer, which goes on; `Whole` ends it;
* `Raw` goes out as it is, beside all packets;
* `Endless` goes out again and again, until whoever listens has enough;
* `Drip` goes out a byte at a time;
* `Step.CUT` hangs up, `Step.RESET` as a broken network does, `Step.SILENCE` says nothing more, and `Step.DEAFNESS` does
  not even read.
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto

from local.sqlserver.channel import Channel
from local.sqlserver.errors import ConnectionLost, SqlError
from local.sqlserver.tunnel import certificate
from local.sqlserver.wire import (
    COLLATION,
    Encryption,
    Message,
    Packet,
    change_token,
    done_token,
    login7,
    login_token,
    message_token,
    prelogin_reply,
    short_text,
)

DRIP_SECONDS = 0.05
DONE = done_token(0)


class Step(Enum):
    """What a server does instead of speaking."""

    CUT = auto()
    RESET = auto()
    SILENCE = auto()
    DEAFNESS = auto()


@dataclass(frozen=True)
class Whole:
    """Tokens with which a message is complete."""

    tokens: bytes = b""


@dataclass(frozen=True)
class Raw:
    """Bytes that are in no packet."""

    data: bytes


@dataclass(frozen=True)
class Endless:
    """Bytes in no packet, without end."""

    data: bytes


@dataclass(frozen=True)
class Drip:
    """Bytes in no packet, one by one."""

    data: bytes


type Steps = Sequence[bytes | Whole | Raw | Endless | Drip | Step]


def columns(*infos: bytes) -> bytes:
    """COLMETADATA of nullable columns, each by its type as it is sent ([MS-TDS] 2.2.7.4)."""
    described = [struct.pack("<IH", 0, 9) + info + short_text(f"c{at}") for at, info in enumerate(infos)]
    return struct.pack("<BH", 0x81, len(infos)) + b"".join(described)


def row(*values: bytes) -> bytes:
    """ROW, its values as they are sent."""
    return b"\xd1" + b"".join(values)


def error(number: int, text: str = "Something is wrong.", *, severity: int = 16, state: int = 1) -> bytes:
    """ERROR, followed by a DONE that says so."""
    return message_token(SqlError(number, text, severity, state), "TINY") + done_token(2)


def packet_head(length: int, *, kind: int = Packet.RESPONSE, is_last: bool = False) -> bytes:
    """The head of a packet that claims a length."""
    return struct.pack(">BBHHBB", kind, is_last, length, 51, 1, 0)


def welcome(*, version: int = 0x74000004, packet_bytes: str = "4096", more: bytes = b"") -> bytes:
    """The answer to a login that is taken."""
    return (
        change_token(1, short_text("master"), short_text("master"))
        + change_token(7, bytes([5]) + COLLATION, b"\0")
        + login_token(version)
        + change_token(4, short_text(packet_bytes), short_text("4096"))
        + more
        + DONE
    )


NOTHING: Steps = (Whole(DONE),)
WELCOME: Steps = (Whole(welcome()),)


@dataclass
class TinyServer:
    """One that stands at `port` until it is stopped."""

    answer: Steps = NOTHING
    """To every statement that is not the driver's own beginning (SET …)."""
    login: Steps = WELCOME
    prelogin: Steps | None = None
    """Instead of PRELOGIN's answer and TLS."""
    handshake: Steps | None = None
    """Instead of TLS."""
    strict: bool = False
    """TLS comes first, as in TDS 8."""
    heard: list[Message] = field(default_factory=list)
    _tls: ssl.SSLContext = field(default_factory=lambda: certificate().context())
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _lines: list[socket.socket] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    @property
    def logins(self) -> list[str]:
        """The applications that signed in."""
        return [login7(one.body).application for one in self.heard if one.kind == Packet.LOGIN7]

    def serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return  # stopped
            self._lines.append(line)
            thread = threading.Thread(target=self._serve, args=(line,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for one in (self._listener, *self._lines):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _serve(self, line: socket.socket) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel = Channel(line, 51)
        with line, contextlib.suppress(ConnectionLost, OSError, ssl.SSLError):
            if self.strict:
                self._tls.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
                self._tls.set_alpn_protocols(["tds/8.0"])
                channel.start_with_tls(self._tls)
            self.heard.append(channel.read())
            if self.prelogin is not None:
                self._say(channel, self.prelogin)
            else:
                self._say(channel, [Whole(prelogin_reply(Encryption.ON))])
                if self.handshake is not None:
                    self.heard.append(channel.read())
                    self._say(channel, self.handshake)
                elif not self.strict:
                    channel.start_tls(self._tls)
            self.heard.append(channel.read())
            self._say(channel, self.login)
            while True:
                asked = channel.read()
                self.heard.append(asked)
                self._say(channel, [Whole(DONE)] if _is_beginning(asked) else self.answer)

    def _say(self, channel: Channel, steps: Steps) -> None:
        reply = channel.reply()
        for step in steps:
            match step:
                case bytes():
                    reply.add(step)
                    reply.force()
                case Whole():
                    reply.add(step.tokens)
                    reply.finish()
                    reply = channel.reply()
                case Raw():
                    channel.send(step.data)
                case Endless():
                    while not self._stopped.is_set():
                        channel.send(step.data)
                case Drip():
                    for at in range(len(step.data)):
                        channel.send(step.data[at : at + 1])
                        self._stopped.wait(DRIP_SECONDS)
                case Step.CUT | Step.RESET:
                    channel.close(abruptly=step is Step.RESET)
                    raise ConnectionLost("as told")
                case Step.SILENCE:
                    while True:
                        self.heard.append(channel.read())
                case Step.DEAFNESS:
                    self._stopped.wait()


def _is_beginning(asked: Message) -> bool:
    """Whether it is what a driver says of itself when it has signed in."""
    if asked.kind != Packet.SQL_BATCH:
        return True
    (head_bytes,) = struct.unpack_from("<I", asked.body)
    return asked.body[head_bytes:].decode("utf-16-le", "replace").lstrip().startswith("SET ")


@contextmanager
def tiny_server(
    *,
    answer: Steps = NOTHING,
    login: Steps = WELCOME,
    prelogin: Steps | None = None,
    handshake: Steps | None = None,
    strict: bool = False,
) -> Iterator[TinyServer]:
    """One for the length of a test."""
    server = TinyServer(answer, login, prelogin, handshake, strict)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.stop()
