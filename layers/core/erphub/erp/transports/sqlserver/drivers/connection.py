"""What a driver is to the hub: a connection through a guard, over which statements are said and rows come back."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from arro3.core import RecordBatch

type Row = tuple[Any, ...]


class Reader(StrEnum):
    """By what rows are read. The first makes a Python object of every value; the others give Arrow from native code.

    `mssql-odbc` is the driver of mssql-python-rs, `msodbcsql18` Microsoft's ODBC driver: a process loads one of them.
    """

    PYMSSQL = "pymssql"
    MSSQL_ODBC = "mssql-odbc"
    MSODBCSQL18 = "msodbcsql18"


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


@dataclass(frozen=True)
class GuardEndpoint:
    """Where the guard listens, by which alone a driver reaches its server."""

    host: str
    port: int
    token: str = field(repr=False)
    """What the guard wants to be shown: in the password's place, or as the application's name of a Windows login."""
    login_seconds: int


class Cause(StrEnum):
    """Whose failure it was, where the driver can tell."""

    SERVER = "server"
    """The server refused, or the driver does not say who did: number and words decide."""
    CUT = "cut"
    TIMEOUT = "timeout"
    DRIVER = "driver"
    """The driver itself could not do it: another one may."""


class DriverError(Exception):
    """A driver could not do what it was asked. `number` is the server's, or 0."""

    def __init__(self, number: int, message: str, cause: Cause = Cause.SERVER) -> None:
        super().__init__(number, message)
        self.cause = cause


class Connection(Protocol):
    """An open connection, over which one statement at a time is said. Every failure comes as a DriverError."""

    reader: Reader

    def run(self, statement: str) -> None:
        """Say a statement; its answer is fetched next."""
        ...

    def rows(self, most: int) -> list[Row]:
        """At most so many further rows of the answer; none at its end, and none of a statement that answers nothing."""
        ...

    def batch(self, most: int) -> "RecordBatch":
        """The next rows of the answer as Arrow: fewer than so many at its end. Only of a native reader."""
        ...

    def close(self) -> None:
        """Let go of it, whatever state it is in."""
        ...
