"""What the hub says of the problems that it can tell of."""

from typing import Annotated

from pydantic import Field

from erphub.platform.wire import Model


class ProblemTypeView(Model):
    """A code: what it stands for, and what to do. `{…}` in a sentence stands for a value."""

    code: str
    title: str
    statuses: Annotated[
        list[int], Field(description="The HTTP statuses it is answered with; none when it is only kept with something")
    ]
    is_of_field: Annotated[bool, Field(description="Whether it is said of a field, in `errors` of a 422")]
    fields: Annotated[list[str], Field(description="JSON pointers of the fields, where they are always the same")]
    sentences: Annotated[list[str], Field(description="How `detail` tells it")]
    what_to_do: list[str]
    members: Annotated[list[str], Field(description="Further members of the problem document")]


class ProblemTypePage(Model):
    """A page of the catalogue, by code."""

    items: list[ProblemTypeView]
    next: str | None = None
