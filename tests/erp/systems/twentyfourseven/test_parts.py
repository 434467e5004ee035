"""The small parts of 24SevenOffice: numbers, envelopes, outcomes, pages, lines of a settlement, its form."""

import io
import struct
import subprocess
import sys
import zlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.erp import forms
from erphub.erp.documents import Payment, PaymentMeans, Sales, Settlement
from erphub.erp.posting import TaxCode
from erphub.erp.systems.twentyfourseven import numbers, outcomes, pages, xml
from erphub.erp.systems.twentyfourseven.description import SIGN_IN
from erphub.erp.systems.twentyfourseven.endpoints import Endpoints
from erphub.erp.systems.twentyfourseven.rest_rows import dimension_columns
from erphub.erp.systems.twentyfourseven.rest_vouchers import comment
from erphub.erp.systems.twentyfourseven.settlement import Chart, lines
from erphub.platform.errors import ErpRefused, Invalid, Unavailable, Uncertain

NOW = datetime(2026, 3, 14, 12, 20, tzinfo=UTC)
amounts = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**14), max_value=10**14)


# --- numbers ---------------------------------------------------------------------------------------------------------


@given(amounts)
def test_a_decimal_goes_out_and_comes_back_exactly(amount: Decimal):
    assert numbers.decimal(numbers.loads(numbers.dumps({"a": [amount]}))["a"][0]) == amount


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_everything_else_is_plain_json(value: Any):
    assert numbers.loads(numbers.dumps(value)) == value


@pytest.mark.parametrize("text", ["NaN", "Infinity", '{"a": -Infinity}', "{", ""])
def test_what_is_no_json_is_refused(text: str):
    with pytest.raises(ValueError, match=r"not a number|Expecting"):
        numbers.loads(text)


def test_numbers_have_no_exponents():
    assert numbers.plain(Decimal("1E+3")) == "1000"
    assert numbers.plain(Decimal("1E-7")) == "0.0000001"
    assert numbers.plain(Decimal("-0.00")) == "0"
    assert numbers.rate_key(Decimal("25.00")) == "25"


# --- envelopes -------------------------------------------------------------------------------------------------------


@given(st.text())
def test_any_text_survives_an_envelope_as_far_as_xml_can_hold_it(text: str):
    root = xml.parse(xml.envelope("urn:x", "Op", (("Text", text),)))
    found = xml.text(root, "Body", "Op", "Text") or ""
    held = "".join(char for char in text if char in "\t\n\r" or (char >= " " and not "\ud800" <= char <= "\udfff"))
    expected = held.replace("\ufffe", "").replace("\uffff", "").replace("\r\n", "\n").replace("\r", "\n")
    assert found.replace("\r\n", "\n").replace("\r", "\n") == expected


def test_what_is_none_is_left_out_and_nil_is_said():
    body = xml.envelope("urn:x", "Op", (("A", None), ("B", xml.NIL), ("C", [1, 2]), ("D", (("E", True),))))
    call = xml.child(xml.parse(body), "Body", "Op")
    assert call is not None
    assert [child.tag for child in call] == ["{urn:x}B", "{urn:x}C", "{urn:x}C", "{urn:x}D"]
    assert b'nil="true"' in body
    assert xml.truth(call, "D", "E")


def test_days_instants_and_bytes_are_spelled_as_the_schema_wants():
    assert xml.spelled(date(2026, 1, 31)) == "2026-01-31T00:00:00"
    assert xml.spelled(datetime(2026, 1, 31, 23, 59, 59, 999_999)) == "2026-01-31T23:59:59"  # noqa: DTZ001
    assert xml.spelled(b"\x00\xff") == "AP8="
    assert xml.spelled(Decimal("1E+2")) == "100"


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>',
        b"<html><body>Service unavailable",
        b"",
    ],
)
def test_documents_that_reach_out_or_are_none_are_refused(document: bytes):
    with pytest.raises(ValueError, match="the answer"):
        xml.parse(document)


@pytest.mark.parametrize(
    "value", ["1250.00", "12<!-- x -->50.00", "1250<?print bold?>.00", "<![CDATA[1250.00]]>", " 1250.00\n"]
)
def test_a_value_of_an_answer_is_all_of_its_text(value: str):
    root = xml.parse(f"<a><b>{value}</b></a>".encode())
    assert xml.amount(root, "b") == Decimal("1250.00")


@pytest.mark.parametrize(
    ("read", "value"),
    [
        *(
            (xml.amount, value)
            for value in ("NaN", "Infinity", "1_000", "１２", "1e2", "1,50", "12<b>5</b>", "<b>12</b>")
        ),
        *((xml.whole, value) for value in ("１２", "1_000", "1.0", "²", "1<b/>", "9" * 5000)),
        *((xml.truth, value) for value in ("yes", "True", "2", "<b>true</b>")),
    ],
)
def test_what_is_no_value_of_its_type_is_an_answer_that_cannot_be_read(read: Any, value: str):
    with pytest.raises(ValueError, match="is no"):
        read(xml.parse(f"<a><b>{value}</b></a>".encode()), "b")


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), (" true ", True), ("false", False), ("", False)]
)
def test_a_truth_has_its_two_forms(value: str, expected: bool):
    assert xml.truth(xml.parse(f"<a><b>{value}</b></a>".encode()), "b") is expected


def test_the_vendors_smallest_number_and_year_one_mean_nothing():
    root = xml.parse(b"<a><n>-2147483648</n><d>0001-01-01T00:00:00</d><m>7</m></a>")
    assert xml.whole(root, "n") is None
    assert xml.whole(root, "m") == 7
    assert xml.day(root, "d") is None


# --- outcomes --------------------------------------------------------------------------------------------------------

REQUEST = httpx.Request("POST", "https://rest.example/v1/transactions")


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
def test_what_never_left_was_not_done(kind: type[httpx.HTTPError]):
    assert isinstance(outcomes.lost(kind("x", request=REQUEST), writes=True), Unavailable)  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    "kind", [httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteError, httpx.WriteTimeout]
)
def test_what_left_may_have_been_done_and_a_read_is_just_repeated(kind: type[httpx.HTTPError]):
    error = kind("x", request=REQUEST)  # pyright: ignore[reportCallIssue]
    assert isinstance(outcomes.lost(error, writes=True), Uncertain)
    assert isinstance(outcomes.lost(error, writes=False), Unavailable)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("30", 30), ("", 60), ("soon", 60), ("Sat, 14 Mar 2026 12:21:00 GMT", 60), ("999999999", 86400)],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: int):
    assert outcomes.retry_after({"retry-after": header}, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("Limit exceeded by 12. Request is blocked. Quarantine ends at 2026-03-14 13:00:00", "13:00"),
        ("Limit exceeded by 1. Request is blocked. Quarantine ends at 14.03.2026 13:05:00", "13:05"),
        ("<faultstring>… Quarantine ends at 2026-03-14T13:10:00Z</faultstring>", "13:10"),
        ("Request is blocked. Quarantine ends at the end of days", "13:00"),
    ],
)
def test_the_end_of_a_quarantine_is_read_from_its_words(text: str, until: str):
    found = outcomes.quarantine(text, NOW)
    assert found is not None
    assert f"{found:%H:%M}" == until


def test_an_answer_without_quarantine_has_none():
    assert outcomes.quarantine("All is well", NOW) is None


def test_the_erps_words_come_from_wherever_it_puts_them():
    body = {
        "error": {
            "name": "ValidationError",
            "message": "No",
            "payload": {"validationErrors": [{"path": "lines[0].amount", "keyword": "multipleOf"}]},
        }
    }
    assert outcomes.error_message(body) == "No; lines[0].amount multipleOf"
    missing = {
        "error": {"name": "BadRequestError", "payload": {"errors": [{"type": "DepartmentMissing", "message": "D"}]}}
    }
    assert outcomes.refused(400, missing, "T1").code == "department_missing"
    for odd in (None, [], "text", {"error": "text"}, {"error": {"payload": [1]}}):
        assert isinstance(outcomes.error_message(odd), str)


@pytest.mark.parametrize(
    "words",
    [
        "The financial period of 2024-05-05 is closed.",
        "There is no financial period for 2019-01-02: the year 2019 is not set up.",
        "lines[0].date period; The period is locked",
        "2024-05-05 is not in the accounting year 2026.",
        "Regnskapsperioden er lukket",
    ],
)
def test_a_day_that_the_erp_takes_nothing_of_has_a_code_of_its_own(words: str):
    body = {"error": {"message": "; ".join([words] * 3), "payload": {"validationErrors": []}}}
    refused = outcomes.refused(400, body)
    assert refused.code == "period_closed"
    assert refused.members["erp_message"].count(words) == 1
    assert "Open it there" in refused.detail


@pytest.mark.parametrize(
    "words", ["The voucher does not balance", "The account is closed", "Periodic report is missing"]
)
def test_other_words_are_no_closed_period(words: str):
    assert outcomes.refused(400, {"error": {"message": words}}).code == "erp_refused"


# --- pages -----------------------------------------------------------------------------------------------------------


def test_grey_pixels_become_a_png_that_reads_back():
    image = pages.png(3, 2, 4, b"\x00\x80\xff_\x10\x20\x30_")
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    data = image[image.index(b"IDAT") + 4 : image.index(b"IEND") - 8]
    assert (width, height, zlib.decompress(data)) == (3, 2, b"\x00\x00\x80\xff\x00\x10\x20\x30")


def test_a_pdf_is_drawn_page_by_page_and_what_is_none_is_refused():
    from reportlab.pdfgen.canvas import Canvas

    written = io.BytesIO()
    canvas = Canvas(written, pagesize=(200, 300))
    for words in ("Dagsoppgjør", "Side to"):
        canvas.drawString(20, 150, words)
        canvas.showPage()
    canvas.save()
    drawn = list(pages.render(written.getvalue()))
    assert len(drawn) == 2
    assert drawn[0] != drawn[1]
    assert struct.unpack(">II", drawn[0][16:24]) == (417, 625)
    with pytest.raises(ErpRefused) as caught:
        list(pages.render(b"%PDF-1.4 nothing"))
    assert caught.value.code == "pdf_unreadable"


# --- a settlement's lines --------------------------------------------------------------------------------------------

CHART = Chart(
    {"3000": "3", "3100": None, "1900": "0", "7740": "0", "4390": "0", "1460": "0"},
    {
        "0": TaxCode("0", "Ingen", Decimal(0)),
        "3": TaxCode("3", "Høy", Decimal(25)),
        "31": TaxCode("31", "Middels", Decimal(15)),
    },
)
ROUTING = {
    "sales_accounts": {"25": "3000", "15": "3100", "0": "3100"},
    "payment_accounts": {"cash": "1900", "rounding": "7740"},
    "stock_change_account": "4390",
    "inventory_account": "1460",
    "stock_change": True,
}


@given(
    st.lists(st.tuples(st.sampled_from(["25", "15", "0"]), st.integers(-(10**9), 10**9)), min_size=1, max_size=6),
    st.integers(-50, 50),
    st.integers(-(10**8), 10**8),
)
def test_a_settlements_lines_always_sum_to_zero(sold: list[tuple[str, int]], rounding: int, stock: int):
    sales = tuple(Sales(vat_rate=Decimal(rate), amount=Decimal(ore) / 100, vat=Decimal(0)) for rate, ore in sold)
    taken = sum((line.amount for line in sales), Decimal(0)) + Decimal(rounding) / 100
    payments = (
        Payment(means=PaymentMeans.CASH, amount=taken),
        Payment(means=PaymentMeans.ROUNDING, amount=Decimal(rounding) / 100),
    )
    whole = Settlement(
        date=date(2026, 3, 14), number=1, sales=sales, payments=payments, stock_change=Decimal(stock) / 100
    )
    if not (any(sold_ore for _, sold_ore in sold) or rounding or stock):
        with pytest.raises(ErpRefused):
            lines(whole, ROUTING, lambda: CHART)
        return
    found = lines(whole, ROUTING, lambda: CHART)
    assert sum((line.amount for line in found), Decimal(0)) == 0
    assert all(line.amount or line.vat for line in found)
    codes = {(line.account, line.tax_code) for line in found if line.text.startswith("Sales")}
    assert codes <= {("3000", "3"), ("3100", "31"), ("3100", "0")}


def test_the_key_always_fits_into_the_comment():
    whole = Settlement(
        date=date(2026, 3, 14), number=10**15, department="x" * 50,
        sales=(Sales(vat_rate=Decimal(25), amount=Decimal(1), vat=Decimal(0)),),
        payments=(Payment(means=PaymentMeans.CASH, amount=Decimal(1)),),
    )  # fmt: skip
    key = "EH-" + "K" * 26
    assert len(comment(whole, key, "Sales 25 %")) <= 75
    assert comment(whole, key).endswith(key)


# --- the rest --------------------------------------------------------------------------------------------------------


def test_custom_dimensions_follow_the_systems_own():
    assert dimension_columns([2, 1, 104, 101, 7, *range(200, 212)]) == {
        1: 1, 2: 2, 101: 6, 104: 7, 200: 8, 201: 9, 202: 10, 203: 11, 204: 12,
    }  # fmt: skip


def test_only_a_deployment_moves_the_vendors_addresses():
    assert Endpoints.of({}).rest == "https://rest.api.24sevenoffice.com"
    assert Endpoints.of({"24sevenoffice": "http://127.0.0.1:9/"}).api == "http://127.0.0.1:9/api"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"sign_in": "organisation", "organisation_id": "12a", "client_id": "x", "client_secret": "y"}, "bad_form"),
        ({"sign_in": "organisation", "organisation_id": "12", "client_id": "x"}, "required"),
        ({"sign_in": "user", "username": "a@b.example"}, "required"),
        ({"sign_in": "user", "username": "a", "password": "b", "client_id": "c"}, "not_applicable"),
        ({"sign_in": "token"}, "not_a_choice"),
        ({"sign_in": "user", "username": "a", "password": "b", "rest": "http://evil.example"}, "unknown_field"),
    ],
)
def test_the_form_tells_what_is_wrong(answer: dict[str, Any], code: str):
    with pytest.raises(Invalid) as caught:
        forms.clean_answer(SIGN_IN, answer)
    assert code in {error.code for error in caught.value.errors}


@pytest.mark.parametrize(
    "changed",
    [
        {"organisation_id": "2"},
        {"client_id": "theirs"},
        {"sign_in": "user", "username": "me", "organisation_id": None, "client_id": None},
    ],
)
def test_a_secret_stays_with_the_organisation_client_and_way_of_signing_in_it_was_given_for(changed: dict[str, Any]):
    known = forms.AnswerContext(
        {"sign_in": "organisation", "organisation_id": "1", "client_id": "mine", "has_several_companies": False},
        frozenset({"client_secret", "password"}),
    )
    same = {"organisation_id": "1", "client_id": "mine"}
    settings, secret = forms.clean_answer(SIGN_IN, {**same, "has_several_companies": True}, known)
    assert settings["has_several_companies"]
    assert secret == {}
    answer = {name: value for name, value in (same | changed).items() if value is not None}
    with pytest.raises(Invalid) as caught:
        forms.clean_answer(SIGN_IN, answer, known)
    assert caught.value.errors[0].code == "secret_needed_again"


@pytest.mark.usefixtures("fresh_python")
def test_listing_the_catalogue_and_opening_a_connection_bring_no_client_and_no_table_engine():
    code = (
        "import sys; from erphub.erp import catalogue as erp; erp.catalogue();"
        "erp.open_system('24sevenoffice', {'sign_in': 'organisation', 'organisation_id': '1'}, {'client_secret': 'x'});"
        "heavy = ('httpx', 'lxml', 'arro3', 'deltalake', 'pypdfium2', 'pymssql');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
