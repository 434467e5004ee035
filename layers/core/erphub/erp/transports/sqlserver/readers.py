"""By what a table is read: as the deployment wishes, as far as login, table and machine allow it."""

from collections.abc import Iterable
from functools import lru_cache
from importlib.util import find_spec

from erphub.erp.transports.sqlserver.drivers import freetds, native
from erphub.erp.transports.sqlserver.drivers.connection import Connection, GuardEndpoint, Login, Reader
from erphub.erp.transports.sqlserver.statements import MAX_NVARCHAR, Column

_LONG_TYPES = frozenset({"text", "ntext", "xml", "image"})


def choose(wanted: Reader, login: Login) -> Reader:
    """What of the wanted reader and pymssql serves a login.

    The native drivers know no NTLM: on Linux a Windows login would need Kerberos.
    """
    return Reader.PYMSSQL if login.is_windows or not is_here(wanted) else wanted


def reads(reader: Reader, columns: Iterable[Column]) -> bool:
    """Whether it is let near these columns.

    A native driver fetches values without a declared limit one by one and keeps the interpreter's lock meanwhile:
    no guard in this process could end a wait. `msodbcsql18` believes a chunk that claims to be of 2 GB as well.
    """
    return reader is Reader.PYMSSQL or not any(map(_is_long, columns))


def _is_long(column: Column) -> bool:
    # Longer text of a code page is asked for as nvarchar(max).
    is_long_text = column.type in ("char", "varchar") and column.max_length > MAX_NVARCHAR
    return column.max_length == -1 or is_long_text or column.type in _LONG_TYPES


@lru_cache
def is_here(reader: Reader) -> bool:
    """Whether this machine has what the reader needs."""
    packages = ["pymssql"] if reader is Reader.PYMSSQL else ["mssql_python", native.PACKAGES[reader]]
    return all(find_spec(package) is not None for package in packages)


def connect(reader: Reader, endpoint: GuardEndpoint, login: Login) -> Connection:
    """Log in by that reader through a guard. Raises DriverError."""
    if reader is Reader.PYMSSQL:
        return freetds.connect(endpoint, login)
    return native.connect(reader, endpoint, login)
