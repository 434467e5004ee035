"""How the lake is read and written."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.lake.datasets.dynamodb import TableTypesTable
    from erphub.lake.datasets.service import DatasetService
    from erphub.lake.delta.delta_lake import DeltaLake
    from erphub.lake.delta.removal import LakeRemoval
    from erphub.lake.rows.service import RowService
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.platform.tasks import TimeLeft


def delta_lake(services: "Services") -> "DeltaLake":
    """Written by imports; only the function that runs them carries the table engine."""
    from erphub.lake.delta.delta_lake import DeltaLake
    from erphub.platform.aws.objects import Bucket

    settings = services.platform.settings
    return DeltaLake(f"s3://{settings.lake_bucket}", Bucket(settings.lake_bucket), settings.lake_options)


def table_types_table(services: "Services") -> "TableTypesTable":
    """Which types the tables have."""
    from erphub.lake.datasets.dynamodb import TableTypesTable

    return TableTypesTable(services.platform.table)


def dataset_service(services: "Services") -> "DatasetService":
    """The list of datasets."""
    from erphub.lake.datasets.dynamodb import TableTypesTable
    from erphub.lake.datasets.service import DatasetService

    return DatasetService(services.get(TableTypesTable))


def row_service(services: "Services") -> "RowService":
    """Rows of the lake."""
    from erphub.lake.delta.rows import LakeRows
    from erphub.lake.ports import HiddenConnections
    from erphub.lake.rows.service import RowService

    settings = services.platform.settings
    reader = LakeRows(f"s3://{settings.lake_bucket}", settings.lake_options)
    return RowService(reader, services.all(HiddenConnections))


def lake_removal(services: "Services") -> "LakeRemoval":
    """Takes a connection's rows out of the tables."""
    from erphub.lake.delta.removal import LakeRemoval

    platform = services.platform
    settings = platform.settings
    return LakeRemoval(f"s3://{settings.lake_bucket}", platform.bucket, settings.lake_options)


class _RowRemoval:
    """Only the function that removes carries the table engine; those that only count never load it."""

    def __init__(self, services: "Services") -> None:
        self._services = services

    def remove(self, client_id: str, connection_id: str, time_left: "TimeLeft") -> bool:
        from erphub.lake.delta.removal import LakeRemoval

        return self._services.get(LakeRemoval).remove(client_id, connection_id, time_left)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of the lake hangs on a connection."""
    from erphub.lake.dependents import lake_dependents
    from erphub.lake.ports import ConnectionCompanies

    [companies] = services.all(ConnectionCompanies)
    return lake_dependents(services.platform.bucket, _RowRemoval(services), companies)


PROVIDES = (delta_lake, table_types_table, dataset_service, row_service, lake_removal)
TAKES_PART = (dependents,)
