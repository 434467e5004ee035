"""A server that speaks as slowly as a test wants: in front of another one, or with an answer of its own."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

DRIP_SECONDS = 0.05


@dataclass
class SlowServer:
    """Gives what it has at once, until it is slow; then nothing more, or a byte now and then.

    `answer` is told what a client sent and gives the whole answer and how much of it comes at once (None: all of it).
    Without one it passes on what the server at `upstream` says, the first `at_once` bytes at once.
    """

    drips: bool
    upstream: int = 0
    at_once: int | None = None
    answer: Callable[[bytes], tuple[bytes, int | None]] | None = None
    drip_bytes: int = 1
    given: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def become_slow(self, after: int = 0) -> None:
        """From the next byte on, or after some more."""
        self.at_once = self.given + after

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # stopped
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.answer is not None:
                while asked := client.recv(65536):
                    data, at_once = self.answer(asked)
                    self._give(client, data, len(data) if at_once is None else at_once)
                return
            with socket.create_connection(("127.0.0.1", self.upstream)) as server:
                threading.Thread(target=_copy, args=(client, server), daemon=True).start()
                while data := server.recv(65536):
                    self._give(client, data, len(data) if self.at_once is None else max(0, self.at_once - self.given))

    def _give(self, client: socket.socket, data: bytes, at_once: int) -> None:
        client.sendall(data[:at_once])
        self.given += len(data[:at_once])
        for at in range(at_once, len(data), self.drip_bytes):
            if self._stopped.wait(DRIP_SECONDS):
                return
            if not self.drips:
                self._stopped.wait()
                return
            client.sendall(data[at : at + self.drip_bytes])


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def slow_server(
    *,
    drips: bool,
    upstream: int = 0,
    at_once: int | None = None,
    answer: Callable[[bytes], tuple[bytes, int | None]] | None = None,
    drip_bytes: int = 1,
) -> Iterator[SlowServer]:
    """One for the length of a test."""
    server = SlowServer(drips, upstream, at_once, answer, drip_bytes)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.stop()
