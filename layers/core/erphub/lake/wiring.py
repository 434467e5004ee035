"""How the lake is read and written."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from erphub.lake.datasets.service import Datasets
    from erphub.lake.delta.delta_lake import DeltaLake
    from erphub.lake.rows.service import Rows
    from erphub.platform.services import Services


def delta_lake(services: "Services") -> "DeltaLake":
    """Written by imports; only the function that runs them carries the table engine."""
    from erphub.lake.delta.delta_lake import DeltaLake
    from erphub.platform.aws.files import S3Files

    settings = services.platform.settings
    return DeltaLake(f"s3://{settings.lake_bucket}", S3Files(settings.lake_bucket), settings.lake_options)


def datasets(services: "Services") -> "Datasets":
    """The list of datasets."""
    from erphub.lake.datasets.service import Datasets
    from erphub.lake.ports import TableTypes

    [types] = services.all(TableTypes)
    return Datasets(types.known_types)


def rows(services: "Services") -> "Rows":
    """Rows of the lake."""
    from erphub.lake.delta.rows import LakeRows
    from erphub.lake.ports import HiddenConnections
    from erphub.lake.rows.service import Rows

    settings = services.platform.settings
    hidden = services.all(HiddenConnections)
    reader = LakeRows(f"s3://{settings.lake_bucket}", settings.lake_options)
    return Rows(reader, lambda client_id: [one for each in hidden for one in each.hidden(client_id)])


PROVIDES = (delta_lake, datasets, rows)
