"""A step's JSON Schema and its check say the same of an answer, whatever the answer."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from erphub.erp.catalogue import catalogue
from erphub.erp.description import Field, Step
from erphub.erp.forms import clean_answer, step_schema
from erphub.platform.errors import Invalid

STEPS = [pytest.param(step, id=f"{system.id} {step.id}") for system in catalogue() for step in system.steps]
BEYOND_A_SCHEMA = {"hidden_character", "secret_needed_again"}
"""Codes of what a schema has no words for."""


def values(item: Field) -> st.SearchStrategy[Any]:
    """What may be sent for a field: fitting, blank, its default, a choice, of a wrong type."""
    fitting = [value for value in (item.example, item.default, *item.choices) if value is not None]
    odd: list[Any] = [None, "", "  ", 5, True, False, ["F0001"], {}, "x" * (item.max_length + 1), " padded "]
    return st.sampled_from([*fitting, *fitting, *odd, "text"])


def answers(step: Step) -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[Any, st.SearchStrategy[Any]] = {item.name: values(item) for item in step.fields}
    return st.fixed_dictionaries({}, optional=optional | {"unknown": st.just(1)})


def refused(step: Step, answer: dict[str, Any]) -> list[Any]:
    """Why the check refuses, but for what the step's own checks and rules of texts say: no schema knows these."""
    without_own = Step(step.id, step.title, step.help, step.fields)
    try:
        clean_answer(without_own, answer)
    except Invalid as error:
        return [one for one in error.errors if one.code not in BEYOND_A_SCHEMA]
    return []


@pytest.mark.generated
@pytest.mark.parametrize("step", STEPS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_schema_and_check_agree(step: Step, data: st.DataObject) -> None:
    answer = data.draw(answers(step))
    schema = Draft202012Validator(step_schema(step))
    assert schema.is_valid(answer) == (not refused(step, answer)), (
        [error.message for error in schema.iter_errors(answer)],
        refused(step, answer),
    )


@pytest.mark.parametrize("step", STEPS)
def test_the_version_that_may_come_with_an_answer_is_in_the_schema_and_is_no_field_of_the_form(step: Step) -> None:
    version = step_schema(step)["properties"]["version"]
    assert (version["type"], version["x-is-field"]) == ("integer", False)


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ({"organisation_id": "100001", "client_id": "hub", "client_secret": "s"}, True),
        ({}, False),
        ({"sign_in": "organisation", "organisation_id": "1", "client_id": "   ", "client_secret": "s"}, False),
        ({"organisation_id": "1", "client_id": "hub", "client_secret": "s", "username": ""}, True),
        ({"organisation_id": "1", "client_id": "hub", "client_secret": "s", "username": "kari"}, False),
    ],
)
def test_signing_in_to_24sevenoffice(answer: dict[str, Any], is_right: bool) -> None:
    step = next(step for system in catalogue() if system.id == "24sevenoffice" for step in system.steps)
    assert Draft202012Validator(step_schema(step)).is_valid(answer) == is_right
    assert bool(refused(step, answer)) != is_right
