"""The guard between a SQL Server driver and its server.

Drivers follow a server's order to go elsewhere, verify little or nothing, keep to themselves what a server said about a
login, and wait as long as bytes drip in. So none of them dials: a driver speaks plain TDS to a guard on loopback, and
the guard has the connection that was dialled to a judged address and encrypted by Channel. It reads the login's answer
whole before the driver sees any of it, follows a redirection once and only through the judge, keeps the server's errors
with number and state, ends an exchange at its deadline, and copies everything else.
"""

import contextlib
import socket
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from ssl import SSLError
from typing import Protocol, Self

from erphub.platform.errors import HubError
from erphub.platform.outbound.deadlines import Deadline
from erphub.platform.outbound.tds.channel import READ_BYTES, Channel
from erphub.platform.outbound.tds.messages import (
    HEADER_BYTES,
    MAX_LOGIN_BYTES,
    Encryption,
    LoginAnswer,
    PacketType,
    ProtocolError,
    Redirection,
    ServerError,
    packet_head,
    packets,
    read_login_answer,
    with_encryption,
    with_server_name,
    without_redirection,
)

LOOPBACK = "127.0.0.1"
_MAX_SIGN_IN_ROUNDS = 4
_FAILURES = (OSError, EOFError, SSLError, ProtocolError)


class Redirect(Protocol):
    """Judges where a server wants its client to go, and goes there."""

    def __call__(self, to: Redirection, deadline: Deadline) -> Channel:
        """A new channel to that server. Raises HubError when the address or its certificate is refused."""
        ...


@dataclass
class Guard:
    """One connection between one driver and one server, from `start` to `close`."""

    channel: Channel
    redirect: Redirect
    server_name: str
    """By which name the server is asked for in the login, whatever the driver calls it."""
    login_seconds: float
    errors: list[ServerError] = field(default_factory=list)
    """What the server said against the login."""
    problem: HubError | None = None
    """Why the guard itself ended the connection."""
    timed_out: bool = False
    """Whether an exchange was ended at its deadline."""
    received_bytes: int = 0
    _listener: socket.socket | None = None
    _driver: socket.socket | None = None
    _thread: threading.Thread | None = None

    def start(self) -> Self:
        """Wait for the driver."""
        self._listener = socket.create_server((LOOPBACK, 0), backlog=1)
        self._thread = threading.Thread(target=self._run, name="tds-guard", daemon=True)
        self._thread.start()
        return self

    @property
    def port(self) -> int:
        """Where on loopback the driver finds its server; good for one connection."""
        if self._listener is None:
            raise RuntimeError("the guard stands nowhere yet")
        return self._listener.getsockname()[1]

    @contextlib.contextmanager
    def within(self, seconds: float) -> Generator[None]:
        """Whatever the driver waits for meanwhile ends after so many seconds, however the server drips."""
        before = self.channel.deadline
        self.channel.deadline = before.within(seconds)
        try:
            yield
        finally:
            self.channel.deadline = before

    def close(self) -> None:
        """End the connection on both sides. Twice is fine."""
        self._hang_up()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        if self._listener is not None:
            self._listener.close()

    # --- on the guard's own thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._driver = self._accept()
            with self.within(self.login_seconds):
                self._answer_prelogin()
                self._sign_in()
            upward = threading.Thread(target=self._copy_upward, name="tds-guard-up", daemon=True)
            upward.start()
            try:
                self._copy_downward()
            except TimeoutError:
                self.timed_out = True  # before the driver sees its end, and asks why
            finally:
                self._hang_up()
                upward.join()
        except TimeoutError:
            self.timed_out = True
        except HubError as error:
            self.problem = error
        except _FAILURES:
            pass  # the driver sees the connection end, and says so
        finally:
            self._hang_up()
            self.channel.close()
            if self._driver is not None:
                self._driver.close()

    def _accept(self) -> socket.socket:
        """The driver; nobody finds a second one's way in, as no driver is to dial twice."""
        if self._listener is None:
            raise EOFError("the guard was closed")
        self._listener.settimeout(self.login_seconds)
        driver, _ = self._listener.accept()
        self._listener.close()
        driver.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return driver

    def _answer_prelogin(self) -> None:
        """PRELOGIN has been answered on the channel; the driver hears the same, but that here is no encryption."""
        kind, _ = self._message_of_driver()
        if kind != PacketType.PRELOGIN:
            raise ProtocolError("a driver that does not begin with PRELOGIN")
        answer = with_encryption(self.channel.prelogin_answer, Encryption.NOT_SUPPORTED)
        self._to_driver(packets(PacketType.RESPONSE, answer))

    def _sign_in(self) -> None:
        """Login and answer, several times where Windows signs in; a redirection is followed once."""
        kind, login = self._message_of_driver()
        if kind != PacketType.LOGIN:
            raise ProtocolError("a driver that does not sign in")
        login = with_server_name(login, self.server_name)
        redirected = False
        for _ in range(_MAX_SIGN_IN_ROUNDS):
            self.channel.send(packets(kind, login))
            _, body = self.channel.receive_message()
            answer = read_login_answer(body)
            self.errors += answer.errors
            if answer.redirection is not None and not answer.errors:
                if redirected:
                    raise ProtocolError("a server that was gone to sends its client elsewhere again")
                redirected, login = True, self._follow(answer.redirection, login)
                continue
            self._to_driver(packets(PacketType.RESPONSE, without_redirection(body)))
            if _is_over(answer):
                return
            kind, login = self._message_of_driver()
        raise ProtocolError("a sign-in without end")

    def _follow(self, to: Redirection, login: bytes) -> bytes:
        """Go where the server says, if that is allowed; gives the login for there."""
        channel = self.redirect(to, self.channel.deadline)
        channel.deadline = self.channel.deadline
        self.channel.close()
        self.channel = channel
        return with_server_name(login, f"{to.host},{to.port}")

    def _copy_upward(self) -> None:
        with contextlib.suppress(*_FAILURES):
            while data := self._connected.recv(READ_BYTES):
                self.channel.send(data)
        self._hang_up()

    def _copy_downward(self) -> None:
        while data := self.channel.receive():
            self.received_bytes += len(data)
            self._to_driver(data)

    def _message_of_driver(self) -> tuple[int, bytes]:
        body = b""
        while True:
            kind, is_last, length = packet_head(self._exactly_of_driver(HEADER_BYTES))
            body += self._exactly_of_driver(length)
            if len(body) > MAX_LOGIN_BYTES:
                raise ProtocolError("a login without end")
            if is_last:
                return kind, body

    def _exactly_of_driver(self, size: int) -> bytes:
        driver, data = self._connected, b""
        driver.settimeout(self.login_seconds)
        while len(data) < size:
            more = driver.recv(size - len(data))
            if not more:
                raise EOFError("the driver hung up")
            data += more
        driver.settimeout(None)
        return data

    def _to_driver(self, data: bytes) -> None:
        self._connected.sendall(data)

    @property
    def _connected(self) -> socket.socket:
        if self._driver is None:
            raise EOFError("no driver came")
        return self._driver

    def _hang_up(self) -> None:
        """Wake whoever waits, on either side; the guard's own thread gives the sockets back."""
        self.channel.cut()
        for one in (self._driver, self._listener):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


def _is_over(answer: LoginAnswer) -> bool:
    return answer.acknowledged or bool(answer.errors)
