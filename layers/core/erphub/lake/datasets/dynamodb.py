"""Types of clients' tables in the tenant table, where a reader without a table engine finds them."""

from collections.abc import Mapping
from typing import override

from erphub.lake.ports import TableTypes
from erphub.platform.aws.table import Table, make_key
from erphub.platform.writes import Key


class TableTypesTable(TableTypes):
    """Types: `DATASET#<dataset>`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def save(self, client_id: str, dataset_id: str, types: Mapping[str, str]) -> None:
        self._table.put({**dataset_key(client_id, dataset_id), "dataset": dataset_id, "types": dict(types)})

    @override
    def of_client(self, client_id: str) -> Mapping[str, Mapping[str, str]]:
        key = dataset_key(client_id, "")
        return {item["dataset"]: item["types"] for item in self._table.read_all(key["pk"], key["sk"])}


def dataset_key(client_id: str, dataset_id: str) -> Key:
    """The key of a dataset's types."""
    return make_key(f"CLIENT#{client_id}", "DATASET", dataset_id)
