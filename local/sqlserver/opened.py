"""Open mode: runs whatever T-SQL query can be translated, so that other tools can be measured against the same data.

Only queries; control flow, declarations and changes are refused by name, because a translation that dropped them in
silence would measure something else. Never used by the hub's own tests: those see only the closed list.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportPrivateImportUsage=false, reportUnknownLambdaType=false
# (sqlglot re-exports its expressions without saying so)

import uuid
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from local.sqlserver import drivers, errors, grammar
from local.sqlserver.catalogue import Database, sql_name
from local.sqlserver.executor import Context, access
from local.sqlserver.requests import Parameter, Scalar
from local.sqlserver.results import Answer, fault, streamed
from local.sqlserver.types import ResultColumn, SqlType, TableColumn
from local.sqlserver.views import VIEWS
from local.sqlserver.wire import VERSION_TEXT

_LONG = SqlType("nvarchar", length=4000)
_TYPES: dict[str, SqlType] = {
    "BOOLEAN": SqlType("bit"),
    "TINYINT": SqlType("smallint"),
    "UTINYINT": SqlType("tinyint"),
    "SMALLINT": SqlType("smallint"),
    "INTEGER": SqlType("int"),
    "BIGINT": SqlType("bigint"),
    "HUGEINT": SqlType("decimal", precision=38),
    "FLOAT": SqlType("real"),
    "DOUBLE": SqlType("float"),
    "VARCHAR": _LONG,
    "DATE": SqlType("date"),
    "TIME": SqlType("time", scale=7),
    "TIMESTAMP": SqlType("datetime2", scale=7),
    "UUID": SqlType("uniqueidentifier"),
    "BLOB": SqlType("varbinary", length=8000),
}
_AS_IS = frozenset(_TYPES) - {"TINYINT", "HUGEINT"} | {"STRUCT(utc TIMESTAMP, minutes SMALLINT)"}


def execute(context: Context, text: str, values: dict[str, Parameter]) -> Iterator[Answer]:
    """The answers of a batch. Raises SqlError for what cannot be parsed, translated or run."""
    try:
        parsed = [each for each in sqlglot.parse(text, read="tsql") if each is not None]
    except SqlglotError as error:
        raise errors.syntax(text) from error
    if not parsed:
        yield Answer()
    for statement in parsed:
        if isinstance(statement, exp.Query):
            yield _query(context, statement, values)
            continue
        own = drivers.answer(context, statement.sql(dialect="tsql"))
        if own is None:
            raise errors.syntax(text)
        yield own


def _query(context: Context, query: exp.Query, values: dict[str, Parameter]) -> Answer:
    """One query: names and functions replaced, translated, its types found, streamed."""
    sources: dict[str, list[TableColumn]] = {}
    tree = query.transform(lambda node: _replaced(context, node, values))
    local = {each.alias.casefold() for each in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if not (isinstance(table.this, exp.Identifier) and not table.db and table.name.casefold() in local):
            _placed(context, table, sources)
    for count in list(tree.find_all(exp.Count)):
        if not isinstance(count.parent, exp.Cast):
            count.replace(exp.cast(count.copy(), "bigint" if count.args.get("big_int") else "int"))
    for kind in list(tree.find_all(exp.DataType)):
        if kind.expressions and kind.is_type(*exp.DataType.TEXT_TYPES):
            kind.set("expressions", [])  # DuckDB's texts have no length, and (max) is no number to it
    for division in list(tree.find_all(exp.Div)):
        by = exp.paren(division.expression.copy())
        otherwise = exp.func("error", exp.Literal.string(errors.DIVIDED_BY_ZERO))
        division.set("expression", exp.case().when(by.eq(0), otherwise).else_(by))
    for like in list(tree.find_all(exp.Like)):
        like.replace(exp.ILike(this=like.this, expression=like.expression))
    try:
        sql = tree.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
        described = context.cursor.sql(sql)
        names, types = list(described.columns), [str(each) for each in described.types]
    except SqlglotError as error:
        raise errors.syntax(query.sql(dialect="tsql")) from error
    except duckdb.Error as error:
        raise _explained(error) from error
    shown = _shown_names(tree, names)
    declared = _declared(tree, sources, len(names))
    picked: list[str] = []
    shape: list[ResultColumn] = []
    for place, (kind, known) in enumerate(zip(types, declared, strict=True)):
        target = known if known is not None and known.stored.split("(")[0] == kind.split("(")[0] else _type(kind)
        column = f"c{place}" if kind in _AS_IS or kind.startswith("DECIMAL") else f"CAST(c{place} AS {target.stored})"
        picked.append(target.wire_sql(column))
        shape.append(ResultColumn(shown[place], target))
    if picked != [f"c{place}" for place in range(len(names))]:
        inner = ", ".join(f"c{place}" for place in range(len(names)))
        out = ", ".join(f"{column} AS c{place}" for place, column in enumerate(picked))
        sql = f"SELECT {out} FROM ({sql}) AS answer({inner})"
    return streamed(context.cursor, sql, shape)


def _type(kind: str) -> SqlType:
    """SQL Server's type for a DuckDB one."""
    if kind.startswith("DECIMAL"):
        return SqlType.parse(kind.lower())
    if kind.startswith("TIMESTAMP"):
        return _TYPES["TIMESTAMP"]
    return _TYPES.get(kind, SqlType("int") if "NULL" in kind else _LONG)


def _shown_names(tree: exp.Expression, names: list[str]) -> list[str]:
    """Columns keep their names; expressions without an alias have none."""
    selects = tree.selects if isinstance(tree, exp.Query) else []
    if len(selects) != len(names):  # a star among them
        return names
    return [each.alias_or_name if isinstance(each, exp.Alias | exp.Column) else "" for each in selects]


def _declared(tree: exp.Expression, sources: dict[str, list[TableColumn]], count: int) -> list[SqlType | None]:
    """The declared types of those columns that come straight from one table."""
    known = {column.name.casefold(): column.type for columns in sources.values() for column in columns}
    selects = tree.selects if isinstance(tree, exp.Query) else []
    if len(selects) == 1 and isinstance(selects[0], exp.Star) and len(sources) == 1:
        columns = next(iter(sources.values()))
        return [column.type for column in columns] if len(columns) == count else [None] * count
    if len(selects) != count:
        return [None] * count
    out: list[SqlType | None] = []
    for each in selects:
        inner = each.unalias()
        if isinstance(inner, exp.Column):
            table = sources.get(inner.table.casefold()) if inner.table else None
            own = {column.name.casefold(): column.type for column in table} if table else known
            out.append(own.get(inner.name.casefold()))
        else:
            out.append(None)
    return out


def _placed(context: Context, table: exp.Table, sources: dict[str, list[TableColumn]]) -> None:
    """A table's name becomes the place where its rows are."""
    if not isinstance(table.this, exp.Identifier):
        raise errors.syntax(f"{table.sql(dialect='tsql')} (a table-valued function)")
    database = context.current() if not table.catalog else _other(context, table.catalog)
    schema, name = table.db or "dbo", table.name
    table.set("hints", None)
    view = VIEWS.get(f"{schema}.{name}".casefold())
    alias = table.alias or name
    if view is not None:
        registered = f"{database.number}.{schema}.{name}".casefold()
        context.cursor.register(registered, view.arrow(context, database))
        columns, physical = view.declared, sql_name(registered)
    else:
        found = database.find(schema, name)
        if found is None:
            raise errors.no_object(f"{schema}.{name}")
        if not database.may_read(context.login, found):
            raise errors.select_denied(found.name, database.name, found.schema)
        columns, physical = list(found.columns), found.physical
    sources[alias.casefold()] = columns
    where = sqlglot.parse_one(f"SELECT * FROM {physical}", read="duckdb").find(exp.Table)
    if where is None:
        raise errors.no_object(name)
    if not table.alias:
        _unqualify(table)
    where.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    for join in table.args.get("joins") or []:
        where.append("joins", join)
    table.replace(where)


def _unqualify(table: exp.Table) -> None:
    """`dbo.AcTr.AcNo` is `AcTr.AcNo` now that the table has an alias."""
    select = table.find_ancestor(exp.Select)
    for column in list(select.find_all(exp.Column)) if select is not None else []:
        if column.name and column.table.casefold() == table.name.casefold():
            column.set("db", None)
            column.set("catalog", None)


def _other(context: Context, name: str) -> Database:
    found = context.catalogue.find(name)
    if found is None:
        raise errors.no_object(name)
    if not found.may_enter(context.login):
        raise errors.no_access(context.login.name, name)
    return found


def _replaced(context: Context, node: exp.Expression, values: dict[str, Parameter]) -> exp.Expression:
    """Variables and functions that DuckDB has not."""
    if isinstance(node, exp.Parameter):
        name = node.this.name if isinstance(node.this, exp.Expression) else str(node.this)
        if isinstance(node.this, exp.Parameter):
            return _constant(context, node.this.name)
        parameter = values.get(f"@{name}")
        if parameter is None:
            raise errors.SqlError(137, f'Must declare the scalar variable "@{name}".', 15)
        return _literal(parameter.value, parameter.type)
    if isinstance(node, exp.SessionParameter):
        return _constant(context, node.name)
    if isinstance(node, exp.National):
        return exp.Literal.string(node.name)
    if isinstance(node, exp.Func):
        named = isinstance(node, exp.Anonymous)
        made = _FUNCTIONS.get((node.name if named else node.sql_name()).upper())
        if made is not None:
            return made(context, [_plain(each) for each in (node.expressions if named else node.iter_expressions())])
    return node


def _plain(node: exp.Expression) -> Any:
    """A literal's value; None for anything else."""
    while isinstance(node, exp.Cast | exp.Paren):
        node = node.this
    if isinstance(node, exp.National):
        return node.name
    if isinstance(node, exp.Literal):
        return node.this if node.is_string else int(node.this)
    return None


def _constant(context: Context, name: str) -> exp.Expression:
    """@@SPID and its like."""
    values: dict[str, Scalar] = {
        "SPID": context.number,
        "VERSION": f"Microsoft SQL Server (ERP Hub stand-in) - {VERSION_TEXT}",
        "SERVERNAME": context.server_name,
        "TRANCOUNT": context.depth,
    }
    if name.upper() not in values:
        raise errors.SqlError(137, f'Must declare the scalar variable "@@{name}".', 15)
    return _literal(values[name.upper()], None)


def _literal(value: Scalar, kind: SqlType | None) -> exp.Expression:
    """A value as DuckDB reads it, in its type."""
    match value:
        case None:
            return exp.Null() if kind is None else exp.cast(exp.Null(), kind.stored, dialect="duckdb")
        case bool():
            return exp.Boolean(this=value)
        case int():
            return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))
        case float() | Decimal():
            target = kind.stored if kind is not None else "DOUBLE"
            return exp.cast(exp.Literal.string(str(value)), target, dialect="duckdb")
        case datetime():
            return exp.cast(exp.Literal.string(value.isoformat(" ")), "TIMESTAMP", dialect="duckdb")
        case date():
            return exp.cast(exp.Literal.string(value.isoformat()), "DATE", dialect="duckdb")
        case time():
            return exp.cast(exp.Literal.string(value.isoformat()), "TIME", dialect="duckdb")
        case uuid.UUID():
            return exp.cast(exp.Literal.string(str(value)), "UUID", dialect="duckdb")
        case bytes():
            return exp.Anonymous(this="unhex", expressions=[exp.Literal.string(value.hex())])
        case str():
            return exp.Literal.string(value)


def _object_id(context: Context, arguments: list[Any]) -> exp.Expression:
    """OBJECT_ID of a name; NULL when nothing has it."""
    text = str(arguments[0]) if arguments and arguments[0] is not None else ""
    names = grammar.object_name(text) or ("dbo", text.strip("[]"))
    table = context.current().find(*names)
    return _literal(table.object_id if table else None, SqlType("int"))


def _property(context: Context, arguments: list[Any]) -> exp.Expression:
    """SERVERPROPERTY of what tools ask for."""
    known: dict[str, Scalar] = {
        "servername": context.server_name,
        "productversion": VERSION_TEXT,
        "productlevel": "RTM",
        "edition": "ERP Hub stand-in",
        "engineedition": 3,
        "collation": "SQL_Latin1_General_CP1_CI_AS",
    }
    return _literal(known.get(str(arguments[0]).casefold()) if arguments else None, None)


def _access(context: Context, arguments: list[Any]) -> exp.Expression:
    found = context.catalogue.find(str(arguments[0])) if arguments else None
    return _literal(access(context.login, found) if found else None, SqlType("int"))


type Function = Callable[[Context, list[Any]], exp.Expression]
_FUNCTIONS: dict[str, Function] = {
    "SERVERPROPERTY": _property,
    "OBJECT_ID": _object_id,
    "HAS_DBACCESS": _access,
    "SCHEMA_NAME": lambda _c, _a: _literal("dbo", None),
    "CURRENT_SCHEMA": lambda _c, _a: _literal("dbo", None),
    "DB_NAME": lambda context, _a: _literal(context.database, None),
    "SUSER_SNAME": lambda context, _a: _literal(context.login.name, None),
    "SUSER_NAME": lambda context, _a: _literal(context.login.name, None),
    "CURRENT_USER": lambda context, _a: _literal(context.login.name, None),
    "USER_NAME": lambda _c, _a: _literal("dbo", None),
}


def _explained(error: duckdb.Error) -> Exception:
    """A query DuckDB cannot bind, in SQL Server's numbers."""
    text = str(error).splitlines()[0]
    if "not found in FROM clause" in text or "Referenced column" in text:
        return errors.SqlError(207, f"Invalid column name: {text}")
    if isinstance(error, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException):
        return errors.SqlError(102, f"The stand-in server cannot run this: {text}", 15)
    return fault(error)
