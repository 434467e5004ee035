"""The wizard steps that every ERP shares: its companies, a name, the end."""

from collections.abc import Iterator, Mapping
from typing import Any

from erphub.erp.description import AnswerRole, Field, Json, Step
from erphub.platform.errors import FieldError, Invalid
from erphub.platform.text import clean_name


def all_or_these(max_length: int = 128) -> Json:
    """The form of a choice among what the ERP lists: the word `all`, or keys."""
    return {
        "oneOf": [
            {"const": "all", "title": "All, also those that are added later"},
            {
                "title": "These",
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": max_length},
                "minItems": 1,
                "maxItems": 2000,
                "uniqueItems": True,
            },
        ]
    }


def companies_step(noun: str = "companies") -> Step:
    """Which of the companies found: their keys, or all of them with those that come later."""
    return Step(
        id="companies",
        title="Companies",
        help=f"Choose the {noun} to use with this connection.",
        depends_on_server=True,
        fields=(
            Field(
                "companies",
                "Companies",
                "The keys of the companies to use, or `all` for every one of them and those that are added later.",
                example=["F0001"],
                schema=all_or_these() | {"x-listed-at": "companies"},
                role=AnswerRole.COMPANIES,
            ),
            Field(
                "confirm_duplicates",
                "Connect again what is connected elsewhere",
                "A company that another connection has is one company still: its data is there twice, and whoever works"
                " with it must know in which of the two. Only where your customer allows it.",
                type="boolean",
                default=False,
                role=AnswerRole.CONFIRM_DUPLICATES,
            ),
        ),
    )


def shared_field() -> Field:
    """Whether colleagues may edit the connection; it stands in the step that says who signs in."""
    return Field(
        "is_shared",
        "Allow other users to edit this connection",
        "Others who may manage connections can then change it, and see all its companies.",
        type="boolean",
        default=False,
        role=AnswerRole.SHARED,
    )


def name_step() -> Step:
    """What the connection is called; unique in the client, which only the client's own list can tell."""
    return Step(
        id="name",
        title="Name",
        help="A name by which you and your colleagues recognise the connection.",
        fields=(
            Field(
                "name",
                "Name",
                "Must differ from your other connections.",
                example="Accounts, head office",
                max_length=100,
                role=AnswerRole.NAME,
            ),
        ),
        checks=(_name_form,),
    )


def finish_step() -> Step:
    """The last look before the connection is created."""
    return Step(id="finish", title="Finish", help="Create the connection and start the first import.", fields=())


def _name_form(answer: Mapping[str, Any]) -> Iterator[FieldError]:
    try:
        clean_name(answer["name"], "/name")
    except Invalid as error:
        yield from error.errors
