"""A connection to a SQL Server over one of the drivers, none of which dials anybody itself.

A driver speaks to a guard on loopback (`platform.outbound.tds`), whose connection was dialled to the address that was
judged and encrypted as the connection wants it. So no password leaves in the clear, no order to go elsewhere is
followed unseen, and no wait is without an end, whatever the driver does. Nor does it know the password of an SQL Server
login: the guard puts it in.
"""

import socket
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from erphub.erp.transports.sqlserver import browser, errors, problems, readers, slowness
from erphub.erp.transports.sqlserver.drivers.connection import (
    Cause,
    Connection,
    DriverError,
    GuardEndpoint,
    Login,
    Reader,
    Row,
)
from erphub.erp.transports.sqlserver.statements import (
    BEGIN,
    COMMIT,
    LOCK_TIMEOUT,
    READ_COMMITTED,
    ROW_COUNT,
    SNAPSHOT,
    Sql,
    literal,
)
from erphub.platform.errors import HubError
from erphub.platform.outbound import deadlines
from erphub.platform.outbound.addresses import IP, Resolver, system_resolver
from erphub.platform.outbound.tds.channel import Channel
from erphub.platform.outbound.tds.guard import LOOPBACK, Account, Guard, Redirect

if TYPE_CHECKING:
    from arro3.core import RecordBatch

LOGIN_SECONDS = 15
ANSWER_SECONDS = 100
"""The longest that the server may take for one answer, or for the next rows, however it drips."""
CONNECT_SECONDS = 5.0
LOCK_MILLISECONDS = 60_000
PROGRESS_SECONDS, PROGRESS_BYTES = 120.0, 200_000
"""Of a long answer at least so many bytes must come in each such time of waiting: 100 kB a minute."""
LONGEST_ANSWER = 200_000
"""More companies than anybody has, and more days than any ledger."""


@dataclass(frozen=True)
class Transport:
    """The way outside. Production names the reader of rows; tests name other resolvers and ports."""

    resolve: Resolver = system_resolver
    browser_port: int = browser.PORT
    reader: Reader = Reader.MSSQL_ODBC
    """By what rows are read where machine, login and table allow it."""


@dataclass(frozen=True)
class Route:
    """Where to dial, found out step by step: the name as typed, the address judged, the port asked for."""

    host: str
    ip: IP
    port: int

    def dial(self) -> socket.socket:
        """A TCP connection. Raises OSError."""
        seconds = deadlines.current().within(CONNECT_SECONDS).require()
        return socket.create_connection((str(self.ip), self.port), seconds)

    @property
    def server_name(self) -> str:
        """How the login names the server; gateways with many servers go by it."""
        return f"{self.host},{self.port}"


class Session:
    """An open connection, over which one statement at a time is said. Every failure comes as a HubError."""

    def __init__(self, connection: Connection, login: Login, guard: Guard) -> None:
        self._connection, self._login, self._guard = connection, login, guard

    @property
    def reader(self) -> Reader:
        """By what it is read."""
        return self._connection.reader

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def cancel(self) -> None:
        """Whatever another thread waits for ends now, and nothing more can be said."""
        self._guard.cancel()

    def close(self) -> None:
        """Let go of the connection; what was not read is not read, and an open transaction is rolled back.

        The guard goes first: a driver that still waits for something meets the end of its connection.
        """
        self._guard.close()
        self._connection.close()

    def rows(self, statement: Sql) -> list[Row]:
        """All rows of a short answer. Raises ErpRefused `answer_too_long` for one that would not fit in memory."""
        with self._explained():
            self._connection.run(statement)
            found = self._connection.rows(LONGEST_ANSWER + 1)
            if len(found) <= LONGEST_ANSWER:
                self._guard.require_whole()
        if len(found) > LONGEST_ANSWER:
            raise problems.ANSWER_TOO_LONG(maximum=LONGEST_ANSWER)
        return found

    def say(self, *statements: Sql) -> None:
        """Statements that answer nothing."""
        for statement in statements:
            with self._explained():
                self._connection.run(statement)

    def stream(self, statement: Sql) -> "Stream":
        """A long answer, to be fetched in parts. Nothing else can be said until it has been read."""
        with self._explained():
            self._connection.run(statement)
        return Stream(self._connection, self._guard, self._explained)

    def confirm(self, received: int) -> None:
        """Ask the server how many rows it sent, as the very next statement after a stream that was read to its end.

        Raises Unavailable `rows_lost` when that is not what was received: no driver's word is taken for it.
        """
        sent = int(self.rows(ROW_COUNT())[0][0])
        if sent != received:
            raise errors.rows_lost(sent, received, self.reader)

    def begin(self, snapshot: bool) -> None:
        """Begin a transaction that only reads; with `snapshot` everything in it is of one moment."""
        self.say(
            LOCK_TIMEOUT(milliseconds=literal(LOCK_MILLISECONDS)),
            SNAPSHOT() if snapshot else READ_COMMITTED(),
            BEGIN(),
        )

    def commit(self) -> None:
        """End the transaction."""
        self.say(COMMIT())

    @contextmanager
    def _explained(self) -> Generator[None]:
        seconds = min(ANSWER_SECONDS, deadlines.current().left)
        if seconds <= 0:
            raise slowness.out_of_time()
        try:
            with self._guard.within(seconds):
                yield
        except DriverError as error:
            if self._guard.timed_out:
                raise slowness.too_slow(seconds) from error
            if self._guard.problem is not None:
                raise self._guard.problem from error
            if error.cause is Cause.DRIVER and self._guard.has_broken_off:
                raise errors.cut() from error
            raise errors.running(error, [self._login.password]) from error
        except (ValueError, ArithmeticError) as error:  # a day that there is not, a number that is none
            raise errors.unreadable() from error


class _Explained(Protocol):
    def __call__(self) -> AbstractContextManager[None]: ...


class Stream:
    """Rows that are still to come, and come fast enough. Raises Unavailable when they take too long or break off."""

    def __init__(self, connection: Connection, guard: Guard, explained: _Explained) -> None:
        self._connection, self._guard, self._explained = connection, guard, explained
        self._waited, self._received_before = 0.0, guard.bytes_received
        self.received = 0
        """Rows so far."""

    def rows(self, most: int) -> list[Row]:
        """At most so many further rows; none at the end."""
        began = time.monotonic()
        with self._explained():
            rows = self._connection.rows(most)
            if not rows:
                self._guard.require_whole()
        self._count(len(rows), began)
        return rows

    def batch(self, most: int) -> "RecordBatch":
        """So many further rows, as Arrow; fewer at the end. Of a native reader."""
        began = time.monotonic()
        with self._explained():
            batch = self._connection.batch(most)
            if batch.num_rows < most:
                self._guard.require_whole()
        self._count(batch.num_rows, began)
        return batch

    def _count(self, rows: int, began: float) -> None:
        self.received += rows
        self._waited += time.monotonic() - began
        if self._waited >= PROGRESS_SECONDS:
            received = self._guard.bytes_received - self._received_before
            if rows and received < PROGRESS_BYTES:
                raise slowness.too_little(received, self._waited)
            self._waited, self._received_before = 0.0, self._guard.bytes_received


def connect(
    channel: Channel, server_name: str, login: Login, redirect: Redirect, reader: Reader = Reader.PYMSSQL
) -> Session:
    """Log in over an encrypted channel, which is the session's from now on.

    Raises CredentialsRefused, ErpRefused, Unavailable.
    """
    if "\0" in login.user + login.password:
        channel.close()
        raise problems.CREDENTIALS_FORM()
    seconds = min(LOGIN_SECONDS, deadlines.current().left)
    account = Account(server_name, login.password)
    # Native drivers are sent no values without a limit (`readers.reads`), whatever the catalogue said of the table (a
    # view knows its columns as they were when it was made): one of them believes what a chunk claims.
    guard = Guard(channel, redirect, account, seconds, None if reader is Reader.PYMSSQL else errors.unlimited()).start()
    endpoint = GuardEndpoint(LOOPBACK, guard.port, guard.token, LOGIN_SECONDS + 5)  # the guard ends it before
    try:
        connection = readers.connect(reader, endpoint, login)
        guard.require_signed_in()
    except DriverError as error:
        guard.close()
        raise _why(error, guard, login, seconds) from error
    except BaseException:
        guard.close()
        raise
    return Session(connection, login, guard)


def _why(error: DriverError, guard: Guard, login: Login, seconds: float) -> HubError:
    if guard.problem is not None:
        return guard.problem
    if guard.timed_out:
        return slowness.too_slow(seconds)
    return errors.connecting(error, guard.login_errors, [login.password])
