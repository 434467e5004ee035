"""The list of datasets with their column types."""

from collections.abc import Mapping
from dataclasses import dataclass

from erphub.erp.datasets import DATASETS, Dataset, complete
from erphub.lake.datasets.schemas import ColumnView, DatasetPage, DatasetView
from erphub.lake.ports import TableTypes


@dataclass(frozen=True)
class DatasetService:
    """Datasets of a client."""

    types: TableTypes

    def list_datasets(self, client_id: str) -> DatasetPage:
        """Every dataset with its schema."""
        known = self.types.of_client(client_id)
        return DatasetPage(items=[_view(dataset, known.get(dataset.id)) for dataset in DATASETS])


def _view(dataset: Dataset, known: Mapping[str, str] | None) -> DatasetView:
    types = complete(dataset, known or {})
    columns = [
        ColumnView(name=field.name, type=types[field.name], is_key=field.key, description=field.description)
        for field in dataset.fields
    ]
    columns += [
        ColumnView(name="company", type="string", is_key=True, description="The company's key in the ERP"),
        ColumnView(name="connection", type="string", is_key=True, description="The connection it came through"),
    ]
    return DatasetView(
        id=dataset.id,
        title=dataset.title,
        publishing=dataset.publishing.value,
        date_column=dataset.date,
        amount_column=dataset.amount,
        has_data=known is not None,
        columns=columns,
    )
