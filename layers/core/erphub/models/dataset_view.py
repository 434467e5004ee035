"""Datasets and their rows, as the API shows them."""

from datetime import date
from typing import Annotated

from pydantic import ConfigDict, Field

from .wire import JsonObject, Model, PageQuery


class ColumnView(Model):
    """A column: its Arrow type, and whether it is part of the key."""

    name: str
    type: str
    key: bool
    description: str


class DatasetView(Model):
    """A dataset with the schema it has in this client's lake; `imported` is false until something was."""

    id: str
    title: str
    publishing: str
    date: str | None
    amount: str | None
    imported: bool
    columns: list[ColumnView]


class DatasetPage(Model):
    """All datasets."""

    items: list[DatasetView]
    next: str | None = None


class RowsQuery(PageQuery):
    """Which rows, and which of their columns."""

    model_config = ConfigDict(populate_by_name=True)

    limit: Annotated[int, Field(ge=1, le=2000, description="How many at most; fewer when they are long")] = 50
    company: Annotated[str | None, Field(max_length=200, description="Only this company's, by its key")] = None
    connection: Annotated[str | None, Field(max_length=64, description="Only those that came through this one")] = None
    first: Annotated[date | None, Field(alias="from", description="From this day on")] = None
    last: Annotated[date | None, Field(alias="to", description="Up to this day, itself included")] = None
    columns: Annotated[str | None, Field(max_length=4000, description="Names with commas between; all by default")] = (
        None
    )


class RowsPage(Model):
    """A page of rows: decimals are text, days are ISO dates. All pages show one state of the lake."""

    items: list[JsonObject]
    next: str | None
