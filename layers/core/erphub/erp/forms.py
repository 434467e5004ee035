"""A wizard's step as a form: the JSON Schema a page is drawn from, and the check of what was typed into it.

Both are made from the same `Step`, so a form cannot promise what the check refuses. The check understands the part
of JSON Schema 2020-12 that steps use, and tells all that is wrong at once.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from erphub.erp import problems
from erphub.erp.description import Field, Json, Step
from erphub.platform.errors import FieldError, Invalid
from erphub.platform.problems import BAD_FORM, NOT_A_CHOICE, REQUIRED, TOO_LONG, UNKNOWN_FIELD, WRONG_TYPE
from erphub.platform.text import require_visible

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "array": list,
    "object": dict,
}
_TYPE_WORDS = {
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "array": "a list",
    "object": "an object",
}


_BLANK = r"^\s*$"
_NOT_BLANK = r"\S"
_VERSION: Json = {
    "title": "Version",
    "description": "The wizard's `version` that the answer was made from: when it has moved on, the answer is refused.",
    "type": "integer",
    "x-is-field": False,
}


@dataclass(frozen=True)
class AnswerContext:
    """What was answered before: the settings, and the names of the secrets that are kept (never their values)."""

    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    secrets: frozenset[str] = frozenset()


def step_schema(step: Step) -> Json:
    """The step as JSON Schema 2020-12: titles, help, examples, defaults, choices, `writeOnly` secrets, if/then."""
    always = [item for item in step.fields if item.when is None]
    schema: Json = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": step.title,
        "description": step.help,
        "type": "object",
        "properties": {item.name: _described_field(item) for item in step.fields} | {"version": _VERSION},
        "required": [item.name for item in always if item.required and item.default is None],
        "additionalProperties": False,
    }
    conditions = [_condition(step, item) for item in step.fields if item.when is not None]
    if conditions:
        schema["allOf"] = conditions
    return schema


def answer_schema(step: Step) -> Json:
    """The step as a schema that generators of clients read: what depends on another answer is said in words.

    A secret is not required, for whoever edits a connection may leave out one that is kept.
    """
    schema = step_schema(step)
    optional = {item.name for item in step.fields if item.secret}
    properties = {item.name: _plain_field(item) for item in step.fields}
    return {
        "title": schema["title"],
        "description": schema["description"],
        "type": "object",
        "properties": properties | {"version": _VERSION},
        "required": [name for name in schema["required"] if name not in optional],
        "additionalProperties": False,
    }


def _plain_field(item: Field) -> Json:
    words = [item.help, *(f"`{value}`: {title}." for value, title in item.choices.items())]
    if item.when is not None:
        other, values = item.when
        words.append(f"Only where `{other}` is {' or '.join(f'`{value}`' for value in values)}.")
    schema = field_schema(item) | {"description": " ".join(words)}
    if item.choices:
        del schema["oneOf"]
        schema["enum"] = list(item.choices)
    return schema


def field_schema(item: Field) -> Json:
    """One field as JSON Schema. Choices are `oneOf` with titles; a warning stands in the choice's description.

    `x-listed-at` is where, below the wizard's address, the choices that the ERP offers are listed.
    """
    schema: Json = {"title": item.title, "description": item.help}
    if item.schema is not None:
        schema |= item.schema
    elif item.choices:
        schema |= {"type": item.type, "oneOf": [_choice(item, value) for value in item.choices]}
    else:
        schema["type"] = item.type
        if item.type == "string":
            schema |= {"minLength": 1 if item.required else 0, "maxLength": item.max_length}
        if item.pattern is not None:
            schema["pattern"] = item.pattern
        if item.multiline:
            schema["contentMediaType"] = "text/plain"
    if item.secret:
        schema["writeOnly"] = True
    if item.listed:
        schema["x-listed-at"] = f"choices/{item.name}"
    if item.example is not None:
        schema["examples"] = [item.example]
    if item.default is not None:
        schema["default"] = item.default
    return schema


def _choice(item: Field, value: str) -> Json:
    choice: Json = {"const": value, "title": item.choices[value]}
    if value in item.warnings:
        choice["description"] = item.warnings[value]
    return choice


def _described_field(item: Field) -> Json:
    """The field as it may be sent: with blanks around a text, and blank where it may be left out as well."""
    schema = field_schema(item)
    if not _is_free_text(item):
        return schema
    if item.pattern is not None and not item.secret:
        schema["pattern"] = rf"^\s*(?:{item.pattern.removeprefix('^').removesuffix('$')})\s*$"
    if item.required and item.default is None and item.when is None:
        schema |= {"allOf": [{"pattern": _NOT_BLANK}]} if "pattern" in schema else {"pattern": _NOT_BLANK}
    else:
        schema["minLength"] = 0
        if "pattern" in schema:
            schema["pattern"] = rf"(?:{schema['pattern']})|{_BLANK}"
    return schema


def _is_free_text(item: Field) -> bool:
    return item.type == "string" and item.schema is None and not item.choices


def _condition(step: Step, item: Field) -> Json:
    """Shown (and, where it must be, required) only when another field has one of some values."""
    nothing: list[Json] = [{"pattern": _BLANK}] if _is_free_text(item) else []
    nothing += [{"const": item.default}] if item.default is not None else []
    hidden: Json | bool = {"anyOf": nothing} if nothing else False
    condition: Json = {"if": _shown(step, item), "else": {"properties": {item.name: hidden}}}
    if item.required and item.default is None:
        needed: Json = {"required": [item.name]}
        if _is_free_text(item):
            needed["properties"] = {item.name: {"pattern": _NOT_BLANK}}
        condition["then"] = needed
    return condition


def _shown(step: Step, item: Field) -> Json:
    """When a field is shown: the other one is, and has one of the values, by its default if it is left out."""
    name, values = cast(tuple[str, tuple[str, ...]], item.when)
    other = next(one for one in step.fields if one.name == name)
    holds: Json = {"properties": {name: {"enum": list(values)}}}
    if other.default not in values:
        holds["required"] = [name]
    return holds if other.when is None else {"allOf": [_shown(step, other), holds]}


def clean_answer(step: Step, body: object, known: AnswerContext | None = None) -> tuple[dict[str, Any], dict[str, str]]:
    """What was answered, as (settings, secrets): defaults filled in, blanks of hidden fields dropped.

    A secret that is left out keeps the one that is known, as long as nothing it was given for has changed. Raises
    Invalid with every error at once (`required`, `unknown_field`, `not_applicable`, `wrong_type`, `not_a_choice`,
    `too_long`, `too_short`, `bad_form`, `secret_needed_again`, `hidden_character`, and what the step's own checks say).
    """
    known = known or AnswerContext()
    if not isinstance(body, Mapping):
        raise problems.NOT_AN_OBJECT()
    answer = {str(key): value for key, value in cast(Mapping[object, Any], body).items()}
    errors = [
        problems.NO_FIELD_OF_STEP(_pointer(name)) for name in answer if all(name != item.name for item in step.fields)
    ]
    values: dict[str, Any] = {}
    for item in step.fields:  # in their order: a field depends only on fields above it
        problem = _take(item, answer, values, known)
        if problem is not None:
            errors.append(problem)
        elif item.name in values:
            errors += _wrong(field_schema(item), values[item.name], _pointer(item.name))
    errors += [
        _needed_again(item) for item in step.fields if _kept(item, values, known) and _moved(step, values, known)
    ]
    if not errors:
        errors = [error for check in step.checks for error in check(values)]
    if not errors:
        errors = [error for item in step.fields for error in _hidden(item, values.get(item.name))]
    if errors:
        raise problems.ANSWERS_INVALID(errors=errors)
    secret = {item.name for item in step.fields if item.secret}
    return (
        {name: value for name, value in values.items() if name not in secret},
        {name: value for name, value in values.items() if name in secret},
    )


def _take(item: Field, answer: Mapping[str, Any], values: dict[str, Any], known: AnswerContext) -> FieldError | None:
    """Put the field's value, or its default, into `values`; or say why that cannot be."""
    given = answer.get(item.name)
    blank = item.name not in answer or (_is_free_text(item) and isinstance(given, str) and not given.strip())
    if not item.is_shown(values):
        if blank or (given == item.default and type(given) is type(item.default) and given is not None):
            return None
        return problems.NOT_APPLICABLE(_pointer(item.name))
    if not blank and not (given is None and item.required and item.default is None):
        # A secret is kept to the letter; what is typed elsewhere may well have a blank at its end.
        typed = isinstance(given, str) and _is_free_text(item) and not item.secret
        values[item.name] = str(given).strip() if typed else given
    elif _kept(item, values, known):
        return None
    elif item.default is not None:
        values[item.name] = item.default
    elif item.required:
        return problems.ANSWER_REQUIRED(_pointer(item.name), needed=item.needed or f"{item.title} is needed.")
    return None


def _kept(item: Field, values: Mapping[str, Any], known: AnswerContext) -> bool:
    """Whether the secret was left out and is the one that is known."""
    return item.secret and item.name in known.secrets and item.name not in values and item.is_shown(values)


def _moved(step: Step, values: Mapping[str, Any], known: AnswerContext) -> bool:
    """Whether something the step's secrets were given for is not what it was."""
    return any(values.get(item.name) != known.settings.get(item.name) for item in step.recipient)


def _needed_again(item: Field) -> FieldError:
    return problems.SECRET_NEEDED_AGAIN(_pointer(item.name), title=item.title)


def _hidden(item: Field, value: Any) -> Sequence[FieldError]:
    """What nobody sees in a text that people read. Secrets are taken to the letter; keys in lists are the ERP's own."""
    if item.secret or not isinstance(value, str):
        return ()
    try:
        require_visible(value, _pointer(item.name), lines=item.multiline)
    except Invalid as error:
        return error.errors
    return ()


def _pointer(name: str | int) -> str:
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def _wrong(schema: Json, value: Any, pointer: str) -> Iterator[FieldError]:
    """Everything in the value that the schema does not allow."""
    if "oneOf" in schema:
        yield from _wrong_choice(schema["oneOf"], value, pointer)
        return
    expected = schema["type"]
    if not isinstance(value, _TYPES[expected]) or (expected == "integer" and isinstance(value, bool)):
        yield WRONG_TYPE(pointer, expected=_TYPE_WORDS[expected])
        return
    match value:
        case str():
            yield from _wrong_text(schema, value, pointer)
        case list():
            yield from _wrong_list(schema, cast(list[Any], value), pointer)
        case dict():
            yield from _wrong_object(schema, cast(dict[Any, Any], value), pointer)
        case _:
            pass


def _wrong_choice(choices: list[Json], value: Any, pointer: str) -> Iterator[FieldError]:
    constants = [choice["const"] for choice in choices if "const" in choice]
    if any(value == constant and type(value) is type(constant) for constant in constants):
        return
    others = [choice for choice in choices if "const" not in choice]
    for choice in others:
        if isinstance(value, _TYPES[choice["type"]]):
            yield from _wrong(choice, value, pointer)
            return
    words = [repr(constant) for constant in constants] + [_TYPE_WORDS[choice["type"]] for choice in others]
    yield NOT_A_CHOICE(pointer, expected=", ".join(words))


def _wrong_text(schema: Json, value: str, pointer: str) -> Iterator[FieldError]:
    if len(value) < schema.get("minLength", 0):
        yield problems.EMPTY(pointer)
    if len(value) > schema.get("maxLength", len(value)):
        yield TOO_LONG(pointer, max_length=schema["maxLength"])
    elif "pattern" in schema and re.search(schema["pattern"], value) is None:
        yield BAD_FORM(pointer)


def _wrong_list(schema: Json, value: list[Any], pointer: str) -> Iterator[FieldError]:
    if len(value) < schema.get("minItems", 0):
        yield problems.TOO_FEW_CHOSEN(pointer, minimum=schema["minItems"])
    if len(value) > schema.get("maxItems", len(value)):
        yield problems.TOO_MANY_CHOSEN(pointer, maximum=schema["maxItems"])
        return
    if schema.get("uniqueItems") and any(item in value[:at] for at, item in enumerate(value)):
        yield problems.REPEATED(pointer)
    for at, item in enumerate(value):
        yield from _wrong(schema["items"], item, pointer + _pointer(at))


def _wrong_object(schema: Json, value: dict[Any, Any], pointer: str) -> Iterator[FieldError]:
    if len(value) < schema.get("minProperties", 0):
        yield problems.NONE_CHOSEN(pointer)
    for name in schema.get("required", ()):
        if name not in value:
            yield REQUIRED(pointer + _pointer(name))
    for name, item in value.items():
        known: Json | None = schema.get("properties", {}).get(name)
        if known is None:
            yield UNKNOWN_FIELD(pointer + _pointer(name))
        else:
            yield from _wrong(known, item, pointer + _pointer(name))
