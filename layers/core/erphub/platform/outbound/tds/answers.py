"""What a server sends after the login, watched while it goes by: whole packets, none longer than agreed, each answer
with its end, and where a driver is to be spared them, no values without a limit.

Rows are a driver's to read; here the heads of packets are looked at, [MS-TDS] 2.2.3, and what comes before rows.
"""

import struct
import threading

from erphub.platform.outbound.tds import columns
from erphub.platform.outbound.tds.messages import HEADER_BYTES, PacketType, ProtocolError

_HEAD = struct.Struct(">BBH")
_IS_LAST = 1


class Answers:
    """The answers of one connection. One thread looks, others ask whether the last answer is whole."""

    def __init__(self, packet_bytes: int, *, unlimited: bool = True) -> None:
        self._packet_bytes, self._unlimited = packet_bytes, unlimited
        self._is_in_packet = False
        self._left = 0
        """Bytes of the packet at hand that have not come."""
        self._is_last = True
        self._split_head = b""
        self._beginning: _Beginning | None = None
        self._is_answered = True
        self._news = threading.Event()
        """Set when an answer is whole, and when no more will come."""
        self._news.set()

    def asked(self) -> None:
        """Something was asked of the server: the last answer is not there yet."""
        self._is_answered = False
        self._news.clear()

    def look(self, data: bytes) -> None:
        """The next bytes. Raises ProtocolError for what may not be in an answer."""
        at, end = 0, len(data)
        while at < end:
            if self._is_in_packet:
                inside = min(self._left, end - at)
                if self._beginning is not None and self._beginning.is_over(data[at : at + inside]):
                    self._beginning = None
                at += inside
                self._left -= inside
            else:
                head = self._split_head + data[at : at + HEADER_BYTES - len(self._split_head)]
                at += len(head) - len(self._split_head)
                if len(head) < HEADER_BYTES:
                    self._split_head = head
                    return
                self._enter(head)
            if not self._left:
                self._leave()

    def over(self) -> None:
        """No more will come; whoever waits for an answer's end is woken."""
        self._news.set()

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked is answered, and the bytes so far end where an answer ends."""
        return self._is_answered and self._is_last and not self._is_in_packet and not self._split_head

    def wait(self, seconds: float) -> bool:
        """Whether the last answer has come to its end, or does so within these seconds."""
        self._news.wait(seconds)
        return self.is_whole

    def _enter(self, head: bytes) -> None:
        kind, status, length = _HEAD.unpack_from(head)
        if kind != PacketType.RESPONSE or not HEADER_BYTES <= length <= self._packet_bytes:
            raise ProtocolError(f"a packet of kind {kind} with {length} bytes, where {self._packet_bytes} were agreed")
        if self._is_last and not self._unlimited:
            self._beginning = _Beginning()
        self._is_in_packet, self._is_last, self._left = True, bool(status & _IS_LAST), length - HEADER_BYTES
        self._split_head = b""

    def _leave(self) -> None:
        self._is_in_packet = False
        if self._is_last:
            self._beginning = None
            self._is_answered = True
            self._news.set()


class _Beginning:
    """What an answer says before its rows."""

    def __init__(self) -> None:
        self._reading = columns.limited_columns()
        self._wanted = next(self._reading)
        self._unread = b""
        self._size = 0

    def is_over(self, data: bytes) -> bool:
        """Whether rows come from here on. Raises ProtocolError."""
        self._size += len(data)
        if self._size > columns.MOST_BYTES:
            raise ProtocolError("an answer that does not come to its rows")
        data, at = self._unread + data, 0
        try:
            while at + self._wanted <= len(data):
                piece, at = data[at : at + self._wanted], at + self._wanted
                self._wanted = self._reading.send(piece)
        except StopIteration:
            return True
        self._unread = data[at:]
        return False
