"""A TCP connection to a SQL Server with the TLS session inside: every wait on it has an end in wall-clock time.

TDS 7 begins with PRELOGIN in the clear and makes the TLS session inside PRELOGIN packets; TDS 8 ("strict") begins with
TLS. Both end here: a channel is encrypted, and PRELOGIN has been answered. Source: [MS-TDS] 3.2.5.1, 3.2.5.2.
"""

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Self

from erphub.platform.outbound.deadlines import Deadline
from erphub.platform.outbound.tds.messages import (
    HEADER_BYTES,
    MAX_LOGIN_BYTES,
    Encryption,
    PacketType,
    ProtocolError,
    offered_encryption,
    packet_head,
    packets,
    prelogin,
)

type Dial = Callable[[], socket.socket]
"""Opens a TCP connection to an address that was judged. Raises OSError."""

STRICT_PROTOCOL = "tds/8.0"
READ_BYTES = 256 * 1024
_POLL_SECONDS = 0.5
_RECORD_BYTES = 16 * 1024
"""The most that a record of TLS holds, and so what one read gives."""


class NotEncryptedError(Exception):
    """The server offers no encryption."""


class StrictlyRefusedError(Exception):
    """The server took TLS first, as TDS 8 does, and then hung up."""


@dataclass
class Channel:
    """An encrypted connection. One thread sends, one receives, any may close."""

    tcp: socket.socket
    deadline: Deadline
    """Until when whoever receives waits; replaced from one exchange to the next."""
    prelogin_answer: bytes = b""
    is_strict: bool = False
    certificate: bytes = b""
    """What the server showed, as DER."""
    _incoming: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    _outgoing: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    _session: ssl.SSLObject | None = None
    _session_lock: threading.Lock = field(default_factory=threading.Lock)
    _sending: threading.Lock = field(default_factory=threading.Lock)
    _unread: bytearray = field(default_factory=bytearray)

    @classmethod
    def open(cls, dial: Dial, context: ssl.SSLContext, name: str | None, deadline: Deadline) -> Self:
        """Dial, agree on encryption as TDS 7 does, make the TLS session; `name` is whom the certificate must be for.

        Raises OSError and TimeoutError, EOFError when the server hangs up, ProtocolError, NotEncryptedError,
        ssl.SSLError.
        """
        with _closed_on_failure(cls(dial(), deadline)) as channel:
            channel._send_plainly(packets(PacketType.PRELOGIN, prelogin(Encryption.ON)))
            channel.prelogin_answer = channel._receive_prelogin()
            if offered_encryption(channel.prelogin_answer) == Encryption.NOT_SUPPORTED:
                raise NotEncryptedError
            channel._session = context.wrap_bio(channel._incoming, channel._outgoing, server_hostname=name)
            channel._shake_hands(inside_packets=True)
        return channel

    @classmethod
    def open_strictly(cls, dial: Dial, context: ssl.SSLContext, name: str | None, deadline: Deadline) -> Self:
        """Dial, make the TLS session at once as TDS 8 does, then say PRELOGIN.

        Raises as `open`, and StrictlyRefusedError when TLS for TDS 8 was agreed on and then nothing came.
        """
        with _closed_on_failure(cls(dial(), deadline, is_strict=True)) as channel:
            channel._session = context.wrap_bio(channel._incoming, channel._outgoing, server_hostname=name)
            channel._shake_hands(inside_packets=False)
            try:
                channel.send(packets(PacketType.PRELOGIN, prelogin(Encryption.ON)))
                kind, channel.prelogin_answer = channel.receive_message()
                if kind != PacketType.RESPONSE:
                    raise ProtocolError("the answer to PRELOGIN is of another kind")
            except (OSError, EOFError, ProtocolError) as error:
                if channel._session.selected_alpn_protocol() != STRICT_PROTOCOL:
                    raise ProtocolError("whoever speaks TLS here does not speak TDS") from error
                raise StrictlyRefusedError from error
        return channel

    def send(self, data: bytes) -> None:
        """Encrypt and send. Raises TimeoutError at the deadline, OSError, ssl.SSLError."""
        session = self._encrypted()
        with self._sending:
            with self._session_lock:
                session.write(data)
                sealed = self._outgoing.read()
            self._send_plainly(sealed)

    def receive(self) -> bytes:
        """Some bytes, decrypted; none when the server hung up. Raises TimeoutError at the deadline, OSError."""
        if self._unread:
            data = bytes(self._unread)
            self._unread.clear()
            return data
        session = self._encrypted()
        while True:
            parts: list[bytes] = []
            with self._session_lock, contextlib.suppress(ssl.SSLWantReadError):
                while part := session.read(_RECORD_BYTES):
                    parts.append(part)
            if self._outgoing.pending:  # TLS 1.3 answers a change of keys
                with self._sending, self._session_lock:
                    self._send_plainly(self._outgoing.read())
            if parts:
                return b"".join(parts)
            sealed = self._receive_plainly(READ_BYTES)
            if not sealed:
                return b""
            self._incoming.write(sealed)

    def receive_message(self) -> tuple[int, bytes]:
        """One whole message: its kind and what it carries. Raises ProtocolError for one that is longer than a login's
        answer can be, EOFError, and as `receive`.
        """
        body = b""
        while True:
            kind, is_last, length = packet_head(self._exactly(HEADER_BYTES))
            body += self._exactly(length)
            if len(body) > MAX_LOGIN_BYTES:
                raise ProtocolError("an answer without end")
            if is_last:
                return kind, body

    def cut(self) -> None:
        """Hang up, from any thread: whoever waits for the server or sends to it is woken."""
        with contextlib.suppress(OSError):
            self.tcp.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up and give the socket back; nobody may be using it any more. Twice is fine."""
        self.cut()
        self.tcp.close()

    # --- before and below the session --------------------------------------------------------------------------------

    def _shake_hands(self, *, inside_packets: bool) -> None:
        session = self._encrypted()
        while True:
            try:
                session.do_handshake()
            except ssl.SSLWantReadError:
                self._send_handshake(inside_packets)
                if inside_packets:
                    self._incoming.write(self._receive_prelogin())
                    continue
                sealed = self._receive_plainly(READ_BYTES)
                if not sealed:
                    raise EOFError("the server hung up") from None
                self._incoming.write(sealed)
            else:
                break
        self._send_handshake(inside_packets)
        self.certificate = session.getpeercert(binary_form=True) or b""
        if not self.certificate:
            raise ProtocolError("the server showed no certificate")

    def _send_handshake(self, inside_packets: bool) -> None:
        if self._outgoing.pending:
            sealed = self._outgoing.read()
            self._send_plainly(packets(PacketType.PRELOGIN, sealed) if inside_packets else sealed)

    def _receive_prelogin(self) -> bytes:
        kind, _, length = packet_head(self._plain_exactly(HEADER_BYTES))
        if kind not in (PacketType.RESPONSE, PacketType.PRELOGIN):
            raise ProtocolError("the answer to PRELOGIN is of another kind")
        return self._plain_exactly(length)

    def _send_plainly(self, data: bytes) -> None:
        """Raises TimeoutError at the deadline, however small a window the server leaves."""
        rest = memoryview(data)
        while rest:
            self._wait_for(select.POLLOUT)
            with contextlib.suppress(BlockingIOError):
                rest = rest[self.tcp.send(rest, socket.MSG_DONTWAIT) :]

    def _receive_plainly(self, most: int) -> bytes:
        """Some bytes as they come; none when the server hung up. Raises TimeoutError at the deadline."""
        self._wait_for(select.POLLIN)
        return self.tcp.recv(most)

    def _wait_for(self, event: int) -> None:
        """By polling, as a time-out of the socket would be one for both directions; and shortly, as the deadline may be
        moved meanwhile.
        """
        poll = select.poll()
        poll.register(self.tcp, event)
        while not poll.poll(1000 * min(self.deadline.require(), _POLL_SECONDS)):
            pass

    def _plain_exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._receive_plainly(size - len(data))
            if not more:
                raise EOFError("the server hung up")
            data += more
        return data

    def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            unread = bytes(self._unread)
            self._unread.clear()
            more = self.receive()
            self._unread += unread + more
            if not more:
                raise EOFError("the server hung up")
        data = bytes(self._unread[:size])
        del self._unread[:size]
        return data

    def _encrypted(self) -> ssl.SSLObject:
        if self._session is None:
            raise ProtocolError("nothing is sent before the connection is encrypted")
        return self._session


@contextlib.contextmanager
def _closed_on_failure[C: Channel](channel: C) -> Generator[C]:
    try:
        yield channel
    except BaseException:
        channel.close()
        raise
