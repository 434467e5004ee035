"""An HTTP client whose every exchange ends: from the first packet to the last byte of the body, however it drips.

The time-outs of HTTP clients are for one read each, so a server that sends a byte now and then holds a worker for ever.
Here the connection itself knows when the exchange has to be over.
"""

import ssl
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, override

import httpcore
import httpx

from erphub.platform.outbound import deadlines
from erphub.platform.outbound.deadlines import Deadline

CONNECT_SECONDS = 5.0
EXCHANGE_SECONDS = 30.0
"""From the first packet of a request to the last byte of its answer."""
_IDLE_SECONDS = 5.0


def bounded_client(transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client for one thread, which follows no redirect and heeds nothing of the environment.

    `transport` replaces the network in tests.
    """
    bounded = transport or BoundedTransport(EXCHANGE_SECONDS)
    return httpx.Client(transport=bounded, follow_redirects=False, trust_env=False)


class BoundedTransport(httpx.BaseTransport):
    """HTTP/1.1, every exchange over by its deadline: its own, or that of the work it is part of."""

    def __init__(self, exchange_seconds: float) -> None:
        self._seconds = exchange_seconds
        self._clock = _ExchangeClock()
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=_Backend(self._clock),
        )

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not isinstance(request.stream, httpx.SyncByteStream):
            raise TypeError("a body that is read without waiting")
        self._clock.deadline = deadlines.current().within(self._seconds)
        if self._clock.deadline.left <= 0:
            raise httpx.ConnectTimeout("no time is left to ask anything", request=request)
        url = request.url
        with _as_httpx():
            answer = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                )
            )
        if not isinstance(answer.stream, Iterable):
            raise TypeError("an answer that is read without waiting")
        return httpx.Response(status_code=answer.status, headers=answer.headers, stream=_Body(answer.stream))

    @override
    def close(self) -> None:
        self._pool.close()


class _ExchangeClock:
    """When the exchange has to be over that is going on."""

    def __init__(self) -> None:
        self.deadline: Deadline = Deadline(None, time.monotonic)

    def left(self, late: type[httpcore.TimeoutException], most: float | None = None) -> float | None:
        """Seconds to wait at most."""
        seconds = self.deadline.left
        if seconds <= 0:
            raise late("the exchange took too long in all")
        if most is not None:
            seconds = min(seconds, most)
        return None if seconds == float("inf") else seconds


class _Backend(httpcore.NetworkBackend):
    """Opens connections that know when to end."""

    def __init__(self, clock: _ExchangeClock) -> None:
        self._clock = clock
        self._sockets: Final = httpcore.SyncBackend()

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = self._clock.left(httpcore.ConnectTimeout, CONNECT_SECONDS)
        stream = self._sockets.connect_tcp(host, port, seconds, local_address, socket_options)
        return _Stream(stream, self._clock)


class _Stream(httpcore.NetworkStream):
    """A connection on which no wait goes beyond the exchange's end."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _ExchangeClock) -> None:
        self._inner, self._clock = inner, clock

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._clock.left(httpcore.ReadTimeout))

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._clock.left(httpcore.WriteTimeout))

    @override
    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = self._clock.left(httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, seconds), self._clock)

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    @override
    def close(self) -> None:
        self._inner.close()


class _Body(httpx.SyncByteStream):
    """An answer's body as it comes."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts

    @override
    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._parts

    @override
    def close(self) -> None:
        close = getattr(self._parts, "close", None)
        if close is not None:
            close()


_ERRORS: Final = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


@contextmanager
def _as_httpx() -> Generator[None]:
    """Errors of the connection under the names that the client's callers know: they are called the same."""
    try:
        yield
    except _ERRORS as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error
