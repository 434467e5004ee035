"""One client's line: whole messages in, replies out, in clear or through TLS."""

import contextlib
import socket
import ssl
import struct
import threading

from local.sqlserver.errors import ConnectionLost
from local.sqlserver.tunnel import Tunnel
from local.sqlserver.wire import HEADER, Message, Packet, packets

_CHUNK = 1 << 18
_LONGEST = 64 << 20
_TLS_HANDSHAKE = 0x16


class Channel:
    """Reads by one thread and writes by another may overlap."""

    def __init__(self, sock: socket.socket, session: int) -> None:
        self._socket = sock
        self._session = session
        self._plain = bytearray()
        self._tunnel: Tunnel | None = None
        self._began_with_tls = False
        self._lock = threading.Lock()
        self.packet_size = 4096
        self.closed = threading.Event()

    def read(self) -> Message:
        """The next whole message; raises ConnectionLost when the client is gone or talks nonsense."""
        body = bytearray()
        reset = False
        while True:
            kind, status, length = struct.unpack(">BBH", self._exactly(HEADER)[:4])
            if length < HEADER:
                raise ConnectionLost("a packet shorter than its header")
            body += self._exactly(length - HEADER)
            reset = reset or bool(status & 0x18)
            if len(body) > _LONGEST:
                raise ConnectionLost("a message beyond all measure")
            if status & 1:
                return Message(kind, reset, bytes(body))

    def _exactly(self, size: int) -> bytes:
        while len(self._plain) < size:
            try:
                data = self._socket.recv(65536)
            except OSError as error:
                raise ConnectionLost(str(error)) from error
            if not data:
                raise ConnectionLost("the client closed the connection")
            with self._lock:
                self._plain += self._tunnel.decrypt(data) if self._tunnel else data
        out = bytes(self._plain[:size])
        del self._plain[:size]
        return out

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands; the handshake is wrapped in PRELOGIN packets."""
        tunnel = Tunnel(context)
        done = False
        while not done:
            answer, done = tunnel.handshake(self.read().body)
            for start in range(0, len(answer), 4088):
                part = answer[start : start + 4088]
                last = start + 4088 >= len(answer)
                self.send_raw(struct.pack(">BBHHBB", Packet.PRELOGIN, int(last), HEADER + len(part), 0, 0, 0) + part)
        self._tunnel = tunnel

    def start_with_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands before anything else; whoever begins with something else is hung up on."""
        tunnel = Tunnel(context)
        done = False
        while not done:
            data = self._socket.recv(65536)
            if not data or (not self._began_with_tls and data[0] != _TLS_HANDSHAKE):
                raise ConnectionLost("the client did not begin with TLS")
            self._began_with_tls = True
            answer, done = tunnel.handshake(data)
            self.send_raw(answer)
        self._tunnel = tunnel

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS has begun."""
        return self._tunnel is not None

    def stop_tls(self) -> None:
        """Only the login was to be hidden; from here on everything is in clear."""
        self._tunnel = None

    def send(self, data: bytes) -> None:
        """Bytes of packets to the client, through TLS when there is any."""
        if self._tunnel is not None:
            with self._lock:
                data = self._tunnel.encrypt(data)
        self.send_raw(data)

    def send_raw(self, data: bytes) -> None:
        """Bytes as they are."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def reply(self) -> "Reply":
        """A new answer."""
        return Reply(self, self.packet_size, self._session)

    def close(self, *, abruptly: bool = False) -> None:
        """End the connection; abruptly is with a reset, as when a network fails."""
        self.closed.set()
        if abruptly:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            with contextlib.suppress(OSError):  # the client may have closed it first
                self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class Reply:
    """An answer under way: what is added goes out in whole packets, the rest with the end."""

    def __init__(self, channel: Channel, packet_size: int, session: int) -> None:
        self._channel = channel
        self._size = packet_size
        self._session = session
        self._number = 1
        self._parts: list[bytes | memoryview] = []
        self._waiting = 0

    def add(self, data: bytes | memoryview) -> None:
        """More tokens."""
        self._parts.append(data)
        self._waiting += len(data)
        if self._waiting >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Send all whole packets there are (one is always kept back for the end)."""
        data = b"".join(self._parts)
        payload_size = self._size - HEADER
        whole = (max(len(data) - 1, 0) // payload_size) * payload_size
        if whole:
            out, self._number = packets(memoryview(data)[:whole], self._size, self._session, self._number, last=False)
            self._channel.send(out)
        self._parts = [data[whole:]]
        self._waiting = len(data) - whole

    def force(self) -> None:
        """Send everything that was added, in a short packet if need be: what a dying connection has still said."""
        self.flush()
        data = b"".join(self._parts)
        if data:
            head = struct.pack(">BBHHBB", Packet.RESPONSE, 0, HEADER + len(data), self._session, self._number, 0)
            self._channel.send(head + data)
            self._number = (self._number + 1) & 0xFF
        self._parts, self._waiting = [], 0

    def finish(self) -> None:
        """Send the rest; the message is complete."""
        self.flush()
        out, _ = packets(b"".join(self._parts), self._size, self._session, self._number, last=True)
        self._channel.send(out)
        self._parts, self._waiting = [], 0
