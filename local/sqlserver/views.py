"""The system views that tools look into: sys.columns, INFORMATION_SCHEMA.TABLES and their relatives (open mode only).

Each view is made afresh from the catalogue when a query names it. Views about things the stand-in has not (indexes
beyond keys, defaults, computed columns) are there and empty.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false
# (pyarrow ships no types)

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from local.sqlserver.catalogue import Database, Table
from local.sqlserver.executor import Context
from local.sqlserver.types import MAX, TYPE_IDS, SqlType, TableColumn

type Rows = list[tuple[Any, ...]]
_COLLATION = "SQL_Latin1_General_CP1_CI_AS"
_KINDS = {"i": "int", "s": "nvarchar(128)", "b": "bit", "t": "tinyint", "w": "smallint", "x": "nvarchar(4000)"}
_ARROW = {"i": pa.int32(), "s": pa.string(), "b": pa.bool_(), "t": pa.uint8(), "w": pa.int16(), "x": pa.string()}


@dataclass(frozen=True)
class View:
    """Columns as `name:kind` (kinds: i int, s name, b bit, t tinyint, w smallint, x text), and who makes the rows."""

    columns: str
    rows: Callable[[Context, Database], Rows]

    @property
    def declared(self) -> list[TableColumn]:
        """Its columns as a table has them."""
        return [TableColumn.declare(name, _KINDS[kind]) for name, kind in self._pairs]

    @property
    def _pairs(self) -> list[tuple[str, str]]:
        return [(name, kind) for name, _, kind in (each.partition(":") for each in self.columns.split())]

    def arrow(self, context: Context, database: Database) -> Any:
        """Its rows now."""
        rows = self.rows(context, database)
        arrays = [pa.array([row[place] for row in rows], _ARROW[kind]) for place, (_, kind) in enumerate(self._pairs)]
        return pa.table(arrays, names=[name for name, _ in self._pairs])


def _nothing(_context: Context, _database: Database) -> Rows:
    return []


def _schemas(database: Database) -> dict[str, int]:
    names = dict.fromkeys(["dbo", *(table.schema for table in database.tables.values())])
    return {name: place for place, name in enumerate(names, 1)}


def _tables(database: Database) -> list[Table]:
    return sorted(database.tables.values(), key=lambda table: table.object_id)


def _keyed(database: Database) -> list[Table]:
    return [table for table in _tables(database) if table.key]


def key_name(table: Table) -> str:
    """The primary key's name."""
    return f"PK_{table.name}"


def key_id(table: Table) -> int:
    """The primary key's own object_id."""
    return zlib.crc32(f"{table.schema}.{table.name}".encode()) & 0x7FFFFFFF


def _databases(context: Context, _: Database) -> Rows:
    found = context.catalogue.sorted_databases()
    return [(each.name, each.number, each.state, int(each.snapshot), _COLLATION, 150, False) for each in found]


def _objects(_: Context, database: Database) -> Rows:
    schemas = _schemas(database)
    described = {"U": "USER_TABLE", "V": "VIEW"}
    rows: Rows = [
        (each.name, each.object_id, schemas[each.schema], 0, each.kind, described[each.kind], False, 0)
        for each in _tables(database)
    ]
    keys = [
        (key_name(each), key_id(each), schemas[each.schema], each.object_id, "PK", "PRIMARY_KEY_CONSTRAINT", False, 0)
        for each in _keyed(database)
    ]
    return rows + keys


def _of_kind(kind: str) -> Callable[[Context, Database], Rows]:
    return lambda context, database: [row for row in _objects(context, database) if row[4] == kind]


def _columns(_: Context, database: Database) -> Rows:
    return [
        (
            table.object_id,
            column.name,
            place,
            TYPE_IDS[column.type.name],
            TYPE_IDS[column.type.name],
            *column.type.described,
            _COLLATION if column.type.is_text else None,
            column.nullable,
            False,
            False,
            0,
        )
        for table in _tables(database)
        for place, column in enumerate(table.columns, 1)
    ]


def _types(_context: Context, _database: Database) -> Rows:
    names: Sequence[str] = list(TYPE_IDS)
    return [
        (name, TYPE_IDS[name], TYPE_IDS[name], 4, *SqlType.parse(name).described, True, False, False) for name in names
    ]


def _indexes(_: Context, database: Database) -> Rows:
    return [
        (each.object_id, key_name(each), 1, 1, "CLUSTERED", True, True, False, False, None) for each in _keyed(database)
    ]


def _index_columns(_: Context, database: Database) -> Rows:
    return [
        (table.object_id, 1, place, _place(table, column), place, False, False)
        for table in _keyed(database)
        for place, column in enumerate(table.key, 1)
    ]


def _place(table: Table, name: str) -> int:
    return 1 + [column.name for column in table.columns].index(table.column(name).name)


def _key_constraints(_: Context, database: Database) -> Rows:
    schemas = _schemas(database)
    return [(key_name(each), key_id(each), schemas[each.schema], each.object_id, "PK", 1) for each in _keyed(database)]


def _schema_rows(_: Context, database: Database) -> Rows:
    return [(name, number, 1) for name, number in _schemas(database).items()]


def _info_schemata(_: Context, database: Database) -> Rows:
    return [(database.name, name, "dbo") for name in _schemas(database)]


def _info_tables(_: Context, database: Database) -> Rows:
    kinds = {"U": "BASE TABLE", "V": "VIEW"}
    return [(database.name, each.schema, each.name, kinds[each.kind]) for each in _tables(database)]


def _info_views(_: Context, database: Database) -> Rows:
    return [(database.name, each.schema, each.name, "") for each in _tables(database) if each.kind == "V"]


def _info_columns(_: Context, database: Database) -> Rows:
    out: Rows = []
    for table in _tables(database):
        for place, column in enumerate(table.columns, 1):
            kind = column.type
            length = (kind.length if kind.is_text or kind.is_binary else None) or None
            size, precision, scale = kind.described
            number = kind.is_decimal or kind.is_integer or kind.is_float
            out.append(
                (
                    database.name,
                    table.schema,
                    table.name,
                    column.name,
                    place,
                    None,
                    "YES" if column.nullable else "NO",
                    kind.name,
                    length,
                    (MAX if size == MAX else size) if length else None,
                    precision if number else None,
                    scale if number and not kind.is_float else None,
                    kind.scale if kind.is_moment or kind.name == "time" else None,
                    _COLLATION if kind.is_text else None,
                )
            )
    return out


def _info_constraints(_: Context, database: Database) -> Rows:
    return [
        (database.name, each.schema, key_name(each), database.name, each.schema, each.name, "PRIMARY KEY")
        for each in _keyed(database)
    ]


def _info_keys(_: Context, database: Database) -> Rows:
    return [
        (database.name, table.schema, key_name(table), database.name, table.schema, table.name, column, place)
        for table in _keyed(database)
        for place, column in enumerate(table.key, 1)
    ]


def _sessions(context: Context, _: Database) -> Rows:
    return [(context.number, context.login.name, 5 if context.snapshot else 2)]


_OBJECT = "name:s object_id:i schema_id:i parent_object_id:i type:s type_desc:s is_ms_shipped:b principal_id:i"
VIEWS: dict[str, View] = {
    "sys.databases": View(
        "name:s database_id:i state_desc:s snapshot_isolation_state:t collation_name:s compatibility_level:t "
        "is_read_only:b",
        _databases,
    ),
    "sys.schemas": View("name:s schema_id:i principal_id:i", _schema_rows),
    "sys.objects": View(_OBJECT, _objects),
    "sys.all_objects": View(_OBJECT, _objects),
    "sys.tables": View(_OBJECT, _of_kind("U")),
    "sys.views": View(_OBJECT, _of_kind("V")),
    "sys.columns": View(
        "object_id:i name:s column_id:i system_type_id:t user_type_id:i max_length:w precision:t scale:t "
        "collation_name:s is_nullable:b is_identity:b is_computed:b default_object_id:i",
        _columns,
    ),
    "sys.types": View(
        "name:s system_type_id:t user_type_id:i schema_id:i max_length:w precision:t scale:t is_nullable:b "
        "is_user_defined:b is_table_type:b",
        _types,
    ),
    "sys.indexes": View(
        "object_id:i name:s index_id:i type:t type_desc:s is_unique:b is_primary_key:b is_hypothetical:b has_filter:b "
        "filter_definition:x",
        _indexes,
    ),
    "sys.index_columns": View(
        "object_id:i index_id:i index_column_id:i column_id:i key_ordinal:i is_included_column:b is_descending_key:b",
        _index_columns,
    ),
    "sys.key_constraints": View(
        "name:s object_id:i schema_id:i parent_object_id:i type:s unique_index_id:i", _key_constraints
    ),
    "sys.foreign_keys": View("name:s object_id:i parent_object_id:i referenced_object_id:i", _nothing),
    "sys.foreign_key_columns": View(
        "constraint_object_id:i parent_object_id:i parent_column_id:i referenced_object_id:i referenced_column_id:i",
        _nothing,
    ),
    "sys.default_constraints": View("name:s object_id:i parent_object_id:i parent_column_id:i definition:x", _nothing),
    "sys.computed_columns": View("object_id:i column_id:i definition:x is_persisted:b", _nothing),
    "sys.identity_columns": View(
        "object_id:i column_id:i name:s seed_value:i increment_value:i is_identity:b", _nothing
    ),
    "sys.extended_properties": View("class:t major_id:i minor_id:i name:s value:x", _nothing),
    "sys.synonyms": View("name:s object_id:i schema_id:i base_object_name:x", _nothing),
    "sys.sql_modules": View("object_id:i definition:x", _nothing),
    "sys.system_views": View("name:s object_id:i", lambda _c, _d: [("dm_exec_sessions", 1)]),
    "sys.dm_exec_sessions": View("session_id:i login_name:s transaction_isolation_level:i", _sessions),
    "information_schema.schemata": View("CATALOG_NAME:s SCHEMA_NAME:s SCHEMA_OWNER:s", _info_schemata),
    "information_schema.tables": View("TABLE_CATALOG:s TABLE_SCHEMA:s TABLE_NAME:s TABLE_TYPE:s", _info_tables),
    "information_schema.views": View("TABLE_CATALOG:s TABLE_SCHEMA:s TABLE_NAME:s VIEW_DEFINITION:x", _info_views),
    "information_schema.columns": View(
        "TABLE_CATALOG:s TABLE_SCHEMA:s TABLE_NAME:s COLUMN_NAME:s ORDINAL_POSITION:i COLUMN_DEFAULT:x IS_NULLABLE:s "
        "DATA_TYPE:s CHARACTER_MAXIMUM_LENGTH:i CHARACTER_OCTET_LENGTH:i NUMERIC_PRECISION:i NUMERIC_SCALE:i "
        "DATETIME_PRECISION:i COLLATION_NAME:s",
        _info_columns,
    ),
    "information_schema.table_constraints": View(
        "CONSTRAINT_CATALOG:s CONSTRAINT_SCHEMA:s CONSTRAINT_NAME:s TABLE_CATALOG:s TABLE_SCHEMA:s TABLE_NAME:s "
        "CONSTRAINT_TYPE:s",
        _info_constraints,
    ),
    "information_schema.key_column_usage": View(
        "CONSTRAINT_CATALOG:s CONSTRAINT_SCHEMA:s CONSTRAINT_NAME:s TABLE_CATALOG:s TABLE_SCHEMA:s TABLE_NAME:s "
        "COLUMN_NAME:s ORDINAL_POSITION:i",
        _info_keys,
    ),
    "information_schema.referential_constraints": View(
        "CONSTRAINT_CATALOG:s CONSTRAINT_SCHEMA:s CONSTRAINT_NAME:s UNIQUE_CONSTRAINT_CATALOG:s "
        "UNIQUE_CONSTRAINT_SCHEMA:s UNIQUE_CONSTRAINT_NAME:s MATCH_OPTION:s UPDATE_RULE:s DELETE_RULE:s",
        _nothing,
    ),
}
