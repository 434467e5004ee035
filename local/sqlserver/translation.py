"""The hub's T-SQL in DuckDB's words: select lists, conversions to text, conditions.

The texts of CONVERT are those of SQL Server: all digits of a scale, style 126 no empty fraction, upper-case ids.
"""

from datetime import date

from local.sqlserver import errors, grammar
from local.sqlserver.catalogue import Table, sql_name
from local.sqlserver.types import ResultColumn, SqlType, TableColumn

_HELD = {
    "datetime": (date(1753, 1, 1), date.max),
    "smalldatetime": (date(1900, 1, 1), date(2079, 6, 6)),
}
_INTEGER_RANGES = {"tinyint": "int", "smallint": "int", "int": "int", "bigint": "bigint"}


def select_list(table: Table, hole: str) -> tuple[str, list[ResultColumn]]:
    """The DuckDB select list of a `columns` hole, and what it gives."""
    picked: list[str] = []
    shape: list[ResultColumn] = []
    for place, expression in enumerate(grammar.columns(hole)):
        sql, kind = expression_sql(table, expression)
        plain = expression.width is None and not expression.total
        picked.append(f"{sql} AS c{place}")
        shape.append(ResultColumn(table.column(expression.column).name if plain else "", kind))
    return ", ".join(picked), shape


def expression_sql(table: Table, expression: grammar.Expression) -> tuple[str, SqlType]:
    """One item of a select list as DuckDB SQL, and its type on SQL Server."""
    column = table.column(expression.column)
    sql, kind = sql_name(column.name), column.type
    if expression.total:
        sql, kind = sum_sql(column)
    if expression.width is None:
        return kind.wire_sql(sql), kind
    if expression.unicode:
        return kind.wire_sql(sql), SqlType("nvarchar", length=expression.width)
    return as_text(sql, kind, expression.style), SqlType("varchar", length=expression.width)


def sum_sql(column: TableColumn) -> tuple[str, SqlType]:
    """SUM with SQL Server's result type; a sum beyond it overflows (8115)."""
    kind = column.type
    if kind.is_integer:
        result = SqlType(_INTEGER_RANGES[kind.name])
    elif kind.name in ("decimal", "numeric"):
        result = SqlType(kind.name, precision=38, scale=kind.scale)
    elif kind.name in ("money", "smallmoney"):
        result = SqlType("money")
    elif kind.is_float:
        result = SqlType("float")
    else:
        raise errors.bad_operand(kind.name, "sum")
    return f"CAST(sum({sql_name(column.name)}) AS {result.stored})", result


def as_text(sql: str, kind: SqlType, style: int | None) -> str:
    """CONVERT(varchar(n), value, style) as SQL Server writes it."""
    if kind.is_decimal:
        precision, scale = kind.decimal_digits
        if kind.name in ("money", "smallmoney") and style != 2:
            raise errors.syntax(f"CONVERT of {kind} without style 2")
        text = f"CAST({sql} AS VARCHAR)"
        # DuckDB writes .50 for a decimal(2,2), SQL Server 0.50
        return text if precision > scale else f"regexp_replace({text}, '^(-?)\\.', '\\10.')"
    match kind.name, style:
        case "uniqueidentifier", None:
            return f"upper(CAST({sql} AS VARCHAR))"
        case "date", 23:
            return f"CAST({sql} AS VARCHAR)"
        case "datetime" | "datetime2" | "smalldatetime", 23:
            return f"strftime({sql}, '%Y-%m-%d')"
        case "smalldatetime", 126:
            return _iso(sql, 0)
        case "datetime", 126:
            return _iso(sql, 3)
        case "datetime2", 126:
            return _iso(sql, kind.scale)
        case "datetimeoffset", 126:
            minutes = f"({sql}).minutes"
            local = f"(({sql}).utc + to_minutes(CAST({minutes} AS BIGINT)))"
            sign = f"CASE WHEN {minutes} < 0 THEN '-' ELSE '+' END"
            zone = f"printf('%02d:%02d', abs({minutes}) // 60, abs({minutes}) % 60)"
            return f"{_iso(local, kind.scale)} || {sign} || {zone}"
        case (("int" | "bigint" | "smallint" | "tinyint"), None):
            return f"CAST({sql} AS VARCHAR)"
        case _:
            raise errors.syntax(f"CONVERT of {kind} in style {style}")


def _iso(sql: str, digits: int) -> str:
    """Style 126: the fraction with all its digits, or none at all when it is zero. Microseconds are kept, not more."""
    whole = f"replace(left(CAST({sql} AS VARCHAR), 19), ' ', 'T')"
    if digits == 0:
        return whole
    part = f"(microsecond({sql}) % 1000000)"
    fraction = f"left(lpad(CAST({part} AS VARCHAR), 6, '0') || '0', {digits})"
    return f"CASE WHEN {part} = 0 THEN {whole} ELSE {whole} || '.' || {fraction} END"


def where_sql(table: Table, hole: str) -> str:
    """The WHERE clause in DuckDB's words, with SQL Server's conversions between column and literal."""
    bounds = grammar.condition(hole) if hole else []
    if not bounds:
        return ""
    alternatives = [bound for bound in bounds if bound.operator == "IS NULL"]
    inside = " AND ".join(_bound(table, bound) for bound in bounds if bound.operator != "IS NULL")
    parts = [f"({inside})", *(_bound(table, bound) for bound in alternatives)]
    return " WHERE " + " OR ".join(parts)


def _bound(table: Table, bound: grammar.Bound) -> str:
    column = table.column(bound.column)
    if bound.value is None:
        return f"{sql_name(column.name)} {bound.operator}"
    left, right = compared(column, bound.value)
    return f"{left} {bound.operator} {right}"


def compared(column: TableColumn, value: grammar.Value) -> tuple[str, str]:
    """Column and literal made comparable; raises SqlError where SQL Server cannot."""
    sql, kind = sql_name(column.name), column.type
    text = str(value).replace("'", "''")
    if isinstance(value, int):
        if kind.is_text:
            return f"CAST({sql} AS INTEGER)", str(value)
        if kind.is_moment or kind.is_binary or kind.name in ("uniqueidentifier", "time"):
            raise errors.operand_clash("int", kind.name)
        return (f"CAST({sql} AS INTEGER)" if kind.name == "bit" else sql), str(value)
    if kind.is_text:
        shown = f"{value:%Y%m%d}" if isinstance(value, date) else text
        return f"lower({sql})", f"lower('{shown}')"
    if kind.is_moment:
        first, last = _HELD.get(kind.name, (date.min, date.max))
        if isinstance(value, date) and not first <= value <= last:
            raise errors.out_of_range(kind.name)
        right = f"CAST('{text}' AS {'DATE' if kind.name == 'date' else 'TIMESTAMP'})"
        return (f"{sql}.utc" if kind.name == "datetimeoffset" else sql), right
    if kind.is_binary:
        raise errors.operand_clash("nvarchar", kind.name)
    return sql, f"CAST('{text}' AS {kind.stored})"
