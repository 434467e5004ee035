"""Does what the hub's statements ask, one method per statement, with SQL Server's results and refusals.

Closed by design: what is not on the hub's list is never run. Values are computed by DuckDB a column at a time.
"""
# pyright: reportUnknownMemberType=false

from dataclasses import dataclass, field
from typing import Protocol

import duckdb

from local.sqlserver import errors, grammar
from local.sqlserver.catalogue import Catalogue, Database, Login, Table, sql_name
from local.sqlserver.results import Answer, fault, small, streamed
from local.sqlserver.translation import expression_sql, select_list, where_sql
from local.sqlserver.types import ResultColumn, SqlType
from local.sqlserver.wire import VERSION_TEXT, change_token, message_token, short_text


@dataclass
class Context:
    """What a signed-in session carries from statement to statement."""

    catalogue: Catalogue
    login: Login
    cursor: duckdb.DuckDBPyConnection
    number: int
    server_name: str
    database: str = "master"
    snapshot: bool = False
    depth: int = 0
    versioned: bool = False
    lock_timeout: int = -1
    options: dict[str, str] = field(default_factory=dict[str, str])
    row_count: int = 0
    """What ROWCOUNT_BIG() says: how many rows the statement before gave."""

    def current(self) -> Database:
        """The database the session is in; SqlError 911 when it was dropped meanwhile."""
        found = self.catalogue.find(self.database)
        if found is None:
            raise errors.no_database(self.database)
        return found

    def enter(self, name: str) -> bytes:
        """`USE`: checks existence, state and rights; returns the tokens that tell the client."""
        found = self.catalogue.find(name)
        if found is None:
            raise errors.no_database(name)
        if found.state == "OFFLINE":
            raise errors.offline(found.name)
        if found.state == "RESTORING":
            raise errors.restoring(found.name)
        if not found.may_enter(self.login):
            raise errors.no_access(self.login.name, found.name)
        before, self.database = self.database, found.name
        said = errors.SqlError(5701, f"Changed database context to '{found.name}'.", 0, 2)
        return change_token(1, short_text(found.name), short_text(before)) + message_token(
            said, self.server_name, information=True
        )

    def begin(self) -> None:
        """A transaction; under SNAPSHOT everything in it is read as of now."""
        self.depth += 1
        if self.snapshot and not self.versioned:
            self.cursor.execute("BEGIN TRANSACTION")
            self.versioned = True

    def end(self, *, keep: bool = True) -> None:
        """COMMIT or ROLLBACK."""
        if self.depth == 0:
            raise errors.no_transaction()
        self.depth = self.depth - 1 if keep else 0
        if self.depth == 0 and self.versioned:
            self.cursor.execute("COMMIT" if keep else "ROLLBACK")
            self.versioned = False

    def abort(self) -> None:
        """A deadlock or a reset takes the whole transaction away."""
        if self.depth:
            self.end(keep=False)


class Method(Protocol):
    """How one statement is executed."""

    def __call__(self, context: Context, asked: grammar.Asked, /) -> Answer:
        """Raises SqlError."""
        ...


def execute(context: Context, asked: grammar.Asked) -> Answer:
    """Run one statement of the hub's list; raises SqlError as the server would."""
    method = _METHODS.get(asked.name)
    if method is None:
        raise errors.syntax(f"(statement {asked.name}, which the stand-in server cannot execute yet)")
    try:
        return method(context, asked)
    except duckdb.Error as error:
        raise fault(error) from error


def _identity(context: Context, _: grammar.Asked) -> Answer:
    row = (context.server_name, VERSION_TEXT, "ERP Hub stand-in", context.login.name)
    return small([("", "nvarchar(128)")] * 4, [row])


def _databases(context: Context, _: grammar.Asked) -> Answer:
    shape = [
        ("name", "nvarchar(128)"),
        ("", "int"),
        ("state_desc", "nvarchar(60)"),
        ("snapshot_isolation_state", "tinyint"),
        ("", "varchar(36)"),
    ]
    rows = [
        (each.name, access(context.login, each), each.state, int(each.snapshot), str(each.guid).upper())
        for each in context.catalogue.sorted_databases()
    ]
    return small(shape, rows)


def access(login: Login, database: Database) -> int | None:
    """HAS_DBACCESS: 0 for a database that is offline (as documented), NULL while it is being restored."""
    if database.state == "RESTORING":
        return None
    return int(database.state == "ONLINE" and database.may_enter(login))


def _use(context: Context, asked: grammar.Asked) -> Answer:
    return Answer(changes=context.enter(grammar.name(asked.holes["database"])), command=0xE0)


def _objects(context: Context, _: grammar.Asked) -> Answer:
    tables = sorted(context.current().tables.values(), key=lambda each: (each.schema.casefold(), each.name.casefold()))
    shape = [("name", "nvarchar(128)"), ("name", "nvarchar(128)"), ("", "varchar(2)")]
    return small(shape, [(each.schema, each.name, each.kind) for each in tables])


def _columns(context: Context, asked: grammar.Asked) -> Answer:
    shape = [
        ("name", "nvarchar(128)"),
        ("name", "nvarchar(128)"),
        ("max_length", "smallint"),
        ("precision", "tinyint"),
        ("scale", "tinyint"),
        ("is_nullable", "bit"),
    ]
    table = _named_object(context, asked.holes["object"])
    rows = [
        (each.name, each.type.name, *each.type.described, each.nullable) for each in (table.columns if table else ())
    ]
    return small(shape, rows)


def _may_read(context: Context, asked: grammar.Asked) -> Answer:
    table = _named_object(context, asked.holes["object"])
    answer = None if table is None else int(context.current().may_read(context.login, table))
    return small([("", "int")], [(answer,)])


def _named_object(context: Context, hole: str) -> Table | None:
    """The table OBJECT_ID would find."""
    value = grammar.value(hole)
    names = grammar.object_name(value) if isinstance(value, str) else None
    return context.current().find(*names) if names else None


def _source(context: Context, asked: grammar.Asked) -> Table:
    """The table a statement reads, when it is there and may be read."""
    schema, name = grammar.name(asked.holes["schema"]), grammar.name(asked.holes["table"])
    database = context.current()
    if context.snapshot and not database.snapshot:
        raise errors.snapshot_not_allowed(database.name)
    table = database.find(schema, name)
    if table is None:
        raise errors.no_object(f"{schema}.{name}")
    if not database.may_read(context.login, table):
        raise errors.select_denied(table.name, database.name, table.schema)
    return table


def _one_row(context: Context, asked: grammar.Asked) -> Answer:
    table = _source(context, asked)
    picked, shape = select_list(table, asked.holes["columns"])
    return streamed(context.cursor, f"SELECT {picked} FROM {table.physical} LIMIT 1", shape)


def _rows(context: Context, asked: grammar.Asked) -> Answer:
    table = _source(context, asked)
    picked, shape = select_list(table, asked.holes["columns"])
    where = where_sql(table, asked.holes["where"])
    return streamed(context.cursor, f"SELECT {picked} FROM {table.physical}{where}", shape)


def _extent(context: Context, asked: grammar.Asked) -> Answer:
    table = _source(context, asked)
    key = table.column(grammar.name(asked.holes["key"]))
    ends: list[str] = []
    for function in ("min", "max"):
        if key.type.name == "bit":
            raise errors.bad_operand("bit", function)
        column = sql_name(key.name)
        value = f"arg_{function}({column}, lower({column}))" if key.type.is_text else f"{function}({column})"
        ends.append(key.type.wire_sql(value))
    named = [f"{part} AS c{place}" for place, part in enumerate(["count(*)", *ends])]
    sql = f"SELECT {', '.join(named)} FROM {table.physical}{where_sql(table, asked.holes['where'])}"
    shape = [ResultColumn("", SqlType("bigint")), ResultColumn("", key.type), ResultColumn("", key.type)]
    return streamed(context.cursor, sql, shape)


def _counts(context: Context, asked: grammar.Asked) -> Answer:
    return _grouped(context, asked, "")


def _totals(context: Context, asked: grammar.Asked) -> Answer:
    return _grouped(context, asked, asked.holes["total"])


def _grouped(context: Context, asked: grammar.Asked, totals: str) -> Answer:
    """Rows, and sums, per value of one column or of its day; NULL comes first, as the server sorts."""
    table = _source(context, asked)
    (wanted,) = grammar.columns(asked.holes["period"])
    period = table.column(wanted.column)
    if wanted.width is None:
        column, kind = sql_name(period.name), period.type
        group = f"lower({column})" if kind.is_text else column
        shown = kind.wire_sql(f"min({column})" if kind.is_text else column)
    else:
        shown, kind = expression_sql(table, wanted)
        group = shown
    shape = [ResultColumn(period.name, kind), ResultColumn("", SqlType("bigint"))]
    picked = [f"{shown} AS c0", "count(*) AS c1"]
    for place, expression in enumerate(grammar.columns(totals) if totals else ()):
        sql, kind = expression_sql(table, expression)
        picked.append(f"{sql} AS s{place}")
        shape.append(ResultColumn("", kind))
    where = where_sql(table, asked.holes["where"])
    return streamed(
        context.cursor,
        f"SELECT {', '.join(picked)} FROM {table.physical}{where} GROUP BY {group} ORDER BY {group} NULLS FIRST",
        shape,
    )


def _row_count(context: Context, _: grammar.Asked) -> Answer:
    return small([("", "bigint")], [(context.row_count,)])


def _lock_timeout(context: Context, asked: grammar.Asked) -> Answer:
    value = grammar.value(asked.holes["milliseconds"])
    if not isinstance(value, int):
        raise errors.syntax("SET LOCK_TIMEOUT " + asked.holes["milliseconds"])
    context.lock_timeout = value
    return Answer(command=0xF9)


def _snapshot(context: Context, _: grammar.Asked) -> Answer:
    context.snapshot = True
    return Answer(command=0xF9)


def _read_committed(context: Context, _: grammar.Asked) -> Answer:
    context.snapshot = False
    return Answer(command=0xF9)


def _begin(context: Context, _: grammar.Asked) -> Answer:
    context.begin()
    return Answer(command=0xD4)


def _commit(context: Context, _: grammar.Asked) -> Answer:
    context.end()
    return Answer(command=0xD5)


_METHODS: dict[str, Method] = {
    "identity": _identity,
    "databases": _databases,
    "use": _use,
    "objects": _objects,
    "columns": _columns,
    "may_read": _may_read,
    "one_row": _one_row,
    "extent": _extent,
    "counts": _counts,
    "totals": _totals,
    "rows": _rows,
    "row_count": _row_count,
    "lock_timeout": _lock_timeout,
    "snapshot": _snapshot,
    "read_committed": _read_committed,
    "begin": _begin,
    "commit": _commit,
}
# What the stand-in can execute; a statement the hub gains must gain a method here.
KNOWN = frozenset(_METHODS)
