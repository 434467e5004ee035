"""What is wrong with a request is told in the hub's own words: none of the validating library's words or codes."""

import re
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import Field, TypeAdapter, ValidationError, create_model
from pydantic_core import PydanticCustomError, core_schema

from erphub.platform.errors import FieldError
from erphub.platform.field_errors import WORDS, field_errors
from erphub.platform.wire import Model

TYPES = get_args(core_schema.ErrorType)
LIBRARY = re.compile(
    r"[Ii]nput|should|Value error|Assertion|Field required|Extra|[Dd]ecimal |pydantic|instance of|is not permitted"
)
OWN_MEANING = {"too_long", "too_short"}
"""Codes of ours that the library has too, for lists; here they are of texts, as a wizard's forms say them."""
CONTEXT: dict[str, Any] = {
    **dict.fromkeys(("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "actual_length"), 3),
    **dict.fromkeys(("max_digits", "decimal_places", "whole_digits", "tz_expected", "tz_actual"), 3),
    **{"expected": "'a' or 'b'", "expected_tags": "'a', 'b'", "tag": "c", "discriminator": "'kind'", "error": "E"},
    **{"field_type": "List", "pattern": "^a$", "expected_version": 4, "expected_schemes": "'https'", "class": "C"},
    **{
        "attribute": "x",
        "error_type": "E",
        "encoding": "utf8",
        "encoding_error": "e",
        "class_name": "C",
        "method_name": "m",
        "field_name": "f",
        "path": "p",
    },
}


class Listed(Model):
    """Something with unions in it."""

    days: Literal["daily"] | Annotated[tuple[str, ...], Field(max_length=2)]


class Own(Model):
    """Something that a plain check of ours refuses."""

    value: str


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_error_that_the_library_knows_has_a_code_and_a_sentence_of_ours(kind: str) -> None:
    wrong = {"type": kind, "loc": ("name",), "input": "secret", "ctx": CONTEXT}
    (told,) = field_errors(ValidationError.from_exception_data("Model", [wrong]), {"name": "secret"})  # type: ignore[list-item]
    assert told.code == WORDS[kind].code
    assert told.code not in set(TYPES) - OWN_MEANING
    assert not LIBRARY.search(told.detail), told.detail
    assert "secret" not in told.detail
    assert re.fullmatch(r"[A-Z].*\.", told.detail)
    assert "…" not in told.detail, "the library's context has no such member"


def test_there_are_words_for_nothing_but_what_the_library_knows() -> None:
    assert set(WORDS) == set(TYPES)


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"days": 5}, {("/days", "not_a_choice"), ("/days", "wrong_type")}),
        ({"days": {}}, {("/days", "not_a_choice"), ("/days", "wrong_type")}),
        ({"days": ["a", 1]}, {("/days", "not_a_choice"), ("/days/1", "wrong_type")}),
        ({"days": ["a", "b", "c"]}, {("/days", "not_a_choice"), ("/days", "too_many")}),
        ({}, {("/days", "required")}),
        ({"days": "daily", "a/b~": 1}, {("/a~1b~0", "unknown_field")}),
    ],
)
def test_a_pointer_leads_into_what_was_given_whatever_unions_stand_in_the_way(
    given: dict[str, Any], errors: set[tuple[str, str]]
) -> None:
    assert {(one.pointer, one.code) for one in told(Listed, given)} == errors


def test_what_our_own_checks_say_keeps_its_words() -> None:
    def refuse(_: Any) -> None:
        raise ValueError("the two do not go together")

    def refuse_with_a_code(_: Any) -> None:
        raise PydanticCustomError("odd_pair", "They do not go together.")

    for check, expected in (
        (refuse, FieldError("", "not_valid", "The two do not go together.")),
        (refuse_with_a_code, FieldError("", "odd_pair", "They do not go together.")),
    ):
        schema = core_schema.no_info_plain_validator_function(check)
        shape = create_model("Shape", __base__=Own)
        shape.__get_pydantic_core_schema__ = classmethod(lambda *_, s=schema: s)  # type: ignore[method-assign]
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(shape).validate_python({})
        assert field_errors(caught.value, {}) == [expected]


def told(shape: type[Model], given: Any) -> list[FieldError]:
    with pytest.raises(ValidationError) as caught:
        shape.model_validate(given)
    return field_errors(caught.value, given)
