"""No library's words reach whoever calls: each is provoked, and the answer is made of the hub's sentences alone.

What is said of certificates is a table; everything else is asked for as a caller would.
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from erphub.platform.outbound.certificates import why_not_trusted
from local.problem_catalogue import entries
from tests.support.hub import Answer, Hub

X509_CODES = range(1, 95)
"""OpenSSL's X509_V_ERR_…, and a few that it does not have yet."""
OF_LIBRARIES = {
    "json": ("Expecting", "char ", "delimiter", "JSONDecode", "Extra data"),
    "pydantic": (
        "Input should",
        "Field required",
        "be a valid",
        "pydantic",
        "validation error",
        "Extra inputs",
        "unable to",
    ),
    "zoneinfo": ("ZoneInfo", "No time zone found", "tzdata", "normalized"),
    "decimal": ("ConversionSyntax", "InvalidOperation", "decimal."),
    "lxml": (
        "XMLSyntax",
        "StartTag",
        "Opening and ending",
        "line 1",
        "column",
        "Document is empty",
        "EntityRef",
        "lxml",
    ),
    "boto": (
        "level of configured",
        "An error occurred",
        "botocore",
        "Could not connect",
        "endpoint",
        "PutItem",
        "arn:",
    ),
    "python": ("Traceback", "Error:", "object has no attribute", "NoneType", ".py", "isoformat", "out of range for"),
}
"""Words by which a text of a library is known."""


def whole_text(answer: Answer) -> str:
    return f"{answer.text} {answer.headers}"


def require_own_words(answer: Answer, status: int) -> None:
    assert answer.status == status, answer.text
    found = [(library, word) for library, words in OF_LIBRARIES.items() for word in words if word in whole_text(answer)]
    assert found == [], answer.text
    known = {one["code"] for one in entries()}
    codes = {answer.code, *(wrong["code"] for wrong in answer.json.get("errors", ()))}
    assert codes <= known


def job(**more: Any) -> dict[str, Any]:
    period = {"kind": "everything"}
    return {"name": "Nightly", "company_keys": ["F0001"], "dataset_ids": ["accounts"], "period": period, **more}


JSON = [
    "{",
    '{"a": 1,}',
    '{"a": 01}',
    "[1,",
    '{"a": NaN}',
    '{"a": 1} {}',
    '{"a": "\\ud800"}',
    "\ufeff{}",
    "",
    '{"a": 1e999}',
]


@pytest.mark.parametrize("body", JSON)
def test_what_the_reader_of_json_says_is_not_told(whole: Hub, body: str) -> None:
    answer = whole.call("POST", whole.in_client("/webhooks"), body)
    require_own_words(answer, 400)


MODELS: list[Any] = [
    {"url": 5, "events": "all"},
    {"url": "https://x", "events": [5], "more": 1},
    {"url": "no address", "events": ["import.failed"]},
    {"url": "https://[::1", "events": ["import.failed"]},
    {"url": "https://x:99999/", "events": ["import.failed"]},
    {"url": "https://" + "a" * 300 + ".example.com/", "events": ["import.failed"]},
    {},
    [],
    None,
    {"url": None, "events": None, "description": {"a": 1}},
]


@pytest.mark.parametrize("body", MODELS)
def test_what_the_reader_of_models_says_is_not_told(whole: Hub, body: Any) -> None:
    answer = whole.call("POST", whole.in_client("/webhooks"), json.dumps(body))
    require_own_words(answer, 422)


@pytest.mark.parametrize("zone", ["Nowhere/Town", "../etc/passwd", "/etc/passwd", "", "Europe/Oslo\x00", "x" * 400])
def test_what_the_time_zones_say_is_not_told(whole: Hub, connection: str, zone: str) -> None:
    schedule = {"kind": "daily", "run_time": "03:00", "time_zone": zone}
    body = job(connection_id=connection, schedule=schedule)
    require_own_words(whole.call("POST", whole.in_client("/import-jobs"), body), 422)
    path = whole.in_client(f"/connections/{connection}/sync")
    settings = {"z_report": True, "customer_direction": "till", "from_date": "2026-02-30", "time_zone": zone}
    require_own_words(whole.call("PUT", path, settings), 422)


@pytest.mark.parametrize("amount", ["1e9999999", "NaN", "Infinity", "1,5", "--1", "1.2.3", "9" * 200, "", "²", "0x10"])
def test_what_decimals_say_is_not_told(whole: Hub, connection: str, amount: str) -> None:
    path = whole.in_client(f"/connections/{connection}/documents/product/P1")
    body = {"number": "P1", "name": "Coffee", "price": amount, "vat_rate": "25"}
    require_own_words(whole.call("PUT", path, body), 422)


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "0000-01-01", "today", "10000-01-01", "2026-03-05T25:00"])
def test_what_days_say_is_not_told(whole: Hub, connection: str, day: str) -> None:
    path = whole.in_client(f"/connections/{connection}/documents/settlement/S1")
    require_own_words(whole.call("PUT", path, {"date": day, "number": 1, "sales": [], "payments": []}), 422)
    require_own_words(whole.call("GET", whole.in_client("/audit"), query={"from_time": day}), 422)


XML = [
    "",
    "<a",
    "<a></b>",
    "<a>&x;</a>",
    "<a/><b/>",
    "\x00",
    "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
]


@pytest.mark.parametrize("content", [*XML, "<AuditFile>" * 5_000, "<?xml version='1.0' encoding='no-such'?><a/>"])
def test_what_the_reader_of_xml_says_is_not_told(whole: Hub, connection: str, content: str) -> None:
    path = whole.in_client(f"/connections/{connection}/documents/saft-cash-register")
    answer = whole.call("POST", path, content, headers={"content-type": "application/xml"})
    require_own_words(answer, 422)


BUSY = {"Code": "ThrottlingException", "Message": "The level of configured throughput was exceeded"}
DENIED = {"Code": "AccessDeniedException", "Message": "arn:aws:iam::1:role/x is not authorized"}
BOTO = [
    (ClientError({"Error": BUSY}, "PutItem"), 503),
    (ClientError({"Error": DENIED}, "PutItem"), 500),
    (EndpointConnectionError(endpoint_url="https://dynamodb.eu-north-1.amazonaws.com"), 503),
    (AttributeError("'NoneType' object has no attribute 'x'"), 500),
]


@pytest.mark.parametrize(("error", "status"), BOTO, ids=lambda one: type(one).__name__)
def test_what_aws_says_is_not_told(whole: Hub, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    class Broken:
        get_item = query = put_item = update_item = transact_write_items = staticmethod(fail)

    monkeypatch.setattr("erphub.platform.aws.table.client", lambda _: Broken())
    require_own_words(whole.call("GET", whole.in_client("/webhooks")), status)


@pytest.mark.parametrize("code", X509_CODES)
def test_what_openssl_says_of_a_certificate_is_not_told(code: int) -> None:
    words = why_not_trusted(code)
    assert words
    assert not {"certificate", "unable", "self-signed", "X509", "error"} & set(words.split())


def test_the_codes_of_openssl_that_are_met_have_words_of_their_own() -> None:
    met = {18, 19, 20, 21, 10, 9, 62, 64, 66, 68, 23}
    assert why_not_trusted(0) not in {why_not_trusted(code) for code in met}
