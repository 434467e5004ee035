"""Values of XML: all the text of an element, and the lexical forms of XML Schema's types, no others."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from erphub.platform import xsd


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (xsd.decimal, "1250.00", Decimal("1250.00")),
        (xsd.decimal, " \n-.5\t", Decimal("-0.5")),
        (xsd.decimal, "+0012.", Decimal(12)),
        (xsd.integer, " 0042 ", 42),
        (xsd.integer, "-7", -7),
        (xsd.boolean, " 1\n", True),
        (xsd.boolean, "\ttrue ", True),
        (xsd.boolean, "0", False),
        (xsd.boolean, "false", False),
        (xsd.calendar_date, "2026-01-31", date(2026, 1, 31)),
        (xsd.calendar_date, "2026-01-31Z", date(2026, 1, 31)),
        (xsd.calendar_date, "2026-01-31+13:00", date(2026, 1, 31)),
        (xsd.calendar_date, "2026-01-31T23:59:59.123+02:00", date(2026, 1, 31)),
        (xsd.calendar_date, "9999-12-31", date(9999, 12, 31)),
        (xsd.instant, "2026-01-31T10:00:00", datetime(2026, 1, 31, 10)),  # noqa: DTZ001 — without a zone as it is
        (xsd.instant, "2026-01-31T10:00:00.1234567Z", datetime(2026, 1, 31, 10, 0, 0, 123456, tzinfo=UTC)),
        (xsd.instant, "2026-01-31T24:00:00-05:00", datetime(2026, 2, 1, tzinfo=timezone(-timedelta(hours=5)))),
    ],
)
def test_a_lexical_form_is_its_value(read: Any, text: str, value: object):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((xsd.decimal, text) for text in ("", ".", "NaN", "INF", "-Infinity", "1e3", "1E3", "1,25", "1 250", "1_000")),
        *((xsd.decimal, text) for text in ("１２", "²", "١٢", "0x10", "--1", "1.2.3", "9" * 39, "−5")),
        *((xsd.integer, text) for text in ("", "1.0", "²", "１", "1_0", "+-1", "true", "9" * 5000)),
        *((xsd.boolean, text) for text in ("", "True", "TRUE", "yes", "ja", "2", "-1", "on")),
        *((xsd.calendar_date, text) for text in ("", "20260131", "31.01.2026", "2026-1-31", "2026-02-30", "26-01-31")),
        *((xsd.calendar_date, text) for text in ("10000-01-01", "-0001-01-01", "0000-01-01", "2026-01-31 Z")),
        *((xsd.calendar_date, text) for text in ("2026-01-31+15:00", "２０２６-01-31", "1772668800", "2026-W05-6")),
        *(
            (xsd.instant, text)
            for text in ("2026-01-31", "2026-01-31 10:00:00", "2026-01-31T10:00", "2026-01-31T25:00:00")
        ),
        *((xsd.instant, text) for text in ("2026-01-31T10:00:60", "9999-12-31T24:00:00", "2026-01-31T10:00:00+02")),
    ],
)
def test_what_is_no_lexical_form_is_refused(read: Any, text: str):
    with pytest.raises(xsd.LexicalError) as refused:
        read(text)
    assert len(str(refused.value)) < 120


@given(st.text(max_size=30))
def test_whatever_the_text_it_is_read_or_refused_and_nothing_else(text: str):
    for read in (xsd.decimal, xsd.integer, xsd.boolean, xsd.calendar_date, xsd.instant):
        try:
            assert read(text) is not None
        except xsd.LexicalError:
            continue


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20))
def test_every_amount_is_read_exactly(amount: Decimal):
    assert xsd.decimal(f"{amount:f}") == amount


@pytest.mark.parametrize(
    "value",
    [
        "1250.00",
        "<![CDATA[1250.00]]>",
        "12<!-- checked -->50.00",
        "1250<?print bold?>.00",
        "<!-- a --> 1250.00\n<!-- b -->",
        "12<![CDATA[50]]>.<!-- x -->00",
        "&#49;250.00",
    ],
)
def test_a_value_is_all_of_its_text(value: str):
    document = f"<a><b>{value}</b></a>".encode()
    for events in (("end",), ("start", "end")):
        (element,) = [
            one for event, one in xsd.parsed(BytesIO(document), events=events) if (event, one.tag) == ("end", "b")
        ]
        assert xsd.decimal(xsd.text_of(element)) == Decimal("1250.00")
    # and where a document was read with everything that stands in it
    assert xsd.decimal(xsd.text_of(etree.fromstring(document).find("b"))) == Decimal("1250.00")


@pytest.mark.parametrize("value", ["100<fee>5</fee>", "<b>100</b>", "1<b>00</b>", "<b/>100", "100<b/>", "<b/>"])
def test_what_has_elements_inside_is_no_value(value: str):
    element = etree.fromstring(f"<a>{value}</a>".encode())
    for read in (xsd.text_of, xsd.string_of):
        with pytest.raises(xsd.LexicalError):
            read(element)


@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u202f", "\u0085", "\u3000", "\ufeff"])
def test_other_blanks_than_xml_s_are_no_white_space(space: str):
    element = etree.fromstring(f"<a>{space}12{space}</a>".encode())
    with pytest.raises(xsd.LexicalError):
        xsd.decimal(xsd.text_of(element))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        (" 2026-01-31Z\n", date(2026, 1, 31)),
        ("2026-01-31+14:00", date(2026, 1, 31)),
        *(
            (text, None)
            for text in ("2026-01-31T00:00:00", "20260131", "2026-02-30", "2026-01-31+14:01", "26-01-31", "")
        ),
    ],
)
def test_a_day_is_a_day_with_or_without_its_zone(text: str, expected: date | None):
    if expected is not None:
        assert xsd.day(text) == expected
        return
    with pytest.raises(xsd.LexicalError):
        xsd.day(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("23:00:00", "23:00:00"),
        (" 23:00:00Z ", "23:00:00"),
        ("23:00:00+02:00", "23:00:00"),
        ("23:00:00.000", "23:00:00"),
        ("23:00:00.250-03:30", "23:00:00.25"),
        *((text, None) for text in ("23:00", "230000", "23:00:00.", "1:00:00", "23:00:00+2", "")),
    ],
)
def test_a_time_sorts_as_times_do(text: str, expected: str | None):
    if expected is not None:
        assert xsd.clock_time(text) == expected
        return
    with pytest.raises(xsd.LexicalError):
        xsd.clock_time(text)


def test_a_document_type_of_its_own_is_seen():
    document = b'<!DOCTYPE a [<!ENTITY f "Fjord">]><a><b>&f; AS</b></a>'
    elements = [element for _, element in xsd.parsed(BytesIO(document), events=("start",))]
    assert xsd.has_document_type(elements[0])
    plain = [element for _, element in xsd.parsed(BytesIO(b"<a/>"), events=("start",))]
    assert not xsd.has_document_type(plain[0])
