"""The three drivers, each behind the same few words, as real programs use them."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

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
    try:
        import mssql_python
    except (ImportError, OSError, RuntimeError) as error:  # its ODBC driver needs libltdl7, libkrb5-3, libgssapi-krb5-2
        pytest.skip(f"mssql-python cannot be loaded here: {error}")
    escaped = "{" + password.replace("}", "}}") + "}"
    text = f"Server={server.host},{server.port};UID={user};PWD={escaped};"
    return mssql_python.connect(text + (extra or "Encrypt=yes;TrustServerCertificate=yes;"), autocommit=True)


CONNECT = {"pymssql": pymssql_connection, "python-tds": pytds_connection, "mssql-python": mssql_connection}


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
