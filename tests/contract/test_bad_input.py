"""What people and programs send by mistake or with intent: a clear answer, and nothing changed."""

import base64
import json

import pytest


def start(hub, body, **more):
    return hub.call("POST", hub.in_client("/wizards"), body, **more)


@pytest.mark.parametrize("body", ["", "{", "nonsense", '{"erp_system": "visma-business"', '{"erp_system": "\\ud800"}'])
def test_what_is_no_json_is_said_to_be_none(hub, body):
    before = hub.items()
    answer = start(hub, body)
    assert (answer.status, answer.code) == (400, "malformed_json")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert hub.items() == before


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {("/erp_system", "required")}),
        ({"erp_system": 7, "extra": 1}, {("/erp_system", "wrong_type"), ("/extra", "unknown_field")}),
        ({"erp_system": "no-such-erp"}, {("/erp_system", "unknown_erp_system")}),
        ({"erp_system": None}, {("/erp_system", "required")}),
        ({"erp_system": "visma-business", "step": "name"}, {("/step", "not_applicable")}),
        (
            {"erp_system": "visma-business", "connection_id": "01JCG0C0NNECT10N000000000A"},
            {("/erp_system", "not_applicable")},
        ),
        ({"connection_id": "x"}, {("/connection_id", "bad_form")}),
    ],
)
def test_every_wrong_field_is_named_at_once(hub, body, errors):
    before = hub.items()
    answer = start(hub, body)
    assert answer.status == 422
    assert {(error["pointer"], error["code"]) for error in answer.json["errors"]} == errors
    assert hub.items() == before


def test_a_list_is_no_answer_to_a_step(hub):
    wizard = start(hub, {"erp_system": "visma-business"}).json
    answer = hub.call("PUT", hub.in_client(f"/wizards/{wizard['id']}/steps/server"), [1, 2])
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "object_required")


@pytest.mark.parametrize("encoded", [False, True])
def test_ten_megabytes_are_refused_unread(hub, encoded):
    body = json.dumps({"erp_system": "x" * 10_000_000})
    sent = base64.b64encode(body.encode()).decode() if encoded else body
    answer = start(hub, sent, base64=encoded)
    assert (answer.status, answer.code) == (413, "body_too_large")


def test_a_body_deeper_than_any_form_is_no_json(hub):
    assert start(hub, "[" * 100_000).status == 400


def test_a_body_that_claims_to_be_base64_and_is_not_is_refused(hub):
    assert start(hub, "{{{", base64=True).status == 400


def test_a_body_in_base64_is_read(hub):
    sent = base64.b64encode(b'{"erp_system": "visma-business"}').decode()
    assert start(hub, sent, base64=True).status == 201


@pytest.mark.parametrize(
    ("query", "pointer"),
    [({"limit": "0"}, "/limit"), ({"limit": "201"}, "/limit"), ({"limit": "ten"}, "/limit"), ({"lmit": "10"}, "/lmit")],
)
def test_a_list_says_which_parameter_is_wrong(hub, query, pointer):
    answer = hub.call("GET", hub.in_client("/connections"), query=query)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_next_of_another_list_opens_nothing(hub):
    for word in ("nonsense", "e30", base64.urlsafe_b64encode(b'{"pk": "CLIENT#other", "sk": "X"}').decode()):
        answer = hub.call("GET", hub.in_client("/connections"), query={"next": word})
        assert (answer.status, answer.json["errors"][0]["code"]) == (422, "next_invalid"), word


@pytest.mark.parametrize("name", ["Ad\u202emin", "a\u0000b", "a\u200bb", "\ufeffName", "  ", "x" * 101, "line\nbreak"])
def test_names_that_deceive_are_refused(hub, name):
    before = hub.items()
    answer = hub.call("POST", f"/customers/{hub.customer}/clients", {"name": name})
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "/name"
    assert hub.items() == before


@pytest.mark.parametrize("name", ["Bjørk & Sønn AS", "O'Brien; DROP TABLE clients;--", "日本語の会社", "Café 🍽 {0} %s"])
def test_names_that_merely_look_odd_are_kept_to_the_letter(hub, name):
    made = hub.call("POST", f"/customers/{hub.customer}/clients", {"name": f" {name} "})
    assert (made.status, made.json["name"]) == (201, name)
    listed = hub.call("GET", f"/customers/{hub.customer}/clients").json["items"]
    assert name in [client["name"] for client in listed]


@pytest.mark.parametrize(
    "identifier", ["x", "01JCG0C1H3NT0000000000000A#TOKEN", "..", "%", "01jcg0c1h3nt0000000000000a"]
)
def test_identifiers_the_hub_never_gave_lead_nowhere(hub, identifier):
    for path in (f"/clients/{identifier}/connections", hub.in_client(f"/wizards/{identifier}")):
        assert hub.call("GET", path).status == 404


def test_an_address_nobody_serves_is_a_problem_document(hub):
    answer = hub.call("GET", "/nowhere")
    assert (answer.status, answer.code) == (404, "route_not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_nobody_foresaw_gives_a_word_to_quote_and_the_cause_to_the_log(hub, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("the cause")

    monkeypatch.setattr(hub.machine, "start", broken)
    answer = start(hub, {"erp_system": "visma-business"})
    assert (answer.status, answer.code) == (500, "internal_error")
    assert answer.json["correlation_id"] == "11111111-2222-3333-4444-555555555555"
    assert "the cause" not in answer.text
    assert "RuntimeError: the cause" in caplog.text


def test_an_idempotency_key_makes_a_repeated_request_do_nothing_new(hub):
    headers = {"Idempotency-Key": "once-and-only-once"}
    path, body = f"/customers/{hub.customer}/clients", {"name": "Twice AS"}
    first = hub.call("POST", path, body, headers=headers)
    again = hub.call("POST", path, body, headers=headers)
    assert (first.status, again.status) == (201, 201)
    assert first.text == again.text
    assert len(hub.call("GET", path).json["items"]) == 3

    spaced = hub.call("POST", path, '{ "name" :\n"Twice AS" }', headers=headers)
    assert (spaced.status, spaced.text) == (201, first.text), "spaces are no other request"
    other = hub.call("POST", path, {"name": "Other AS"}, headers=headers)
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    elsewhere = hub.call("POST", hub.in_client("/wizards"), {"erp_system": "visma-business"}, headers=headers)
    assert elsewhere.status == 201


def test_a_failed_request_is_not_remembered(hub):
    headers = {"Idempotency-Key": "k"}
    path = f"/customers/{hub.customer}/clients"
    assert hub.call("POST", path, {"name": ""}, headers=headers).status == 422
    assert hub.call("POST", path, {"name": "Now right AS"}, headers=headers).status == 201


def test_somebody_elses_key_is_not_mine(hub):
    headers = {"Idempotency-Key": "k"}
    give = {"erp_system": "visma-business"}
    mine = hub.call("POST", hub.in_client("/wizards"), give, headers=headers).json
    theirs = hub.call("POST", f"/clients/{hub.other_client}/wizards", give, headers=headers, user="neighbour").json
    assert mine["id"] != theirs["id"]


@pytest.mark.parametrize("key", ["", "has space", "x" * 256, "æ"])
def test_an_idempotency_key_has_a_form(hub, key):
    answer = hub.call("POST", hub.in_client("/wizards"), {"erp_system": "x"}, headers={"Idempotency-Key": key})
    assert (answer.status, answer.code, answer.json["header"]) == (400, "idempotency_key_invalid", "Idempotency-Key")
