"""Datasets as they are shown."""

from erphub.platform.wire import Model


class ColumnView(Model):
    """A column: its Arrow type, and whether it is part of the key."""

    name: str
    type: str
    is_key: bool
    description: str


class DatasetView(Model):
    """A dataset with the schema it has in this client's lake; `has_data` is false until something was imported."""

    id: str
    title: str
    publishing: str
    date_column: str | None
    amount_column: str | None
    has_data: bool
    columns: list[ColumnView]


class DatasetPage(Model):
    """All datasets."""

    items: list[DatasetView]
    next: str | None = None
