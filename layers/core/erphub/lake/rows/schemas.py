"""What is asked for and shown of rows."""

from typing import Annotated

from pydantic import Field

from erphub.platform.lexical import COUNT_FORM, Day
from erphub.platform.wire import JsonObject, Model, PageQuery


class RowsQuery(PageQuery):
    """Which rows, and which of their columns."""

    limit: Annotated[int, Field(ge=1, le=2000, description="How many at most; fewer when long"), COUNT_FORM] = 50
    company_key: Annotated[str | None, Field(max_length=200, description="Only this company's, by its key")] = None
    connection_id: Annotated[str | None, Field(max_length=64, description="Only those that came through this one")] = (
        None
    )
    from_date: Annotated[Day | None, Field(description="From this day on")] = None
    to_date: Annotated[Day | None, Field(description="Up to this day, itself included")] = None
    columns: Annotated[str | None, Field(max_length=4000, description="Names with commas between; all by default")] = (
        None
    )


class RowsPage(Model):
    """A page of rows: decimals are text, days are ISO dates. All pages show one state of the lake."""

    items: list[JsonObject]
    next: str | None
