"""Keeps a whole stand-in server in one DuckDB file, so that it is the same server after a restart."""

import json
import uuid
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from local.sqlserver.catalogue import Catalogue, Login, Table
from local.sqlserver.tunnel import Certificate
from local.sqlserver.types import TableColumn


def save(catalogue: Catalogue, certificate: Certificate | None) -> None:
    """Write down what DuckDB does not know by itself: declared types, rights, logins, the certificate."""
    if catalogue.path is None:
        return
    with catalogue.lock:
        databases = [
            {
                "number": each.number,
                "name": each.name,
                "snapshot": each.snapshot,
                "state": each.state,
                "guid": str(each.guid),
                "guests": sorted(each.guests),
                "denied": sorted(each.denied),
                "tables": [_shown(table) for table in each.tables.values()],
            }
            for each in catalogue.databases.values()
        ]
        kept: dict[str, Any] = {
            "name": catalogue.name,
            "objects": catalogue.objects,
            "numbers": catalogue.numbers,
            "databases": databases,
            "logins": [asdict(login) for login in catalogue.logins.values()],
        }
        if certificate is not None:
            parts = {"certificate": certificate.certificate, "key": certificate.key, "authority": certificate.authority}
            kept["certificate"] = {name: value.decode() for name, value in parts.items()}
        catalogue.store.execute("CREATE OR REPLACE TABLE main.standin AS SELECT ? AS kept", [json.dumps(kept)])
        # While somebody reads there is none to be had; the log beside the file has it all the same.
        with suppress(duckdb.TransactionException):
            catalogue.store.execute("CHECKPOINT")


def restore(path: Path) -> tuple[Catalogue, Certificate | None]:
    """The server of that file; a fresh one when the file is new."""
    catalogue = Catalogue(path=path)
    known = catalogue.store.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'main' AND table_name = 'standin'"
    ).fetchall()
    if known[0][0] == 0:
        return catalogue, None
    kept: dict[str, Any] = json.loads(catalogue.store.execute("SELECT kept FROM main.standin").fetchall()[0][0])
    catalogue.databases.clear()
    for each in kept["databases"]:
        made = catalogue.database(each["name"], snapshot=each["snapshot"], grant=each["guests"])
        made.number, made.state, made.guid = each["number"], each["state"], uuid.UUID(each["guid"])
        made.denied = {(login, schema, table) for login, schema, table in each["denied"]}
        made.tables = {(t["schema"].casefold(), t["name"].casefold()): _table(t) for t in each["tables"]}
    catalogue.name, catalogue.objects, catalogue.numbers = kept["name"], kept["objects"], kept["numbers"]
    for login in kept["logins"]:
        catalogue.logins[login["name"].casefold()] = Login(**login)
    pem = kept.get("certificate")
    return catalogue, Certificate(**{name: value.encode() for name, value in pem.items()}) if pem else None


def _shown(table: Table) -> dict[str, Any]:
    columns = [(each.name, f"{each.type}{'' if each.nullable else ' not null'}") for each in table.columns]
    return {
        "schema": table.schema,
        "name": table.name,
        "columns": columns,
        "physical": table.physical,
        "object_id": table.object_id,
        "kind": table.kind,
        "key": list(table.key),
    }


def _table(kept: dict[str, Any]) -> Table:
    columns = tuple(TableColumn.declare(name, declaration) for name, declaration in kept["columns"])
    return Table(
        kept["schema"], kept["name"], columns, kept["physical"], kept["object_id"], kept["kind"], tuple(kept["key"])
    )
