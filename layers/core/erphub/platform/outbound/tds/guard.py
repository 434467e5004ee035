"""The guard between a SQL Server driver and its server.

Drivers follow a server's order to go elsewhere, verify little or nothing, keep to themselves what a server said about a
login, wait as long as bytes drip in, and take an answer that broke off for a whole one. So none of them dials: a driver
speaks plain TDS to a guard on loopback, and the guard has the connection that was dialled to a judged address and
encrypted by Channel. It reads the login's answer whole before the driver sees any of it, follows a redirection once and
only through the judge, keeps the server's errors with number and state, ends an exchange at its deadline, refuses
packets that nobody agreed on and values beyond measure, and copies everything else:

    with Guard(channel, redirect, account, login_seconds) as guard:
        connection = …connect(LOOPBACK, guard.port, user=…, password=guard.token, encrypt=no)
        guard.require_signed_in()
        with guard.within(seconds):
            …  # say a statement, fetch rows
        guard.require_whole()  # where the driver says that there are no more rows

The driver is told no password. It shows the guard's token in its place, good for this one connection, and the guard
puts the password into the login: whoever else finds the port is turned away, and whoever takes the port over from the
guard learns nothing.
"""

import contextlib
import hmac
import secrets
import socket
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from ssl import SSLError
from types import TracebackType
from typing import Protocol, Self

from erphub.platform import logging, problems
from erphub.platform.errors import HubError
from erphub.platform.outbound.deadlines import Deadline
from erphub.platform.outbound.tds.answers import Answers
from erphub.platform.outbound.tds.channel import READ_BYTES, Channel
from erphub.platform.outbound.tds.login import Field, Login
from erphub.platform.outbound.tds.messages import (
    HEADER_BYTES,
    MAX_LOGIN_BYTES,
    PACKET_BYTES,
    TDS_8,
    Encryption,
    PacketType,
    ProtocolError,
    Redirection,
    ServerError,
    UnlimitedError,
    packet_head,
    packets,
    read_login_answer,
    with_encryption,
    with_version,
    without_redirection,
)

LOOPBACK = "127.0.0.1"
MOST_BYTES = 64 * 1024 * 1024
"""What a server may send `within` one exchange: a driver holds all of a value in memory, and of a short answer too."""
WHOLE_SECONDS = 5.0
"""How long an answer's last packet may take after its last row."""
_MAX_SIGN_IN_ROUNDS = 4
_FAILURES = (OSError, EOFError, SSLError, ProtocolError)


class Redirect(Protocol):
    """Judges where a server wants its client to go, and goes there."""

    def __call__(self, to: Redirection, deadline: Deadline) -> Channel:
        """A new channel to that server. Raises HubError when the address or its certificate is refused."""
        ...


@dataclass(frozen=True)
class Account:
    """What a login says that its driver need not know."""

    server_name: str
    """By which name the server is asked for, whatever the driver calls it; a gateway such as Azure's goes by it."""
    password: str = field(repr=False)
    """Not sent where Windows vouches for the user: then it is the driver that proves to know it."""
    application: str = "ERP Hub"


class StrangerError(Exception):
    """Somebody signs in at the guard who does not know its token."""


@dataclass
class Guard:
    """One connection between one driver and one server, from `start` to `close`."""

    channel: Channel
    redirect: Redirect
    account: Account
    login_seconds: float
    against_unlimited: HubError | None = None
    """What ends the connection when values come whose type has no limit: (max), text, xml and their like. None where
    the driver may be sent them; one that makes room for what a chunk claims to hold before it has come may not.
    """
    token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False, init=False)
    """What the driver has to show as its password; where Windows vouches for the user, as its application's name."""
    login_errors: list[ServerError] = field(default_factory=list, init=False)
    """What the server said against the login."""
    problem: HubError | None = field(default=None, init=False)
    """Why the guard itself ended the connection, other than for its deadline."""
    timed_out: bool = field(default=False, init=False)
    """Whether an exchange was ended at its deadline."""
    bytes_received: int = field(default=0, init=False)
    """Of answers after the login, decrypted."""
    port: int = field(default=0, init=False)
    """Where on loopback the driver finds its server; good for one connection."""
    _afterwards: Deadline = field(default_factory=lambda: Deadline(None), init=False)
    _most_bytes: float = field(default=float("inf"), init=False)
    _signed_in: bool = field(default=False, init=False)
    _broke_off: bool = field(default=False, init=False)
    _cancelled: threading.Event = field(default_factory=threading.Event, init=False)
    _answers: Answers = field(default_factory=lambda: Answers(PACKET_BYTES), init=False)
    _listener: socket.socket | None = field(default=None, init=False)
    _driver: socket.socket | None = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _upward: threading.Thread | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> Self:
        """Wait for the driver."""
        self._listener = socket.create_server((LOOPBACK, 0), backlog=1)
        self.port = self._listener.getsockname()[1]
        self._afterwards = self.channel.deadline
        self.channel.deadline = self._afterwards.within(self.login_seconds)
        self._thread = threading.Thread(target=self._run, name="tds-guard", daemon=True)
        self._thread.start()
        return self

    @contextlib.contextmanager
    def within(self, seconds: float) -> Generator[None]:
        """Whatever the driver waits for meanwhile ends after so many seconds, however the server drips, and at
        MOST_BYTES.
        """
        before, most_before = self.channel.deadline, self._most_bytes
        self.channel.deadline = before.within(seconds)
        self._most_bytes = self.bytes_received + MOST_BYTES
        try:
            yield
        finally:
            self.channel.deadline, self._most_bytes = before, most_before

    def require_signed_in(self) -> None:
        """After a driver says that it is connected. Raises Unavailable `connection_cut` when that was elsewhere."""
        if not self._signed_in:
            raise self.problem or _broken()

    def require_whole(self) -> None:
        """After a driver says that an answer is at its end. Raises Unavailable `connection_cut` when it broke off."""
        is_whole = self._answers.wait(WHOLE_SECONDS)
        if self.problem is not None:
            raise self.problem
        if self._broke_off or not is_whole:
            raise _broken()

    @property
    def has_broken_off(self) -> bool:
        """Whether the line to the server broke; known before the driver sees its own end."""
        return self._broke_off

    def cancel(self) -> None:
        """End the connection on both sides, from any thread: whatever the driver waits for fails at once."""
        self._cancelled.set()
        self._hang_up()

    def close(self) -> None:
        """End the connection, and wait until nothing of it is left. Twice is fine."""
        self.cancel()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        if self._listener is not None:
            self._listener.close()

    # --- on the guard's own thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._driver = self._accept()
            self._answer_prelogin()
            self._sign_in()
            self._copy()
        except TimeoutError:
            self.timed_out = True
        except HubError as error:
            self.problem = error
        except UnlimitedError:
            self.problem = self.against_unlimited
        except ProtocolError as error:
            logging.logger().warning("a SQL Server connection was ended", extra={"why": str(error)})
            self.problem = _no_sql_server()
        except StrangerError:
            logging.logger().warning("a stranger signed in at the guard of a SQL Server connection")
            self.problem = _broken()
        except _FAILURES:
            self._broke_off = True
        finally:  # the driver sees its connection end only after what it will be asked about has been noted
            self._answers.over()
            self._hang_up()
            if self._upward is not None:
                self._upward.join()
            self.channel.close()
            for one in (self._driver, self._listener):
                if one is not None:
                    one.close()

    def _accept(self) -> socket.socket:
        """The driver; nobody finds a second one's way in, as no driver is to dial twice."""
        if self._listener is None:
            raise EOFError("the guard was closed")
        self._listener.settimeout(self.channel.deadline.require())
        driver, _ = self._listener.accept()
        self._listener.close()
        driver.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return driver

    def _answer_prelogin(self) -> None:
        """PRELOGIN has been answered on the channel; the driver hears the same, but that here is no encryption."""
        kind, _ = self._message_of_driver()
        if kind != PacketType.PRELOGIN:
            raise StrangerError
        answer = with_encryption(self.channel.prelogin_answer, Encryption.NOT_SUPPORTED)
        self._to_driver(packets(PacketType.RESPONSE, answer))

    def _sign_in(self) -> None:
        """Login and answer, several times where Windows signs in; a redirection is followed once."""
        kind, message = self._message_of_driver()
        if kind != PacketType.LOGIN:
            raise StrangerError
        login = self._made_out(message)
        message, redirected = self._sent_as(login), False
        for _ in range(_MAX_SIGN_IN_ROUNDS):
            self.channel.send(packets(kind, message))
            _, body = self.channel.receive_message()
            answer = read_login_answer(body)
            self.login_errors += answer.errors
            if answer.redirection is not None and not answer.errors:
                if redirected:
                    raise ProtocolError("a server that was gone to sends its client elsewhere again")
                to, redirected = answer.redirection, True
                self._follow(to)
                login = login.with_texts({Field.SERVER: f"{to.host},{to.port}"})
                kind, message = PacketType.LOGIN, self._sent_as(login)
                continue
            is_over = answer.acknowledged or bool(answer.errors)
            if is_over:
                self._answers = Answers(
                    answer.packet_bytes or login.most_packet_bytes, unlimited=self.against_unlimited is None
                )
                self._signed_in = answer.acknowledged
                self.channel.deadline = self._afterwards  # whoever says a statement next has a bound of their own
            heard = with_version(body, login.version) if self.channel.is_strict else body
            self._to_driver(packets(PacketType.RESPONSE, without_redirection(heard)))
            if is_over:
                return
            kind, message = self._message_of_driver()
        raise ProtocolError("a sign-in without end")

    def _sent_as(self, login: Login) -> bytes:
        """What goes over this channel: the driver, which speaks to a guard in the clear, speaks TDS 7 to it."""
        return (login.with_version(TDS_8) if self.channel.is_strict else login).message()

    def _made_out(self, message: bytes) -> Login:
        """The driver's login with what only the guard knows. Raises StrangerError for anybody else's."""
        try:
            login = Login.parse(message)
        except ProtocolError as error:
            raise StrangerError from error
        words = {Field.SERVER: self.account.server_name, Field.APPLICATION: self.account.application}
        if login.is_windows:
            shown = login.text(Field.APPLICATION)
        else:
            shown = login.text(Field.PASSWORD)
            words[Field.PASSWORD] = self.account.password
        if not hmac.compare_digest(shown.encode(), self.token.encode()):
            raise StrangerError
        return login.with_texts(words)

    def _follow(self, to: Redirection) -> None:
        """Go where the server says, if that is allowed."""
        channel = self.redirect(to, self.channel.deadline)
        channel.deadline = self.channel.deadline
        self.channel.close()
        self.channel = channel
        self._go_on()

    def _copy(self) -> None:
        self._connected.settimeout(None)
        self._upward = threading.Thread(target=self._copy_upward, name="tds-guard-up", daemon=True)
        self._upward.start()
        while data := self.channel.receive():
            self.bytes_received += len(data)
            if self.bytes_received > self._most_bytes:
                raise _too_much()
            self._answers.look(data)
            self._to_driver(data)
        if not self._answers.is_whole:
            raise EOFError("the server hung up in the middle of an answer")

    def _copy_upward(self) -> None:
        with contextlib.suppress(*_FAILURES):
            while data := self._connected.recv(READ_BYTES):
                self._answers.asked()
                self.channel.send(data)
        self._hang_up()

    def _message_of_driver(self) -> tuple[int, bytes]:
        body = b""
        while True:
            try:
                kind, is_last, length = packet_head(self._exactly_of_driver(HEADER_BYTES))
            except ProtocolError as error:
                raise StrangerError from error
            body += self._exactly_of_driver(length)
            if len(body) > MAX_LOGIN_BYTES:
                raise StrangerError
            if is_last:
                return kind, body

    def _exactly_of_driver(self, size: int) -> bytes:
        self._go_on()
        driver, data = self._connected, b""
        while len(data) < size:
            driver.settimeout(self.channel.deadline.require())
            more = driver.recv(size - len(data))
            if not more:
                raise EOFError("the driver hung up")
            data += more
        return data

    def _to_driver(self, data: bytes) -> None:
        self._connected.sendall(data)

    def _go_on(self) -> None:
        """Where a new socket has been put: whoever cancelled a moment before did not know of it."""
        if self._cancelled.is_set():
            raise EOFError("the connection was given up")

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


def _broken() -> HubError:
    return problems.CONNECTION_CUT()


def _too_much() -> HubError:
    return problems.ANSWER_TOO_LARGE(maximum=MOST_BYTES // 1024**2)


def _no_sql_server() -> HubError:
    return problems.PROTOCOL_BROKEN()
