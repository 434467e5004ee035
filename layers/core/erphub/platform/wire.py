"""What goes over the wire: the base of every request and answer, and the small types they share."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from erphub.platform.errors import Invalid
from erphub.platform.lexical import COUNT_FORM
from erphub.platform.problem_types import found_in_model
from erphub.platform.text import clean_name, require_not_blank, require_visible

ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
"""An identifier the hub gave: a ULID, upper case."""


class Model(BaseModel):
    """A request or an answer. Unknown members are refused; what was sent is never repeated in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    MAX_BYTES: ClassVar[int] = 256 * 1024
    """Bytes that a request of this shape may have."""
    SHOWN_ONCE: ClassVar[tuple[str, ...]] = ()
    """Fields of an answer that are never kept, not even for a request that comes twice."""


class PageQuery(Model):
    """What every list takes."""

    limit: Annotated[int, Field(ge=1, le=200, description="How many at most"), COUNT_FORM] = 50
    next: Annotated[
        str | None, Field(json_schema_extra={"maxLength": 4000}, description="Where the page before ended, as it said")
    ] = None


class SearchQuery(PageQuery):
    """A list that can be searched."""

    search: Annotated[str | None, Field(max_length=200, description="Words to look for")] = None


def checked(check: Callable[[str], str]) -> Callable[[str], str]:
    """The check, for a field of a Model: what it raises as Invalid becomes the field's error."""

    def judge(value: str) -> str:
        try:
            return check(value)
        except Invalid as error:
            raise found_in_model(error.errors[0]) from error

    return judge


visible_line = checked(lambda text: require_visible(text, ""))
not_blank = checked(lambda text: require_not_blank(text, ""))
visible_lines = checked(lambda text: require_visible(text, "", lines=True))

Name = Annotated[
    str,
    AfterValidator(checked(lambda text: clean_name(text, ""))),
    Field(description="1 to 100 characters, none of them invisible"),
]
"""A name people read, trimmed and in NFC."""

LINE = AfterValidator(visible_line)
"""Text of one line that others read, or that is compared with what the hub knows: nothing in it is hidden. It and the
two below stand behind the bounds: `Annotated[str, Field(…), LINE]`."""

LINES = AfterValidator(visible_lines)
"""Text that others read, with breaks of lines and tabs."""

NOT_BLANK = AfterValidator(not_blank)
"""Not of blanks alone."""


class Declarations(Protocol):
    """What the manifests declare of a kind."""

    def __call__(self) -> Mapping[str, Any]:
        """It, by its text."""
        ...


@dataclass(frozen=True)
class Declared:
    """Marks a field that holds one of what the manifests declare; they are read when such a field is first used."""

    title: str
    """Its name in OpenAPI."""
    description: str
    values: Declarations

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        values = self.values()
        return core_schema.no_info_after_validator_function(
            values.__getitem__, core_schema.literal_schema(list(values)), ref=f"{__name__}.{self.title}:0"
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = handler(schema)
        handler.resolve_ref_schema(described).update(title=self.title, description=self.description)
        return described


def instant(moment: datetime) -> str:
    """An instant as it is written everywhere: `2026-01-31T08:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


InstantText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""An instant that `instant` has written."""

Identifier = Annotated[str, Field(pattern=f"^{ID.pattern}$", description="An identifier the hub gave")]

type JsonObject = dict[str, Any]
