"""Four drivers, each behind the same few words, as real programs use them.

Microsoft's package loads one of its two native drivers for the life of a process, the one that the environment names:
`make test-sqlserver` runs a second time for the other.
"""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.sqlserver import StandIn

from .conftest import PASSWORD, READER

PYMSSQL = {"tds_version": "7.4", "encryption": "require", "autocommit": True, "login_timeout": 10, "timeout": 30}


def pymssql_connection(server: StandIn, user: str = READER, password: str = PASSWORD, **options: Any) -> Any:
    import pymssql

    return pymssql.connect(server.host, user, password, port=str(server.port), **{**PYMSSQL, **options})


def pytds_connection(server: StandIn, user: str = READER, password: str = PASSWORD, **options: Any) -> Any:
    import pytds

    options = {"autocommit": True, "login_timeout": 10, "use_tz": None, **options}
    return pytds.connect(server.host, user=user, password=password, port=server.port, **options)


def mssql_connection(server: StandIn, user: str = READER, password: str = PASSWORD, extra: str = "") -> Any:
    import mssql_python

    escaped = "{" + password.replace("}", "}}") + "}"
    text = f"Server={server.host},{server.port};UID={user};PWD={escaped};"
    return mssql_python.connect(text + (extra or "Encrypt=yes;TrustServerCertificate=yes;"), autocommit=True)


# msodbcsql18 is Microsoft's ODBC driver, mssql-odbc its successor in Rust.
MICROSOFT = os.environ.get("MSSQL_PYTHON_NATIVE_PROVIDER", "msodbcsql18")
CONNECT = {"pymssql": pymssql_connection, "python-tds": pytds_connection, MICROSOFT: mssql_connection}


@contextmanager
def cursor(client: str, server: StandIn, **options: Any) -> Iterator[Any]:
    """An open cursor of that client; closed with its connection afterwards."""
    connection = CONNECT[client](server, **options)
    try:
        yield connection.cursor()
    finally:
        with contextlib.suppress(Exception):  # the Microsoft driver complains when the line was cut
            connection.close()


def rows(cursor: Any, text: str) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    cursor.execute(str(text))
    return [tuple(row) for row in cursor.fetchall()]
