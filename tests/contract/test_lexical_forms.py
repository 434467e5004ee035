"""Numbers, days and truth values: every field of every body, query and document takes its documented form alone."""

import re
import types
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAliasType, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json

import erphub
from erphub import openapi
from erphub.erp.documents import Customer, DocumentKind, Invoice, Product, Settlement
from erphub.platform.errors import Invalid, Malformed
from erphub.platform.lexical import loads
from erphub.platform.wire import Model
from erphub.sync.canonical import plain, read_document

KINDS = (bool, int, Decimal, float, datetime, date)
ODD = [
    *(
        True,
        1772668800,
        1.5,
        Decimal("1.5"),
        [],
        {},
        "",
        " ",
        "true",
        "yes",
        "1",
        "on",
        "²",
        "１",
        "٣",
        "1_0",
        "+5",
        " 5",
    ),
    *("5.0", "5 ", "1e2", "NaN", "Infinity", "0x1F", "1,5", "1772668800", "２０２６-03-05", "2026-3-5", "20260305"),
    *("2026-03-05T00:00:00Z", "2026-03-05T00:00:00", "2026-W10-4", "2026-02-30", "10000-01-01", "1" * 5000),
]
"""What is no value of these kinds, or of one kind only."""
RIGHT: dict[str, dict[type, Any]] = {
    "body": {bool: [True], int: [1772668800], date: []},
    "query": {
        bool: ["true"],
        int: ["1", "1772668800", "20260305"],
        date: [],
        datetime: ["2026-03-05T00:00:00Z"],
    },
    "document": {
        bool: [True],
        int: [1772668800],
        date: [],
        Decimal: [1772668800, Decimal("1.5"), "1", "5.0", "1772668800", "20260305", "1" * 5000],
    },
}
"""Of these, what may be taken, by where it stands (bounds and lengths refuse some of them)."""


def leaves(shape: Any, name: str = "") -> Iterator[tuple[str, type, Any]]:
    """Every field that holds one of the kinds, with its whole declaration."""
    for field, info in shape.model_fields.items():
        declared = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        yield from _within(declared, f"{name or shape.__name__}.{field}", declared)


def _within(declared: Any, name: str, whole: Any) -> Iterator[tuple[str, type, Any]]:
    if isinstance(declared, TypeAliasType):
        declared = declared.__value__
    if isinstance(declared, type) and get_origin(declared) is None:
        if issubclass(declared, BaseModel):
            yield from leaves(declared, name)
        elif declared in KINDS:
            yield name, declared, whole
        return
    origin = get_origin(declared)
    if origin is Annotated:
        yield from _within(get_args(declared)[0], name, whole)
    elif origin in (Union, types.UnionType):
        for part in get_args(declared):
            yield from _within(part, name, whole)
    elif origin is not Literal:
        for part in get_args(declared):
            if part is not Ellipsis:
                yield from _within(part, f"{name}[]", part)


def every_field() -> list[Any]:
    found: dict[str, Any] = {}
    for route in openapi.routes():
        if isinstance(route.takes, type) and issubclass(route.takes, Model):
            found |= {f"body {name}": ("body", kind, whole) for name, kind, whole in leaves(route.takes)}
        if route.query is not None:
            found |= {f"query {name}": ("query", kind, whole) for name, kind, whole in leaves(route.query)}
    for shape in (Settlement, Invoice, Customer, Product):
        found |= {f"document {name}": ("document", kind, whole) for name, kind, whole in leaves(shape)}
    return [pytest.param(*what, id=name) for name, what in sorted(found.items())]


def taken(where: str, adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        if where == "body":
            adapter.validate_json(to_json(value), strict=True)
        else:
            adapter.validate_python(value)
    except ValidationError:
        return False
    return True


def test_there_are_fields_of_each_place_to_look_at():
    names = [one.id for one in every_field()]
    assert {name.partition(" ")[0] for name in names} == {"body", "query", "document"}
    assert {"document Settlement.sales[].amount", "query LogQuery.limit", "body SyncInput.from_date"} <= set(names)


@pytest.mark.parametrize(("where", "kind", "declared"), every_field())
def test_nothing_is_read_into_what_a_field_does_not_hold(where, kind, declared):
    adapter = TypeAdapter(declared)
    assert kind in RIGHT[where], "say what its form is, in erphub.platform.lexical"
    allowed = RIGHT[where][kind]
    given = [value for value in ODD if where != "query" or isinstance(value, str)]
    odd = [value for value in given if not any(value == right and type(value) is type(right) for right in allowed)]
    assert [value for value in odd if taken(where, adapter, value)] == []


AMOUNT = (
    '{"date":"2026-03-04","number":1,"sales":[{"vat_rate":0,"amount":%s,"vat":0}],'
    '"payments":[{"means":"cash","amount":%s}]}'
)


@pytest.mark.parametrize(
    "written",
    ["90071992547409.99", "9999999999999999.99", "0.1", "0.07", "1250.00", "-0.3", "12", '"90071992547409.99"'],
)
def test_an_amount_arrives_digit_by_digit(written):
    document = read_document(DocumentKind.SETTLEMENT, loads(AMOUNT % (written, written)))
    assert Decimal(plain(document)["sales"][0]["amount"]) == Decimal(written.strip('"'))


@pytest.mark.parametrize(
    "written", ["1e2", "1.5E1", "0e0", "1.5e-1", '"1e2"', '"1,50"', '"１２"', '"NaN"', "true", "null"]
)
def test_what_is_no_amount_is_refused_with_its_field(written):
    with pytest.raises(Invalid) as refused:
        read_document(DocumentKind.SETTLEMENT, loads(AMOUNT % (written, 12)))
    assert "/sales/0/amount" in {error.pointer for error in refused.value.errors}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "NaN",
            '{"a": NaN}',
            '{"a": Infinity}',
            '{"a": -Infinity}',
            "1e999",
            '{"a": -1e400}',
            '{"a": 01}',
            '{"a": .5}',
            '{"a": +1}',
        ),
        *(
            '"\\ud800"',
            '{"\\udfff": 1}',
            "[" * 100_000,
            '{"a":' * 100_000,
            "9" * 5000,
            "",
            "{",
            "{'a': 1}",
            '{"a": １}',
        ),
        *(b"\xff\xfe{\x00}\x00", b'{"a": "\xf8"}', b"\xef\xbb\xbf{}"),
    ],
)
def test_what_is_no_json_is_told_so(text):
    with pytest.raises(Malformed):
        loads(text)


SOURCES = list(Path(erphub.__file__).parent.rglob("*.py"))


def test_no_code_takes_other_scripts_digits_for_a_number():
    """`"²".isdigit()` is true and `int` refuses it; `\\d` of a model's pattern takes １."""
    loose = re.compile(r"\.is(digit|decimal|numeric)\(|pattern=r?\"[^\"]*\\d")
    found = {
        f"{file.name}:{number}"
        for file in SOURCES
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if loose.search(line)
    }
    assert found == set()
