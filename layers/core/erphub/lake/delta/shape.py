"""Changes of a table's shape: made, given columns, or written anew with wider decimals.

None of them needs a memory of its own: after a lost answer the table's schema says whether it was done.
"""

import json
from collections.abc import Mapping

from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction, RemoveAction

from erphub.erp.datasets import Dataset
from erphub.lake import problems
from erphub.lake.delta import sql
from erphub.lake.delta.batches import fitted
from erphub.lake.delta.commits import Place, copy_into_place
from erphub.lake.delta.files import files_of
from erphub.lake.delta.schema import arrow_schema, staged_schema, types_of
from erphub.lake.delta.staging import CONFIGURATION, Staging
from erphub.lake.delta.storage import NO_HOOK, Storage, as_the_tenant
from erphub.lake.delta.upkeep import COMMITS_PER_CHECKPOINT
from erphub.platform.ids import new_id


def create(storage: Storage, key: str, dataset: Dataset, types: Mapping[str, str]) -> None:
    """Make a table, or find that there is one by now."""
    try:
        DeltaTable.create(
            f"{storage.root}/{key}",
            schema=arrow_schema(dataset, types),
            partition_by=["company"],
            mode="error",
            configuration=CONFIGURATION | {"delta.checkpointInterval": str(COMMITS_PER_CHECKPOINT)},
            storage_options=as_the_tenant(storage.options),
            post_commithook_properties=NO_HOOK,
        )
    except DeltaError:
        if storage.table_if_any(key) is None:
            raise


def add_columns(table: DeltaTable, dataset: Dataset, types: Mapping[str, str]) -> None:
    """Columns the dataset has got since the table was made: empty in the rows that are there."""
    known = types_of(table)
    schema = Schema.from_arrow(arrow_schema(dataset, types))
    fresh = [field for field in schema.fields if field.name in types and field.name not in known]
    if fresh:
        table.alter.add_columns(fresh, post_commithook_properties=NO_HOOK)


def widen(
    storage: Storage, staging: Staging, key: str, table: DeltaTable, dataset: Dataset, types: Mapping[str, str]
) -> None:
    """Write all rows anew with the wider types, in one commit: old files cannot be read as another decimal.

    Raises StagedDataChanged when fewer or more rows were written than the table has; then nothing has changed.
    """
    attempt = f"staging/{key.removeprefix('lake/')}/widened-{new_id()}"
    try:
        actions = _rewrite(storage, staging, attempt, key, table, dataset, types)
        # No retry inside the engine: it would let in a file of the old types that was added in the meantime.
        properties = CommitProperties(
            custom_metadata={"erphub": json.dumps({"widened": dict(types)})}, max_commit_retries=0
        )
        table.create_write_transaction(
            actions,
            "overwrite",
            Schema.from_arrow(arrow_schema(dataset, types)),
            partition_by=["company"],
            commit_properties=properties,
            post_commithook_properties=NO_HOOK,
        )
    finally:
        staging.clean(attempt)


def _rewrite(
    storage: Storage,
    staging: Staging,
    attempt: str,
    key: str,
    table: DeltaTable,
    dataset: Dataset,
    types: Mapping[str, str],
) -> list[AddAction | RemoveAction]:
    schema = staged_schema(dataset, types)
    there: dict[tuple[str, str], int] = {}
    for file in files_of(table, dataset):
        unit = (file.company, file.connection)
        there[unit] = there.get(unit, 0) + file.rows
    actions: list[AddAction | RemoveAction] = []
    for number, ((company, connection), rows) in enumerate(sorted(there.items())):
        found = sql.query({"t": table}, sql.part_as(dataset, types, company, connection))
        staged = staging.write(f"{attempt}/{number}", dataset, schema, [fitted(found, schema)])
        if staged.rows != rows:
            raise problems.STAGED_DATA_CHANGED(
                difference=f"Of {rows} rows {staged.rows} were written with wider amounts"
            )
        files = staging.files_of(staged).files
        place = Place(key, company, connection)
        copy_into_place(storage, place, files, "widened")
        actions += [place.added(file, "widened") for file in files]
    return actions
