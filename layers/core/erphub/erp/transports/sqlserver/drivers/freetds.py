"""pymssql: rows as Python objects, over FreeTDS. It knows Windows logins, and reads every type."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, override

from erphub.erp.transports.sqlserver.drivers.connection import (
    Connection,
    DriverError,
    GuardEndpoint,
    Login,
    Reader,
    Row,
)
from erphub.erp.transports.sqlserver.errors import reason

if TYPE_CHECKING:
    from arro3.core import RecordBatch


class _Cursor(Protocol):
    description: Sequence[Any] | None

    def execute(self, operation: str) -> None: ...
    def fetchmany(self, size: int) -> list[Row]: ...


class _Opened(Protocol):
    def cursor(self) -> _Cursor: ...
    def close(self) -> None: ...


class FreeTds(Connection):
    """A connection of pymssql's."""

    reader = Reader.PYMSSQL

    def __init__(self, opened: _Opened) -> None:
        self._opened = opened
        self._cursor: _Cursor | None = None

    @override
    def run(self, statement: str) -> None:
        def run() -> None:
            self._cursor = self._opened.cursor()
            self._cursor.execute(statement)

        _translated(run)

    @override
    def rows(self, most: int) -> list[Row]:
        cursor = self._cursor
        return [] if cursor is None or not cursor.description else _translated(lambda: cursor.fetchmany(most))

    @override
    def batch(self, most: int) -> "RecordBatch":
        raise NotImplementedError("pymssql gives rows, not columns")

    @override
    def close(self) -> None:
        self._opened.close()


def connect(endpoint: GuardEndpoint, login: Login) -> Connection:
    """Log in through a guard. Raises DriverError."""
    import pymssql

    _forget_files_of_others(os.getpid())
    opened = _translated(
        lambda: pymssql.connect(
            server=endpoint.host,
            port=str(endpoint.port),
            user=login.user,
            password=login.password if login.is_windows else endpoint.token,
            database=login.database,
            login_timeout=endpoint.login_seconds,
            timeout=0,
            tds_version="7.4",
            encryption="off",  # between here and the guard
            autocommit=True,
            charset="UTF-8",
            appname=endpoint.token,
        )
    )
    return FreeTds(cast(_Opened, opened))


def _translated[T](ask: Callable[[], T]) -> T:
    import pymssql

    try:
        return ask()
    except (pymssql.Error, pymssql._mssql.MSSQLException) as error:  # pyright: ignore[reportPrivateUsage]
        raise DriverError(*reason(error)) from error


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
