"""The hub's own calls to addresses that a tenant typed: over HTTPS, to a judged address, for a bounded time.

The name is resolved once, every address it has is judged by the same guard as an ERP's server, and the connection goes
to a judged address; the certificate must be for the name. A redirect is an answer like any other and is not followed.
"""

import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Protocol, override
from urllib.parse import SplitResult, urlsplit

from erphub.platform import logging, problems
from erphub.platform.clock import Pause
from erphub.platform.errors import ErpRefused, HubError, Invalid
from erphub.platform.outbound import addresses as network
from erphub.platform.outbound.certificates import why_not_trusted
from erphub.platform.outbound.deadlines import SecondsClock
from erphub.platform.outbound.retry_after import wait_asked_for


@dataclass(frozen=True)
class Answer:
    """What a receiver said: the HTTP status, and in how many seconds it wants to be asked again."""

    status: int
    retry_after: int | None = None


class Post(Protocol):
    """Takes a message to its receiver."""

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send it and wait for the status. Raises ErpRefused, Unavailable."""
        ...


def address(url: str) -> SplitResult:
    """The parts of an address that messages may be sent to. Raises Invalid."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid.of(problems.URL_INVALID("/url")) from error
    if not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid.of(problems.URL_NOT_ASCII("/url"))
    if parts.scheme != "https":
        raise Invalid.of(problems.HTTPS_REQUIRED("/url"))
    if not parts.hostname or port == 0:
        raise Invalid.of(problems.URL_INVALID("/url"))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid.of(problems.URL_WITH_MORE("/url"))
    return parts


HTTPS_PORT = 443
SECONDS = 10.0
"""How long a receiver may take, from the first packet to the status line."""


@dataclass(frozen=True)
class HttpsPost(Post):
    """One request at a time, to an address that was judged."""

    allowed: Sequence[network.Network] = ()
    """Internal networks that the deployment allows."""
    authority: str = ""
    """A further certificate authority to trust (PEM)."""
    resolve: network.Resolver = network.system_resolver
    seconds: float = SECONDS
    clock: SecondsClock = time.monotonic
    pause: Pause = time.sleep

    @override
    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = address(url)
        host, port = parts.hostname or "", parts.port or HTTPS_PORT
        ends = self.clock() + self.seconds
        try:
            plain = self._connect(host, port, ends)
            try:
                request = Request(parts.netloc, target(parts.path, parts.query), headers, body)
                return self._talk(plain, host, ends, request)
            finally:
                plain.close()
        except _NotReachedError as error:
            logging.logger().info("a receiver was not reached", extra={"host": host, "port": port, "why": str(error)})
            self.pause(max(0.0, ends - self.clock()))
            raise self._not_reached(host, port) from error

    def _not_reached(self, host: str, port: int) -> HubError:
        """Told alike, at the same time, whatever the matter: a webhook is no port scanner."""
        return problems.NOT_REACHED(host=host, port=port, seconds=self.seconds)

    def _connect(self, host: str, port: int, ends: float) -> socket.socket:
        failed: OSError | None = None
        try:
            judged = network.addresses(host, self.allowed, self.resolve)
        except ErpRefused as error:
            raise _NotReachedError(error.code) from error
        for ip in judged:
            left = ends - self.clock()
            if left <= 0:
                break
            try:
                return self._opened(str(ip), port, left)
            except OSError as error:
                failed = error
        raise _NotReachedError("no connection") from failed

    def _opened(self, ip: str, port: int, left: float) -> socket.socket:
        plain = socket.create_connection((ip, port), timeout=left)
        # From here on the whole has one end; a single read must not have its own just before it.
        plain.settimeout(self.seconds + 1)
        return plain

    def _talk(self, plain: socket.socket, host: str, ends: float, request: "Request") -> Answer:
        context = ssl.create_default_context()
        if self.authority:
            context.load_verify_locations(cadata=self.authority)
        secure = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        # A receiver that drips byte after byte keeps every single read within its time, so the whole has an end too.
        over = threading.Event()
        end = threading.Timer(max(0.0, ends - self.clock()), _cut, [secure, over])
        end.daemon = True
        end.start()
        try:
            secure.do_handshake()
            answer = _ask(secure, host, request)
        except ssl.SSLCertVerificationError as error:
            raise problems.TLS_FAILED(host=host, reason=why_not_trusted(error.verify_code)) from error
        except (OSError, HTTPException, ValueError) as error:
            raise _NotReachedError("timed out" if over.is_set() else "no proper answer") from error
        finally:
            end.cancel()
            secure.close()
        if over.is_set():  # what was cut off can look like the end of an answer
            raise _NotReachedError("timed out")
        return answer


class _NotReachedError(Exception):
    """Why no HTTPS server answered, for the operator alone."""


@dataclass(frozen=True)
class Request:
    """What is sent."""

    authority: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def target(path: str, query: str) -> str:
    """What stands behind POST in the first line."""
    return (path or "/") + (f"?{query}" if query else "")


def _ask(secure: ssl.SSLSocket, host: str, request: Request) -> Answer:
    connection = HTTPConnection(host, HTTPS_PORT)  # a port of its own: the end of an IPv6 address would be read as one
    connection.sock = secure
    headers = {"Host": request.authority, "Connection": "close", **request.headers}
    connection.request("POST", request.target, request.body, headers)
    response = connection.getresponse()
    wait = wait_asked_for(response.getheader("retry-after", ""), datetime.now(UTC))
    return Answer(response.status, None if wait is None else int(wait.total_seconds()))


def _cut(secure: ssl.SSLSocket, over: threading.Event) -> None:
    over.set()
    try:
        # SSLSocket's own shutdown also takes away what the reading thread is in the middle of using.
        socket.socket.shutdown(secure, socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
