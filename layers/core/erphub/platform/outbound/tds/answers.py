"""What a server sends after the login, watched while it goes by: whole packets, none longer than agreed, each answer
with its end.

Rows are a driver's to read; here only heads of packets are looked at, [MS-TDS] 2.2.3.
"""

import struct
import threading

from erphub.platform.outbound.tds.messages import HEADER_BYTES, PacketType, ProtocolError

_HEAD = struct.Struct(">BBH")
_IS_LAST = 1


class Answers:
    """The answers of one connection. One thread looks, others ask whether the last answer is whole."""

    def __init__(self, packet_bytes: int) -> None:
        self._packet_bytes = packet_bytes
        self._ends_at = 0
        """Where the packet at hand ends, counted from the next byte that will be looked at."""
        self._is_last = True
        self._split_head = b""
        self._is_answered = True
        self._news = threading.Event()
        """Set when an answer is whole, and when no more will come."""
        self._news.set()

    def asked(self) -> None:
        """Something was asked of the server: the last answer is not there yet."""
        self._is_answered = False
        self._news.clear()

    def look(self, data: bytes) -> None:
        """The next bytes. Raises ProtocolError for what is no packet of an answer."""
        at, end = self._ends_at, len(data)
        if self._split_head:
            missing = HEADER_BYTES - len(self._split_head)
            head = self._split_head + data[:missing]
            if len(head) < HEADER_BYTES:
                self._split_head = head
                return
            at = self._end_of_packet(head, 0) - len(self._split_head)
            self._split_head = b""
        while at + HEADER_BYTES <= end:
            at += self._end_of_packet(data, at)
        if at < end:
            self._split_head, self._ends_at = data[at:], 0
            return
        self._ends_at = at - end
        if self._is_last and not self._ends_at:
            self._is_answered = True
            self._news.set()

    def over(self) -> None:
        """No more will come; whoever waits for an answer's end is woken."""
        self._news.set()

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked is answered, and the bytes so far end where an answer ends."""
        return self._is_answered and self._is_last and not self._ends_at and not self._split_head

    def wait(self, seconds: float) -> bool:
        """Whether the last answer has come to its end, or does so within these seconds."""
        self._news.wait(seconds)
        return self.is_whole

    def _end_of_packet(self, data: bytes, at: int) -> int:
        kind, status, length = _HEAD.unpack_from(data, at)
        if kind != PacketType.RESPONSE or not HEADER_BYTES <= length <= self._packet_bytes:
            raise ProtocolError(f"a packet of kind {kind} with {length} bytes, where {self._packet_bytes} were agreed")
        self._is_last = bool(status & _IS_LAST)
        return int(length)
