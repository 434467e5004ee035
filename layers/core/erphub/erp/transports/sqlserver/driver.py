"""A connection to a SQL Server over pymssql, which dials nobody itself.

The driver speaks to a guard on loopback (`platform.outbound.tds`), whose connection was dialled to the address that was
judged and encrypted as the connection wants it. So no password leaves in the clear, no order to go elsewhere is
followed unseen, and no wait is without an end, whatever the driver does. Nor does it know the password of an SQL Server
login: the guard puts it in.
"""

import atexit
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, cast

from erphub.erp.transports.sqlserver import browser, errors
from erphub.erp.transports.sqlserver.statements import (
    BEGIN,
    COMMIT,
    LOCK_TIMEOUT,
    READ_COMMITTED,
    SNAPSHOT,
    Sql,
    literal,
)
from erphub.platform.errors import ErpRefused, HubError
from erphub.platform.outbound import deadlines
from erphub.platform.outbound.addresses import IP, Resolver, system_resolver
from erphub.platform.outbound.tds.channel import Channel
from erphub.platform.outbound.tds.guard import LOOPBACK, Account, Guard, Redirect

LOGIN_SECONDS = 15
ANSWER_SECONDS = 100
"""The longest that the server may take for one answer, or for the next rows, however it drips."""
CONNECT_SECONDS = 5.0
LOCK_MILLISECONDS = 60_000
PROGRESS_SECONDS, PROGRESS_BYTES = 120.0, 200_000
"""Of a long answer at least so many bytes must come in each such time of waiting: 100 kB a minute."""
LONGEST_ANSWER = 200_000
"""More companies than anybody has, and more days than any ledger."""

type Row = tuple[Any, ...]


@dataclass(frozen=True)
class Transport:
    """The way outside. Production uses it as it is; tests name other resolvers and ports."""

    resolve: Resolver = system_resolver
    browser_port: int = browser.PORT


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


@dataclass(frozen=True)
class Login:
    """Who we are to the server. The password is kept out of any text made of this."""

    user: str
    password: str = field(repr=False)
    database: str = ""
    """The database to be in; none for the login's own."""

    @property
    def is_windows(self) -> bool:
        """Whether Windows knows the user: DOMAIN\\user, which no SQL Server login can be named."""
        return "\\" in self.user


class _Cursor(Protocol):
    description: Sequence[Any] | None

    def execute(self, operation: str) -> None: ...
    def fetchmany(self, size: int) -> list[Row]: ...


class _Connection(Protocol):
    def cursor(self) -> _Cursor: ...
    def close(self) -> None: ...


class Session:
    """An open connection, over which one statement at a time is said. Every failure comes as a HubError."""

    def __init__(self, connection: _Connection, login: Login, guard: Guard) -> None:
        self._connection, self._login, self._guard = connection, login, guard

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; what was not read is not read, and an open transaction is rolled back.

        The guard goes first: a driver that still waits for something meets the end of its connection.
        """
        self._guard.close()
        self._connection.close()

    def rows(self, statement: Sql) -> list[Row]:
        """All rows of a short answer. Raises ErpRefused `answer_too_long` for one that would not fit in memory."""
        with self._explained():
            cursor = self._connection.cursor()
            cursor.execute(statement)
            found = cursor.fetchmany(LONGEST_ANSWER + 1) if cursor.description else []
        if len(found) > LONGEST_ANSWER:
            raise ErpRefused(
                f"The server answers a question about its databases or days with more than {LONGEST_ANSWER} rows. If a"
                " date is mapped, check that the column really holds dates.",
                code="answer_too_long",
            )
        return found

    def say(self, *statements: Sql) -> None:
        """Statements that answer nothing."""
        for statement in statements:
            with self._explained():
                self._connection.cursor().execute(statement)

    def stream(self, statement: Sql) -> "Stream":
        """A long answer, to be fetched in parts. Nothing else can be said until it has been read."""
        with self._explained():
            cursor = self._connection.cursor()
            cursor.execute(statement)
        return Stream(cursor, self._guard, self._explained)

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
        import pymssql

        seconds = min(ANSWER_SECONDS, deadlines.current().left)
        if seconds <= 0:
            raise errors.out_of_time()
        try:
            with self._guard.within(seconds):
                yield
        except pymssql.Error as error:
            if self._guard.timed_out:
                raise errors.too_slow(seconds) from error
            if self._guard.problem is not None:
                raise self._guard.problem from error
            raise errors.running(error, [self._login.password]) from error
        except (ValueError, ArithmeticError) as error:  # a day that there is not, a number that is none
            raise errors.unreadable(error) from error


class Stream:
    """Rows that are still to come, and come fast enough."""

    def __init__(self, cursor: _Cursor, guard: Guard, explained: Any) -> None:
        self._cursor = cursor
        self._guard = guard
        self._explained = explained
        self._waited, self._received_before = 0.0, guard.bytes_received

    def next(self, count: int) -> list[Row]:
        """At most `count` further rows; none at the end. Raises Unavailable when they take too long or break off."""
        began = time.monotonic()
        with self._explained():
            rows = self._cursor.fetchmany(count)
            if not rows:
                self._guard.require_whole()
        self._waited += time.monotonic() - began
        if self._waited >= PROGRESS_SECONDS:
            received = self._guard.bytes_received - self._received_before
            if rows and received < PROGRESS_BYTES:
                raise errors.too_little(received, self._waited)
            self._waited, self._received_before = 0.0, self._guard.bytes_received
        return rows


def connect(channel: Channel, server_name: str, login: Login, redirect: Redirect) -> Session:
    """Log in over an encrypted channel, which is the session's from now on.

    Raises CredentialsRefused, ErpRefused, Unavailable.
    """
    import pymssql

    if "\0" in login.user + login.password:
        channel.close()
        raise ErpRefused("A login or password cannot hold a NUL character.", code="credentials_form")
    _forget_files_of_others(os.getpid())
    seconds = min(LOGIN_SECONDS, deadlines.current().left)
    guard = Guard(channel, redirect, Account(server_name, login.password), seconds).start()
    try:
        connection = pymssql.connect(
            server=LOOPBACK,
            port=str(guard.port),
            user=login.user,
            password=login.password if login.is_windows else guard.token,
            database=login.database,
            login_timeout=LOGIN_SECONDS + 5,  # the guard ends it before
            timeout=0,
            tds_version="7.4",
            encryption="off",  # between here and the guard
            autocommit=True,
            charset="UTF-8",
            appname=guard.token,
        )
        guard.require_signed_in()
    except (pymssql.Error, pymssql._mssql.MSSQLException) as error:  # pyright: ignore[reportPrivateUsage]
        guard.close()
        raise _why(error, guard, login, seconds) from error
    except HubError:
        guard.close()
        raise
    return Session(cast(_Connection, connection), login, guard)


def _why(error: Exception, guard: Guard, login: Login, seconds: float) -> HubError:
    if guard.problem is not None:
        return guard.problem
    if guard.timed_out:
        return errors.too_slow(seconds)
    return errors.connecting(error, guard.login_errors, [login.password])


@lru_cache
def _forget_files_of_others(_process: int) -> Path:
    """FreeTDS looks for files of the machine's owner; it is shown an empty one, once, before it is first used:
    changing the environment is not safe later, when other threads may be reading it.
    """
    folder = Path(tempfile.mkdtemp(prefix="erphub-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "freetds.conf"
    path.write_text("", "utf-8")
    os.putenv("FREETDSCONF", str(path))  # for the C library that FreeTDS asks; our own settings stay untouched
    return path
