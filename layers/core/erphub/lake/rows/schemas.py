"""What is asked for and shown of rows."""

from datetime import date
from typing import Annotated

from pydantic import ConfigDict, Field

from erphub.platform.wire import JsonObject, Model, PageQuery


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
