"""What stands on the stand-in server: its databases with their tables, and who may see which of them.

Values live in one DuckDB, a schema per database; the types the tables were declared with are kept beside it, because
DuckDB has not all of SQL Server's. Everything may be changed while the server runs.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

import re
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

from local.sqlserver import errors
from local.sqlserver.types import MAX, SqlType, TableColumn

type State = Literal["ONLINE", "OFFLINE", "RESTORING"]
_PAGES_IN_MEMORY = "512MB"
"""Of a store that lies in a file; without a limit it takes four fifths of the machine's memory."""
_SYSTEM = ("master", "tempdb", "model", "msdb")


def sql_name(identifier: str) -> str:
    """The identifier as DuckDB quotes it."""
    return '"' + identifier.replace('"', '""') + '"'


@dataclass
class Login:
    """Somebody who may sign in. A Windows login's name is `DOMAIN\\user`; `sysadmin` may open every database."""

    name: str
    password: str
    windows: bool = False
    sysadmin: bool = False
    disabled: bool = False
    expired: bool = False
    must_change: bool = False
    mapped: bool = True  # a Windows account without a login on this server has False
    default_database: str = "master"
    contained_in: str | None = None
    """The one database whose own user this is: it gets in only by naming that."""


@dataclass
class Table:
    """A table or view, as it was declared; `physical` is where DuckDB keeps its rows."""

    schema: str
    name: str
    columns: tuple[TableColumn, ...]
    physical: str
    object_id: int
    kind: Literal["U", "V"] = "U"
    key: tuple[str, ...] = ()

    def column(self, name: str) -> TableColumn:
        """By name, whatever the case; raises SqlError 207."""
        for column in self.columns:
            if column.name.casefold() == name.casefold():
                return column
        raise errors.no_column(name)


class Database:
    """One database of the server, with its tables and its guests."""

    def __init__(self, catalogue: "Catalogue", number: int, name: str, *, snapshot: bool) -> None:
        self.catalogue = catalogue
        self.number = number
        self.name = name
        self.snapshot = snapshot
        self.state: State = "ONLINE"
        self.guid = uuid.uuid4()
        self.tables: dict[tuple[str, str], Table] = {}
        self.guests: set[str] = set()
        self.denied: set[tuple[str, str, str]] = set()

    def table(
        self,
        name: str,
        columns: Mapping[str, str],
        rows: Iterable[Sequence[Any] | Mapping[str, Any]] = (),
        *,
        view: bool = False,
        key: Sequence[str] = (),
    ) -> Table:
        """Create a table (or what shows as a view) and fill it.

        `name` is `table` (in dbo) or `schema.table`, or a tuple for names with dots in them; `columns` maps names to
        declarations like `int not null`. Raises ValueError when it exists already or a value does not fit its type.
        """
        schema, table_name = ("dbo", name) if "." not in name else tuple(name.split(".", 1))
        declared = tuple(TableColumn.declare(column, text) for column, text in columns.items())
        with self.catalogue.lock:
            place = (schema.casefold(), table_name.casefold())
            if place in self.tables:
                raise ValueError(f"{self.name} has a table {name} already")
            number = self.catalogue.next_object()
            physical = f"{sql_name(f'd{self.number}')}.{sql_name(f'{table_name}#{number}')}"
            shape = ", ".join(f"{sql_name(column.name)} {column.type.stored}" for column in declared)
            self.catalogue.store.execute(f"CREATE SCHEMA IF NOT EXISTS {sql_name(f'd{self.number}')}")
            self.catalogue.store.execute(f"CREATE TABLE {physical} ({shape})")
            made = Table(schema, table_name, declared, physical, number, "V" if view else "U", tuple(key))
            self.tables[place] = made
        self.insert(name, rows)
        return made

    def find(self, schema: str, name: str) -> Table | None:
        """The table of that name, or None."""
        with self.catalogue.lock:
            return self.tables.get((schema.casefold(), name.casefold()))

    def _named(self, name: str) -> Table:
        schema, table_name = ("dbo", name) if "." not in name else tuple(name.split(".", 1))
        table = self.find(schema, table_name)
        if table is None:
            raise ValueError(f"{self.name} has no table {name}")
        return table

    def insert(self, name: str, rows: Iterable[Sequence[Any] | Mapping[str, Any]]) -> int:
        """Append rows, as sequences in column order or as mappings (a missing column is NULL); returns how many."""
        table = self._named(name)
        given = list(rows)
        if not given:
            return 0
        arrays: list[Any] = []
        for place, column in enumerate(table.columns):
            values = [row.get(column.name) if isinstance(row, Mapping) else row[place] for row in given]
            arrays.append(_arrow(column, values))
        names = [f"c{place}" for place in range(len(arrays))]
        self.fill(name, pa.table(arrays, names=names))
        return len(given)

    def fill(self, name: str, arrow: Any) -> None:
        """Append an Arrow table whose columns stand in the table's order and convert to its types."""
        table = self._named(name)
        with self.catalogue.lock:
            store = self.catalogue.store
            store.register("incoming", arrow)
            try:
                picked = ", ".join(
                    f"CAST({sql_name(name)} AS {column.type.stored})"
                    for name, column in zip(arrow.column_names, table.columns, strict=True)
                )
                store.execute(f"INSERT INTO {table.physical} SELECT {picked} FROM incoming")
            finally:
                store.unregister("incoming")

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        """Run DuckDB SQL in which `{Name}` stands for a table of this database; returns its rows."""
        places = re.sub(r"\{([^{}]+)\}", lambda match: self._named(match[1]).physical, text)
        with self.catalogue.lock:
            return self.catalogue.store.execute(places).fetchall()

    def drop_table(self, name: str) -> None:
        """Remove a table and its rows."""
        table = self._named(name)
        with self.catalogue.lock:
            del self.tables[(table.schema.casefold(), table.name.casefold())]
            self.catalogue.store.execute(f"DROP TABLE {table.physical}")

    def drop_column(self, name: str, column: str) -> None:
        """Remove a column of a table."""
        table = self._named(name)
        gone = table.column(column)
        with self.catalogue.lock:
            self.catalogue.store.execute(f"ALTER TABLE {table.physical} DROP COLUMN {sql_name(gone.name)}")
            table.columns = tuple(kept for kept in table.columns if kept is not gone)

    def add_column(self, name: str, column: str, declaration: str) -> None:
        """Append a column, NULL in every row."""
        table = self._named(name)
        declared = TableColumn.declare(column, declaration)
        with self.catalogue.lock:
            self.catalogue.store.execute(
                f"ALTER TABLE {table.physical} ADD COLUMN {sql_name(column)} {declared.type.stored}"
            )
            table.columns = (*table.columns, declared)

    def grant(self, login: str) -> None:
        """The login may enter and read everything."""
        self.guests.add(login.casefold())

    def revoke(self, login: str) -> None:
        """The login may not enter any more."""
        self.guests.discard(login.casefold())

    def deny(self, login: str, name: str) -> None:
        """The login may not read this table."""
        table = self._named(name)
        self.denied.add((login.casefold(), table.schema.casefold(), table.name.casefold()))

    def allow(self, login: str, name: str) -> None:
        """The login may read this table again."""
        table = self._named(name)
        self.denied.discard((login.casefold(), table.schema.casefold(), table.name.casefold()))

    def may_enter(self, login: Login) -> bool:
        """Whether the login has a user here; everybody has in master and tempdb."""
        return login.sysadmin or self.name in ("master", "tempdb", "msdb") or login.name.casefold() in self.guests

    def may_read(self, login: Login, table: Table) -> bool:
        """Whether the login has SELECT on the table."""
        place = (login.name.casefold(), table.schema.casefold(), table.name.casefold())
        return login.sysadmin or place not in self.denied


@dataclass
class Catalogue:
    """A whole server: its databases and its logins. `path` keeps the rows in a file instead of in memory."""

    name: str = "STANDIN"
    path: Path | None = None
    databases: dict[str, Database] = field(default_factory=dict[str, Database])
    logins: dict[str, Login] = field(default_factory=dict[str, Login])
    lock: threading.RLock = field(default_factory=threading.RLock)
    on_drop: list[Callable[[str], None]] = field(default_factory=list[Callable[[str], None]])

    def __post_init__(self) -> None:
        self.store = duckdb.connect(str(self.path) if self.path else ":memory:")
        self.store.execute("SET preserve_insertion_order = true")
        if self.path:
            self.store.execute(f"SET memory_limit = '{_PAGES_IN_MEMORY}'")
        # Standard output begins with the line that says where the server listens.
        self.store.execute("SET enable_progress_bar = false")
        self.objects = 581577110
        self.numbers = 0
        for name in _SYSTEM:
            self.database(name, snapshot=True)

    def next_object(self) -> int:
        """A fresh object_id."""
        self.objects += 16
        return self.objects

    def database(self, name: str, *, snapshot: bool = False, grant: Sequence[str] = ()) -> Database:
        """Create a database; `snapshot` allows SNAPSHOT isolation in it. Raises ValueError when it exists."""
        with self.lock:
            if name.casefold() in self.databases:
                raise ValueError(f"there is a database {name} already")
            self.numbers += 1
            made = Database(self, self.numbers, name, snapshot=snapshot)
            for login in grant:
                made.grant(login)
            self.databases[name.casefold()] = made
            return made

    def find(self, name: str) -> Database | None:
        """The database of that name, whatever the case, or None."""
        with self.lock:
            return self.databases.get(name.casefold())

    def __getitem__(self, name: str) -> Database:
        found = self.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def drop(self, name: str) -> None:
        """Remove a database with its rows; whoever works in it loses the connection."""
        with self.lock:
            gone = self.databases.pop(name.casefold())
            for table in gone.tables.values():
                self.store.execute(f"DROP TABLE {table.physical}")
        for listener in self.on_drop:
            listener(gone.name)

    def login(self, name: str, password: str, *, databases: Sequence[str] = (), **options: Any) -> Login:
        """Create or replace a login (options as in `Login`) and let it into the databases."""
        made = Login(name, password, **options)
        with self.lock:
            self.logins[name.casefold()] = made
        for database in databases:
            self[database].grant(name)
        return made

    def find_login(self, name: str) -> Login | None:
        """The login of that name, whatever the case, or None."""
        with self.lock:
            return self.logins.get(name.casefold())

    def sorted_databases(self) -> list[Database]:
        """All databases by name, as the server's collation sorts them."""
        with self.lock:
            return sorted(self.databases.values(), key=lambda database: database.name.casefold())


def _arrow(column: TableColumn, values: list[Any]) -> Any:
    """Python values as the Arrow array DuckDB takes in; raises ValueError for what does not fit the declaration."""
    kind = column.type
    if not column.nullable and any(value is None for value in values):
        raise ValueError(f"column {column.name} does not allow NULL")
    if kind.is_decimal:
        precision, scale = kind.decimal_digits
        exact = [None if value is None else Decimal(value) for value in values]
        return pa.array(exact, pa.decimal128(precision, scale))
    if kind.is_text:
        return pa.array([_fitting_text(kind, value) for value in values], pa.string())
    if kind.is_binary:
        return pa.array([_fitting_bytes(kind, value) for value in values], pa.binary())
    if kind.name == "uniqueidentifier":
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    if kind.name == "datetimeoffset":
        shape = pa.struct([("utc", pa.timestamp("us")), ("minutes", pa.int16())])
        return pa.array([_zoned(value) for value in values], shape)
    if kind.name in ("datetime", "datetime2", "smalldatetime"):
        return pa.array([_rounded(kind, value) for value in values], pa.timestamp("us"))
    arrow = {
        "bigint": pa.int64(),
        "int": pa.int32(),
        "smallint": pa.int16(),
        "tinyint": pa.uint8(),
        "bit": pa.bool_(),
        "float": pa.float64(),
        "real": pa.float32(),
        "date": pa.date32(),
        "time": pa.time64("us"),
    }
    return pa.array(
        [bool(value) if kind.name == "bit" and value is not None else value for value in values], arrow[kind.name]
    )


def _fitting_text(kind: SqlType, value: Any) -> str | None:
    """The text, padded for char and nchar; raises ValueError when it is too long."""
    if value is None:
        return None
    text = str(value)
    units = len(text.encode("utf-16-le")) // 2 if kind.name.startswith("n") else len(text)
    if kind.length == MAX:
        return text
    if units > kind.length:
        raise ValueError(f"{text!r} would be truncated to {kind}")
    return text + " " * (kind.length - units) if kind.name in ("char", "nchar") else text


def _fitting_bytes(kind: SqlType, value: Any) -> bytes | None:
    """The bytes, padded for binary; raises ValueError when there are too many."""
    if value is None:
        return None
    data = bytes(value)
    if kind.length == MAX:
        return data
    if len(data) > kind.length:
        raise ValueError(f"{len(data)} bytes would be truncated to {kind}")
    return data.ljust(kind.length, b"\0") if kind.name == "binary" else data


def _zoned(value: datetime | None) -> dict[str, Any] | None:
    """A zoned instant as UTC and its offset in minutes."""
    if value is None:
        return None
    offset = value.utcoffset()
    if offset is None:
        raise ValueError("datetimeoffset needs a zone")
    return {"utc": value.astimezone(UTC).replace(tzinfo=None), "minutes": int(offset.total_seconds() // 60)}


def _rounded(kind: SqlType, value: datetime | None) -> datetime | None:
    """As exact as the type is: datetime keeps 1/300 s (shown as .000, .003, .007), smalldatetime whole minutes."""
    if value is None or kind.name == "datetime2":
        return value
    if kind.name == "smalldatetime":
        return value.replace(second=0, microsecond=0)
    ticks = round(value.microsecond * 300 / 1_000_000)
    milliseconds = min((ticks * 10 + 1) // 3, 999)
    return value.replace(microsecond=1000 * milliseconds)
