"""Values of a driver into Arrow: exact, or refused, or told."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.erp.datasets import DatasetField, FieldType
from erphub.erp.transports.sqlserver.arrow import Anomalies, Days, constant, converter, nulls
from erphub.erp.transports.sqlserver.statements import Column
from erphub.platform.errors import ErpRefused


def converted(kind: FieldType, column: str, text: str, values: list[Any]) -> tuple[list[Any], Anomalies]:
    anomalies = Anomalies()
    wanted = DatasetField("field", kind, "A field")
    make = converter(wanted, Column("c", column, 8, 38, 4, True), text, Days(), anomalies)
    array = make(tuple(values))
    return array.to_pylist(), anomalies


@given(
    st.lists(
        st.none() | st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**31), max_value=10**31)
    )
)
def test_any_decimal_arrives_exactly(values: list[Decimal | None]) -> None:
    texts = [None if value is None else f"{value:f}" for value in values]
    assert converted(FieldType.DECIMAL, "decimal", "decimal(38,6)", texts)[0] == values


@given(st.lists(st.none() | st.dates()))
def test_any_date_written_as_a_number_or_as_text_arrives(days: list[date | None]) -> None:
    numbers = [0 if day is None else day.year * 10000 + day.month * 100 + day.day for day in days]
    texts = [None if day is None else day.isoformat() for day in days]
    assert converted(FieldType.DATE, "int", "date32", numbers)[0] == days
    assert converted(FieldType.DATE, "date", "date32", texts)[0] == days


@given(st.integers(-(2**31), 2**31 - 1))
def test_a_number_is_either_the_day_it_spells_or_no_day_and_told(number: int) -> None:
    (found,), anomalies = converted(FieldType.DATE, "int", "date32", [number])
    if found is None:
        assert [anomaly.code for anomaly in anomalies.found.values()] == ([] if number == 0 else ["bad_date"])
    else:
        assert int(found.strftime("%Y%m%d")) == number
        assert not anomalies.found


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e25, max_value=1e25))
def test_a_float_becomes_the_shortest_decimal_or_says_what_was_rounded(value: float) -> None:
    (found,), anomalies = converted(FieldType.DECIMAL, "float", "decimal(38,12)", [value])
    assert abs(found - Decimal(repr(value))) <= Decimal("5e-13")
    assert (found == Decimal(repr(value))) is (not anomalies.found)


@given(st.text())
def test_any_text_arrives_as_it_is(text: str) -> None:
    assert converted(FieldType.TEXT, "nvarchar", "string", [text, None])[0] == [text, None]


def test_half_a_character_is_replaced_and_told_and_the_others_stay() -> None:
    found, anomalies = converted(FieldType.TEXT, "nvarchar", "string", ["ok", "\ud83d", None, "x\udf3fy", "🌿"])
    assert found == ["ok", "\ufffd", None, "x\ufffdy", "🌿"]
    assert anomalies.found["text_not_unicode"].count == 2


@pytest.mark.parametrize(
    ("kind", "column", "text", "value", "expected"),
    [
        (FieldType.INTEGER, "int", "int64", 5, 5),
        (FieldType.INTEGER, "bit", "int64", True, 1),
        (FieldType.INTEGER, "decimal", "int64", "202401", 202401),
        (FieldType.BOOLEAN, "bit", "bool", True, True),
        (FieldType.BOOLEAN, "int", "bool", 0, False),
        (FieldType.DECIMAL, "bit", "decimal(1,0)", True, Decimal(1)),
        (FieldType.TEXT, "bigint", "string", -(2**63), str(-(2**63))),
        (FieldType.TEXT, "bit", "string", False, "0"),
        (FieldType.TEXT, "real", "string", 0.10000000149011612, "0.1"),
        (FieldType.TEXT, "real", "string", 3.4028234663852886e38, "3.4028235e+38"),
    ],
)
def test_each_kind_of_column_becomes_the_kind_of_field(
    kind: FieldType, column: str, text: str, value: Any, expected: Any
) -> None:
    assert converted(kind, column, text, [value, None])[0] == [expected, None]


def test_an_instant_keeps_its_microseconds_and_has_no_zone() -> None:
    (found,), _ = converted(FieldType.TIMESTAMP, "datetime2", "timestamp[us]", ["2024-01-31T23:59:59.1234567"])
    assert (found.isoformat(), found.tzinfo) == ("2024-01-31T23:59:59.123456", None)


@pytest.mark.parametrize(
    ("kind", "column", "text", "value", "code"),
    [
        (FieldType.DECIMAL, "decimal", "decimal(4,2)", "100.00", "decimal_too_wide"),
        (FieldType.INTEGER, "decimal", "int64", "9" * 20, "decimal_too_wide"),
        (FieldType.TIMESTAMP, "datetime", "timestamp[us]", "yesterday", "value_unreadable"),
    ],
)
def test_what_cannot_be_held_is_refused_and_never_becomes_null(
    kind: FieldType, column: str, text: str, value: str, code: str
) -> None:
    with pytest.raises(ErpRefused) as refused:
        converted(kind, column, text, [None, value])
    assert refused.value.code == code


def test_examples_of_anomalies_are_few() -> None:
    anomalies = Anomalies()
    for n in range(1000):
        anomalies.add("bad_date", f"day {n}")
    assert (anomalies.found["bad_date"].count, len(anomalies.found["bad_date"].examples)) == (1000, 5)


def test_the_memory_of_spellings_is_bounded() -> None:
    days = Days()
    first = date(1990, 1, 1)
    for n in range(120_000):
        text = f"{first + timedelta(days=n % 9000)}T{n % 24:02}:{n % 60:02}:{n % 59:02}.{n % 997:03}"
        assert days[text] == (first + timedelta(days=n % 9000) - date(1970, 1, 1)).days
    assert len(days) <= 100_002


@pytest.mark.parametrize("text", ["string", "int64", "decimal(1,0)", "date32", "timestamp[us]", "bool"])
def test_a_column_of_nothing_has_the_fields_type(text: str) -> None:
    assert nulls(text)(3).to_pylist() == [None, None, None]
    assert constant(7, "int64")(2).to_pylist() == [7, 7]
