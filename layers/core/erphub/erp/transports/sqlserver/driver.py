"""A connection to a SQL Server over pymssql, made so that it cannot be plain, unverified or misdirected by accident.

pymssql has no parameter for the address behind a name, for an authority, or for the name a certificate must bear.
FreeTDS below it reads them from a file, so each connection is described in that file, under a lock, for as long as it
takes to connect:

* `host` is the address that was judged (network.py), so the name is not resolved a second time;
* `ca file` and `certificate hostname` make FreeTDS verify what tls.py has verified just before;
* `encryption = require` and TDS 7.4 are given twice, because without them FreeTDS may fall back to sending the
  password in the clear.
"""

import atexit
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, cast

from erphub.erp.transports.sqlserver import browser, errors, messages
from erphub.erp.transports.sqlserver.statements import (
    BEGIN,
    COMMIT,
    LOCK_TIMEOUT,
    READ_COMMITTED,
    SNAPSHOT,
    Sql,
    literal,
)
from erphub.platform.errors import ErpRefused, HubError, Unavailable
from erphub.platform.outbound.addresses import IP, Resolver, system_resolver

# The driver keeps these per process, not per connection: they are constants, so that no thread changes another's.
LOGIN_SECONDS = 15
ANSWER_SECONDS = 100
"""The longest silence while waiting for an answer or for the next rows."""
CONNECT_SECONDS = 5.0
LOCK_MILLISECONDS = 60_000
LONGEST_ANSWER = 200_000
"""More companies than anybody has, and more days than any ledger."""

_CONNECTING = threading.Lock()

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
        return socket.create_connection((str(self.ip), self.port), CONNECT_SECONDS)


@dataclass(frozen=True)
class Trust:
    """What the server's certificate must be: issued under `ca_file` and bearing `name`. None of both is no trust."""

    ca_file: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Login:
    """Who we are to the server. The password is kept out of any text made of this."""

    user: str
    password: str = field(repr=False)


class _Cursor(Protocol):
    description: Sequence[Any] | None

    def execute(self, operation: str) -> None: ...
    def fetchmany(self, size: int) -> list[Row]: ...


class _Connection(Protocol):
    def cursor(self) -> _Cursor: ...
    def close(self) -> None: ...


class Session:
    """An open connection, over which one statement at a time is said. Every failure comes as a HubError."""

    def __init__(self, connection: _Connection, login: Login) -> None:
        self._connection = connection
        self._login = login

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; what was not read is not read, and an open transaction is rolled back."""
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
        return Stream(cursor, self._explained)

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

        try:
            yield
        except pymssql.Error as error:
            raise errors.running(error, [self._login.password]) from error


class Stream:
    """Rows that are still to come."""

    def __init__(self, cursor: _Cursor, explained: Any) -> None:
        self._cursor = cursor
        self._explained = explained

    def next(self, count: int) -> list[Row]:
        """At most `count` further rows; none at the end. Raises Unavailable when the connection breaks."""
        with self._explained():
            return self._cursor.fetchmany(count)


def connect(route: Route, login: Login, trust: Trust) -> Session:
    """Log in. Raises CredentialsRefused, ErpRefused, Unavailable; never connects without encryption."""
    import pymssql

    if "\0" in login.user + login.password:
        raise ErpRefused("A login or password cannot hold a NUL character.", code="credentials_form")
    with _CONNECTING, _described(route, trust), messages.heard() as heard:
        try:
            connection = pymssql.connect(
                server=route.host,
                port=str(route.port),
                user=login.user,
                password=login.password,
                database="",
                login_timeout=LOGIN_SECONDS,
                timeout=ANSWER_SECONDS,
                tds_version="7.4",
                encryption="require",
                autocommit=True,
                charset="UTF-8",
                appname="ERP Hub",
            )
        except (pymssql.Error, pymssql._mssql.MSSQLException) as error:  # pyright: ignore[reportPrivateUsage]
            raise _why(error, heard, login, trust) from error
    return Session(cast(_Connection, connection), login)


def _why(error: Exception, heard: Sequence[messages.Message], login: Login, trust: Trust) -> HubError:
    problem = errors.connecting(error, heard, [login.password])
    if problem.code == "connection_refused" and trust.name is not None:
        # The handshake before this one was right, so the server is not always the same one.
        return Unavailable(
            "The server showed another certificate than a moment ago, or ended the connection. Nothing was sent to it.",
            code="tls_changed",
        )
    return problem


@contextmanager
def _described(route: Route, trust: Trust) -> Generator[None]:
    """The file FreeTDS reads while it connects. Without it FreeTDS would look for files of the machine's owner."""
    lines = [
        f"[{route.host}]",
        f"host = {route.ip}",
        f"port = {route.port}",
        "tds version = 7.4",
        "encryption = require",
    ]
    if trust.ca_file is not None and trust.name is not None:
        lines += [
            f"ca file = {trust.ca_file}",
            "check certificate hostname = yes",
            f"certificate hostname = {trust.name}",
        ]
    path = _description(os.getpid())
    path.write_text("\n".join([*lines, ""]), "utf-8")
    try:
        yield
    finally:
        path.write_text("", "utf-8")


@lru_cache
def _description(_process: int) -> Path:
    """The file, in a folder of this process. FreeTDS is told of it once: changing the environment is not safe later,
    when other threads may be reading it."""
    folder = Path(tempfile.mkdtemp(prefix="erphub-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "freetds.conf"
    os.putenv("FREETDSCONF", str(path))  # for the C library that FreeTDS asks; our own settings stay untouched
    return path
