"""The terminal asks what a step's schema asks, whatever ERP it is of: what applies, what is needed, what is secret."""

from itertools import product
from typing import Any

import pytest
from erphub_client import problems
from erphub_client.command.connect import without_wrong
from erphub_client.command.forms import Form
from erphub_client.command.output import Output
from jsonschema import Draft202012Validator

from erphub.erp.catalogue import catalogue
from erphub.erp.description import Step
from erphub.erp.forms import step_schema


def form(schema: dict[str, Any], **known: Any) -> Form:
    return Form(Output(as_json=True), schema, lambda _: [], known)


def steps() -> list[Any]:
    return [pytest.param(step, id=f"{system.id} {step.id}") for system in catalogue() for step in system.steps]


def choices(step: Step) -> list[dict[str, Any]]:
    """Every combination of the answers that others depend on; left out as well."""
    deciding = sorted({item.when[0] for item in step.fields if item.when is not None})
    values: list[list[Any]] = []
    for name in deciding:
        item = next(one for one in step.fields if one.name == name)
        values.append([None, *(list(item.choices) or [True, False])])
    return [
        {name: value for name, value in zip(deciding, combination, strict=True) if value is not None}
        for combination in product(*values)
    ]


@pytest.mark.parametrize("step", steps())
def test_a_field_is_asked_where_the_hub_would_take_it_and_needed_where_the_hub_needs_it(step: Step) -> None:
    schema = step_schema(step)
    asked = form(schema)
    defaults = {item.name: item.default for item in step.fields if item.default is not None}
    for answer in choices(step):
        for item in step.fields:
            meant = defaults | answer
            assert asked.applies(item.name, answer) == item.is_shown(meant), (item.name, answer)
            filled = {one.name: one.example or one.default or "a text" for one in step.fields if one.is_shown(meant)}
            without = {name: value for name, value in (filled | answer).items() if name != item.name}
            missing = [error.message for error in Draft202012Validator(schema).iter_errors(without)]
            told = any(f"'{item.name}' is a required property" in message for message in missing)
            if item.is_shown(meant):
                assert asked.is_required(item.name, without) == told, (item.name, answer, missing)


@pytest.mark.parametrize("step", steps())
def test_secrets_are_typed_unseen_and_never_shown_as_what_was_answered_before(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = step_schema(step)
    secret = {item.name for item in step.fields if item.secret}
    assert set(form(schema).secrets()) == secret
    hidden: list[bool] = []

    def prompt(title: str, **options: Any) -> str:
        hidden.append(bool(options.get("hide_input")))
        return "typed"

    monkeypatch.setattr("typer.prompt", prompt)
    for item in step.fields:
        if item.secret:
            field = schema["properties"][item.name]
            assert form(schema)._ask_field(item.name, field, is_needed=True) == "typed"
    assert hidden == [True] * len(secret)


def test_what_the_erp_offers_is_listed_where_the_step_says() -> None:
    """Companies, and what else a system lists: the schema says where, so that no client knows a step by its name."""
    for system in catalogue():
        for step in system.steps:
            schema = step_schema(step)
            listed = {
                name: field["x-listed-at"] for name, field in schema["properties"].items() if "x-listed-at" in field
            }
            if step.id == "companies":
                assert listed == {"companies": "companies"}
            assert set(listed) == {item.name for item in step.listed} | (
                {"companies"} if step.id == "companies" else set()
            )


LISTED = {
    "title": "These",
    "x-listed-at": "choices/these",
    "oneOf": [{"const": "all", "title": "All"}, {"type": "array", "items": {"type": "string"}}],
}


@pytest.mark.parametrize(
    ("typed", "answered"), [("all", "all"), ("2", ["b"]), ("3, 1,3", ["c", "a"])], ids=["all", "one", "several"]
)
def test_some_of_what_is_listed_are_chosen_by_number(
    monkeypatch: pytest.MonkeyPatch, typed: str, answered: Any
) -> None:
    monkeypatch.setattr("typer.prompt", lambda _, **options: options["value_proc"](typed))
    asked = Form(Output(as_json=True), {"properties": {"these": LISTED}}, lambda _: [(one, one) for one in "abc"], {})
    assert asked.ask({}) == {"these": answered}


@pytest.mark.parametrize("typed", ["0", "4", "x", "", "1;2"])
def test_a_number_that_is_not_listed_is_asked_again(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr("typer.prompt", lambda _, **options: options["value_proc"](typed))
    asked = Form(Output(as_json=True), {"properties": {"these": LISTED}}, lambda _: [(one, one) for one in "abc"], {})
    with pytest.raises(Exception, match="numbers from 1 to 3"):
        asked.ask({})


def test_an_answer_that_is_given_beforehand_is_not_asked() -> None:
    schema = {"properties": {"name": {"type": "string"}, "version": {"type": "integer", "x-is-field": False}}}
    assert form(schema).ask({"name": "Given"}) == {"name": "Given"}


def test_of_what_was_refused_only_the_wrong_fields_are_typed_again() -> None:
    wrong = problems.Invalid(422, {"errors": [{"pointer": "/server", "code": "blank", "detail": "Give it."}]})
    assert without_wrong({"server": "", "password": "typed"}, wrong) == {"password": "typed"}
    assert without_wrong({"server": ""}, problems.Invalid(422, {"errors": []})) == {}


def test_an_object_is_asked_part_by_part_and_what_may_be_left_out_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mapping of tables: of each dataset whether it is there, its table, and the column of each field."""
    system = next(one for one in catalogue() if any(step.id == "mapping" for step in one.steps))
    schema = step_schema(next(step for step in system.steps if step.id == "mapping"))
    first, *_ = schema["properties"]["mapping"]["properties"]
    wanted = iter([True, *[False] * 50])
    monkeypatch.setattr("typer.confirm", lambda *_, **__: next(wanted))
    monkeypatch.setattr("typer.prompt", lambda title, **options: options.get("default") or f"my {title}")
    answer = form(schema).ask({})
    assert list(answer) == ["mapping"]
    assert list(answer["mapping"]) == [first]
    assert [error.message for error in Draft202012Validator(schema).iter_errors(answer)] == []
