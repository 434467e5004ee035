"""mssql-python: answers as Arrow record batches, made by native code.

The package's public Arrow calls want pyarrow, which has no place in Lambda, and its cursor forgets a failed statement's
number. So this module, and no other, calls the package's native functions themselves; they are private, which is why
its version is pinned and `tests/erp/transports/sqlserver/test_native_functions.py` fails by name when one has changed.

Neither driver is believed. `msodbcsql18` ends an answer whose connection broke between two rows as if it were
complete, and says so in a message alone: after every call each message must be of SQLSTATE class 01, and none of them
may say that something was cut short. Whether all rows came is asked of the server besides (`Session.confirm`).
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, override

from erphub.erp.transports.sqlserver.buffers import values_of
from erphub.erp.transports.sqlserver.drivers.connection import (
    Cause,
    Connection,
    DriverError,
    GuardEndpoint,
    Login,
    Reader,
    Row,
)
from erphub.erp.transports.sqlserver.errors import is_known_by_message

if TYPE_CHECKING:
    from arro3.core import RecordBatch

FUNCTIONS: Final = (
    "DDBCSQLExecDirect",
    "DDBCSQLFetchArrowBatch",
    "DDBCSQLGetAllDiagRecords",
    "DDBCSQLNumResultCols",
    "DDBCSQLResetStmt",
)
"""What is called of the package's `ddbc_bindings`."""
PACKAGES: Final = {Reader.MSSQL_ODBC: "mssql_py_core", Reader.MSODBCSQL18: "mssql_python_odbc"}
"""Where the driver behind a reader lies."""
_AS_UNICODE = -8
"""SQL_C_WCHAR: text of a code page is asked for in UTF-16, as the driver knows it, not in the machine's locale."""
_ROWS_AT_ONCE = 500
"""Of short answers: the driver makes room for so many rows of every column at its declared width."""
_LOST = ("[01004]", "[01S07]")
"""SQLSTATE 01004: a value was cut short; 01S07: a fraction was. Both are of class 01, and neither may happen."""
_MESSAGE = re.compile(r"\[(\w*)\](?: \((-?\d+)\))?")
_FROM_SERVER = "[SQL Server]"


def _package() -> Any:
    """mssql-python, whose stubs leave out what is used here."""
    import mssql_python

    return mssql_python


@lru_cache
def load(reader: Reader) -> Any:
    """The package's native functions, with the driver of that reader.

    Raises ImportError when it is not here, or when the process has loaded the other one.
    """
    from mssql_python import ddbc_bindings

    mssql_python = _package()
    mssql_python.native_provider = reader.value
    mssql_python.pooling(enabled=False)  # a connection is one guard's, and ends with it
    loaded = mssql_python.get_native_provider_info()["id"]
    if loaded != reader.value:
        raise ImportError(f"this process reads with {loaded}, not with {reader.value}")
    return ddbc_bindings


class Native(Connection):
    """A connection of mssql-python's, with one statement that is used again and again."""

    def __init__(self, opened: Any, functions: Any, reader: Reader) -> None:
        self.reader = reader
        self._opened, self._functions = opened, functions
        self._cursor = opened.cursor()  # its statement ends with it
        self._statement = self._cursor.hstmt

    @override
    def run(self, statement: str) -> None:
        self._functions.DDBCSQLResetStmt(self._statement)
        self._checked(lambda _: self._functions.DDBCSQLExecDirect(self._statement, statement))

    @override
    def rows(self, most: int) -> list[Row]:
        found: list[Row] = []
        if not self._translated(lambda: self._functions.DDBCSQLNumResultCols(self._statement)):
            return found
        while len(found) < most:
            asked = min(_ROWS_AT_ONCE, most - len(found))
            batch = self.batch(asked)
            found += zip(*map(values_of, batch.columns), strict=True)
            if batch.num_rows < asked:
                break
        return found

    @override
    def batch(self, most: int) -> "RecordBatch":
        from arro3 import core

        capsules: list[object] = []
        batches: Any = core.RecordBatch

        def fetch(messages: list[tuple[str, str]]) -> int:
            return self._functions.DDBCSQLFetchArrowBatch(self._statement, capsules, most, _AS_UNICODE, messages)

        self._checked(fetch)
        return self._translated(lambda: batches.from_arrow_pycapsule(*capsules))

    @override
    def close(self) -> None:
        try:
            self._opened.close()
        except RuntimeError:
            return  # its guard was closed before it: there is nobody it could take leave of

    def _checked(self, ask: Callable[[list[tuple[str, str]]], int]) -> None:
        """Ask, and look at what was said beside the answer. Raises DriverError."""
        messages: list[tuple[str, str]] = []
        code = self._translated(lambda: ask(messages))
        if code != 0:
            messages += self._functions.DDBCSQLGetAllDiagRecords(self._statement)
        for state, message in messages:
            if code < 0 or not state.startswith("[01") or state.startswith(_LOST):
                raise _error(state, message)
        if code < 0:
            raise DriverError(0, "the driver failed without a word", Cause.DRIVER)

    def _translated[T](self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except (_package().exceptions.Exception, RuntimeError, ValueError, TypeError) as error:
            # What the server says among the rows comes without its number: known words decide, or pymssql hears it.
            said = str(error).rpartition(_FROM_SERVER)[2]
            cause = Cause.SERVER if _FROM_SERVER in str(error) and is_known_by_message(said) else Cause.DRIVER
            raise DriverError(0, said, cause) from error


def _error(state: str, message: str) -> DriverError:
    """What a diagnostic record `[40001] (1205)` with its words means."""
    found = _MESSAGE.match(state)
    sqlstate, number = (found[1], int(found[2] or 0)) if found else ("", 0)
    if _FROM_SERVER in message:
        return DriverError(number, message.rpartition(_FROM_SERVER)[2])
    if sqlstate.startswith("08"):
        return DriverError(0, message, Cause.CUT)
    if sqlstate.startswith("HYT"):
        return DriverError(0, message, Cause.TIMEOUT)
    return DriverError(0, f"{sqlstate} {message}", Cause.DRIVER)


def connect(reader: Reader, endpoint: GuardEndpoint, login: Login) -> Connection:
    """Log in through a guard. Raises DriverError."""
    try:
        functions, package = load(reader), _package()
    except (ImportError, OSError) as error:
        raise DriverError(0, str(error), Cause.DRIVER) from error
    wanted = {
        "Server": f"tcp:{endpoint.host},{endpoint.port}",
        "UID": _braced(login.user),
        "PWD": _braced(endpoint.token),
        "Encrypt": "no",  # between here and the guard
        "ConnectRetryCount": "0",  # a guard takes one connection
    }
    if login.database:
        wanted["Database"] = _braced(login.database)
    try:
        opened = package.connect(
            ";".join(f"{name}={value}" for name, value in wanted.items()),
            autocommit=True,
            timeout=endpoint.login_seconds,
        )
        return Native(opened, functions, reader)
    except (package.exceptions.Exception, RuntimeError, ValueError, OSError) as error:
        raise DriverError(0, str(error), Cause.DRIVER) from error


def _braced(value: str) -> str:
    """A value in which nothing ends it early. Source: Microsoft, "SQLDriverConnect function", special characters."""
    return "{" + value.replace("}", "}}") + "}"
