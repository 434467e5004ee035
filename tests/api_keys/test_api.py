"""API keys as people make them and programs use them, through the handler of the API."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from erphub import app
from erphub.api_keys.credentials.models import PATTERN
from erphub.platform import problems
from erphub.platform.aws.table import Table
from tests.support.hub import ADMINISTRATOR, NEIGHBOUR, VIEWER, Answer, Hub

MANAGER = "manager"
"""A member who may manage members and look, and nothing else."""


@pytest.fixture
def keys(hub: Hub) -> "Keys":
    return Keys(hub)


class Keys:
    """What a client's people and programs do with keys."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def make(self, name: str = "Till", role: str = "viewer", **more: Any) -> dict[str, Any]:
        answer = self.post({"name": name, "role": role, **more})
        assert answer.status == 201, answer.json
        return answer.json

    def post(self, body: Any, path: str = "", **more: Any) -> Answer:
        return self.hub.call("POST", self.hub.in_client(f"/api-keys{path}"), body, **more)

    def use(self, key: str, path: str = "/connections", method: str = "GET", body: Any = None, **more: Any) -> Answer:
        return self.hub.call(method, self.hub.in_client(path), body, key=key, **more)

    def shown(self, key_id: str) -> dict[str, Any]:
        return self.hub.call("GET", self.hub.in_client(f"/api-keys/{key_id}")).json

    def audited(self) -> list[dict[str, Any]]:
        return self.hub.call("GET", self.hub.in_client("/audit")).json["items"]


def test_a_program_does_what_its_role_allows_in_its_client_and_nothing_else(keys: Keys):
    made = keys.make()
    assert re.fullmatch(PATTERN, made["key"])
    assert made["key"].startswith(made["prefix"])
    assert keys.use(made["key"]).status == 200
    refused = keys.use(made["key"], "/api-keys")
    assert (refused.status, refused.code) == (403, "permission_missing")
    there = keys.hub.call("GET", f"/clients/{keys.hub.other_client}/connections", key=made["key"])
    assert (there.status, there.code) == (404, "client_not_found")
    customer = keys.hub.call("GET", f"/customers/{keys.hub.customer}", key=made["key"])
    assert customer.status == 404 or customer.status == 403


def test_a_key_is_shown_once(keys: Keys):
    made = keys.make()
    (listed,) = keys.hub.call("GET", keys.hub.in_client("/api-keys")).json["items"]
    assert listed == made | {"key": None}
    assert keys.shown(made["id"]) == listed


def test_me_says_which_kind_of_caller_it_sees(keys: Keys):
    expires = (keys.hub.time[0] + timedelta(days=90)).isoformat().replace("+00:00", "Z")
    made = keys.make(expires_at=expires)
    me = keys.hub.call("GET", "/me", key=made["key"]).json
    assert (me["id"], me["kind"], me["signed_in_with"], me["email"]) == (made["id"], "program", "api_key", None)
    assert me["api_key"] == {
        "name": "Till",
        "prefix": made["prefix"],
        "client_id": keys.hub.client,
        "role": "viewer",
        "expires_at": expires,
    }
    assert [(one["id"], one["role"]) for one in me["clients"]] == [(keys.hub.client, "viewer")]
    assert me["customers"][0]["is_administrator"] is False
    person = keys.hub.call("GET", "/me").json
    assert (person["kind"], person["signed_in_with"], person["api_key"]) == ("person", "id_token", None)


def test_a_key_can_be_given_nothing_its_maker_does_not_hold(keys: Keys):
    hub = keys.hub
    allowed = {"permissions": ["members:manage", "connections:view", "data:view", "links:view"]}
    assert hub.call("PUT", f"/customers/{hub.customer}/roles/{MANAGER}", allowed).status == 200
    assert hub.call("PUT", hub.in_client(f"/members/{VIEWER}"), {"role": MANAGER}).status == 200
    refused = keys.post({"name": "Till", "role": "administrator"}, user=VIEWER)
    assert (refused.status, refused.code) == (403, "role_exceeds_own")
    made = keys.post({"name": "Till", "role": "viewer"}, user=VIEWER)
    assert made.status == 201
    strong = keys.make(role="administrator")
    for method, path in (("POST", f"/api-keys/{strong['id']}/rotate"), ("DELETE", f"/api-keys/{strong['id']}")):
        answer = hub.call(method, hub.in_client(path), {} if method == "POST" else None, user=VIEWER)
        assert (answer.status, answer.code) == (403, "role_exceeds_own"), "nor take away or renew what it may do"


def test_a_program_makes_renews_and_revokes_no_keys_so_that_a_stolen_one_ends_when_it_is_revoked(keys: Keys):
    made = keys.make(role="administrator")
    for method, path, body in (
        ("POST", "/api-keys", {"name": "Another", "role": "viewer"}),
        ("POST", f"/api-keys/{made['id']}/rotate", {}),
        ("DELETE", f"/api-keys/{made['id']}", None),
    ):
        answer = keys.use(made["key"], path, method, body)
        assert (answer.status, answer.code) == (403, "person_needed")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"role": "nobodys"}, "/role", "role_not_found"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "expires_in_past"),
        ({"expires_at": "2030-01-01T00:00:00"}, "/expires_at", "instant_form"),
        ({"networks": ["192.0.2.1/24"]}, "/networks/0", "network_form"),
        ({"networks": ["example.com"]}, "/networks/0", "network_form"),
        ({"networks": ["192.0.2.0/24"] * 21}, "/networks", "too_many"),
        ({"name": "\u202eevil"}, "/name", "hidden_character"),
    ],
)
def test_a_key_that_cannot_be_made_is_refused_with_its_field(keys: Keys, body: Any, pointer: str, code: str):
    answer = keys.post({"name": "Till", "role": "viewer"} | body)
    assert answer.status == 422
    assert [(one["pointer"], one["code"]) for one in answer.json["errors"]] == [(pointer, code)]


def test_a_revoked_key_is_refused_by_the_next_request_whatever_the_gateway_remembers(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
):
    made = keys.make()
    remembered = remember(monkeypatch)
    assert keys.use(made["key"]).status == 200
    assert keys.hub.call("DELETE", keys.hub.in_client(f"/api-keys/{made['id']}")).status == 204
    for path in (keys.hub.in_client("/connections"), "/me", "/erp-systems"):
        answer = keys.hub.call("GET", path, key=made["key"])
        assert (answer.status, answer.code) == (401, "api_key_revoked"), path
    remembered.clear()
    assert keys.use(made["key"]).status == 401
    assert keys.hub.call("GET", keys.hub.in_client(f"/api-keys/{made['id']}")).code == "api_key_not_found"
    assert not [item for item in keys.hub.items() if item["pk"]["S"].startswith("API-KEY#")]


def test_an_expired_key_is_refused_at_that_instant_whatever_the_gateway_remembers(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
):
    ends = keys.hub.time[0] + timedelta(hours=1)
    made = keys.make(expires_at=ends.isoformat())
    remember(monkeypatch)
    keys.hub.pass_time(minutes=59, seconds=59)
    assert keys.use(made["key"]).status == 200
    keys.hub.pass_time(seconds=1)
    answer = keys.use(made["key"])
    assert (answer.status, answer.code) == (401, "sign_in_expired")
    assert keys.shown(made["id"])["status"] == "expired"


def test_old_and_new_secret_work_for_the_overlap(keys: Keys):
    made = keys.make()
    answer = keys.post({"overlap_seconds": 600}, f"/{made['id']}/rotate")
    assert answer.status == 200
    new = answer.json["key"]
    assert new != made["key"]
    assert new.startswith(made["prefix"])
    assert [keys.use(one).status for one in (made["key"], new)] == [200, 200]
    keys.hub.pass_time(seconds=600)
    assert [keys.use(one).status for one in (made["key"], new)] == [401, 200]
    assert keys.shown(made["id"])["old_key_expires_at"] is None


def test_a_rotation_without_overlap_ends_all_secrets_before_it(keys: Keys):
    made = keys.make()
    second = keys.post({}, f"/{made['id']}/rotate").json["key"]
    third = keys.post({"overlap_seconds": 0}, f"/{made['id']}/rotate").json["key"]
    assert [keys.use(one).status for one in (made["key"], second, third)] == [401, 401, 200]


def test_a_rotation_that_is_asked_for_again_because_its_answer_was_lost_ends_nothing_that_is_in_use(keys: Keys):
    made = keys.make()
    for _ in range(2):
        new = keys.post({"overlap_seconds": 3600}, f"/{made['id']}/rotate").json["key"]
    assert [keys.use(one).status for one in (made["key"], new)] == [200, 200]


def test_no_more_secrets_than_six_count_at_once(keys: Keys):
    made = keys.make()
    statuses = [keys.post({}, f"/{made['id']}/rotate").status for _ in range(6)]
    assert statuses == [200] * 5 + [409]
    assert keys.post({}, f"/{made['id']}/rotate").code == "too_many_secrets"
    assert keys.post({"overlap_seconds": 0}, f"/{made['id']}/rotate").status == 200


def test_an_expired_key_is_rotated_only_with_a_new_end(keys: Keys):
    made = keys.make(expires_at=(keys.hub.time[0] + timedelta(hours=1)).isoformat())
    keys.hub.pass_time(hours=2)
    assert keys.post({}, f"/{made['id']}/rotate").code == "api_key_expired"
    later = (keys.hub.time[0] + timedelta(days=1)).isoformat()
    new = keys.post({"expires_at": later}, f"/{made['id']}/rotate").json["key"]
    assert [keys.use(one).status for one in (made["key"], new)] == [401, 200], "the old secret ended with the key"
    assert keys.hub.call("GET", "/me", key=new).json["api_key"]["expires_at"] == later.replace("+00:00", "Z")


def test_a_key_limited_to_a_network_is_refused_from_elsewhere_and_the_audit_and_an_event_tell_of_it_once(keys: Keys):
    made = keys.make(networks=["192.0.2.0/24", "2001:db8::/32"])
    sources = {
        "192.0.2.77": 200,
        "2001:db8::1": 200,
        "::ffff:192.0.2.9": 200,
        "198.51.100.1": 403,
        "2001:db9::1": 403,
        "": 403,
    }
    assert {source: keys.use(made["key"], source=source).status for source in sources} == sources
    for path in ("/me", "/erp-systems"):
        assert keys.hub.call("GET", path, key=made["key"], source="198.51.100.1").code == "network_not_allowed"
    (told,) = [one for one in keys.audited() if one["action"] == "api_key.network_refused"]
    assert told["actor"] == {"id": made["id"], "name": "Till", "kind": "program"}
    assert (told["source"], told["new"]["key_id"]) == ("198.51.100.1", made["id"])
    assert len([one for one in keys.hub.bus.published if one.type == "api_key.network_refused"]) == 1
    keys.hub.pass_time(minutes=10)
    keys.use(made["key"], source="198.51.100.2")
    assert len([one for one in keys.audited() if one["action"] == "api_key.network_refused"]) == 2
    assert keys.shown(made["id"])["last_used_from"] != "198.51.100.2"


def test_a_function_that_may_only_read_refuses_a_key_from_elsewhere_too_and_says_so_in_its_log(
    keys: Keys, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    platform = app.services().platform
    monkeypatch.setattr(platform, "settings", replace(platform.settings, is_read_only=True))
    made = keys.make(networks=["192.0.2.0/24"])
    assert keys.use(made["key"]).status == 200
    assert keys.use(made["key"], source="198.51.100.1").code == "network_not_allowed"
    assert "a key was used from a network that it is not for" in caplog.text
    assert not [one for one in keys.audited() if one["action"] == "api_key.network_refused"]


def test_what_a_caller_writes_into_a_header_is_not_where_it_calls_from(keys: Keys):
    made = keys.make(networks=["192.0.2.0/24"])
    answer = keys.use(made["key"], source="198.51.100.1", headers={"X-Forwarded-For": "192.0.2.1"})
    assert answer.code == "network_not_allowed"


def test_the_last_use_is_known_to_five_minutes(keys: Keys):
    made = keys.make()
    assert keys.shown(made["id"])["last_used_at"] is None
    keys.use(made["key"], source="192.0.2.1")
    first = keys.shown(made["id"])
    assert (first["last_used_at"], first["last_used_from"]) == ("2026-11-22T08:00:00Z", "192.0.2.1")
    keys.hub.pass_time(minutes=4)
    keys.use(made["key"], source="192.0.2.2")
    assert keys.shown(made["id"])["last_used_from"] == "192.0.2.1"
    keys.hub.pass_time(minutes=1)
    keys.use(made["key"], source="192.0.2.3")
    assert keys.shown(made["id"])["last_used_at"] == "2026-11-22T08:05:00Z"


def test_a_request_is_answered_although_its_use_cannot_be_written_down(keys: Keys, monkeypatch: pytest.MonkeyPatch):
    from erphub.api_keys.dynamodb import KeyUseTable

    made = keys.make()

    def away(*_: Any) -> None:
        raise problems.TABLE_BUSY()

    monkeypatch.setattr(KeyUseTable, "record_use", away)
    assert keys.use(made["key"]).status == 200


def test_what_a_program_does_and_what_is_done_to_its_key_stands_in_the_audit_by_name(keys: Keys):
    made = keys.make(name="Till 7", role="administrator")
    assert keys.use(made["key"], f"/members/{VIEWER}", "PUT", {"role": "accountant"}).status == 200
    keys.post({}, f"/{made['id']}/rotate")
    keys.hub.call("DELETE", keys.hub.in_client(f"/api-keys/{made['id']}"))
    told = {one["action"]: one["actor"] for one in keys.audited()}
    person = {"id": ADMINISTRATOR, "name": f"{ADMINISTRATOR}@example.test", "kind": "person"}
    assert told["api_key.created"] == told["api_key.rotated"] == told["api_key.revoked"] == person
    (by_program,) = [one for one in keys.audited() if one["actor"]["kind"] == "program"]
    assert by_program["actor"] == {"id": made["id"], "name": "Till 7", "kind": "program"}, "also after it was revoked"


def test_a_program_is_a_member_that_is_shown_and_not_removed_as_one(keys: Keys):
    made = keys.make()
    members = keys.hub.call("GET", keys.hub.in_client("/members")).json["items"]
    (program,) = [one for one in members if one["member"]["kind"] == "program"]
    assert program["member"] == {"id": made["id"], "name": "Till", "kind": "program"}
    removed = keys.hub.call("DELETE", keys.hub.in_client(f"/members/{made['id']}"))
    assert (removed.status, removed.code) == (409, "member_is_program")
    changed = keys.hub.call("PUT", keys.hub.in_client(f"/members/{made['id']}"), {"role": "administrator"})
    assert changed.status == 422
    assert keys.use(made["key"]).status == 200


def test_a_role_that_only_a_key_has_is_not_deleted_and_one_that_is_gone_gives_no_key(keys: Keys):
    path = f"/customers/{keys.hub.customer}/roles/till"
    assert keys.hub.call("PUT", path, {"permissions": ["connections:view"]}).status == 200
    made = keys.make(role="till")
    assert keys.hub.call("DELETE", path).code == "role_in_use"
    keys.hub.call("DELETE", keys.hub.in_client(f"/api-keys/{made['id']}"))
    assert keys.hub.call("DELETE", path).status == 204
    assert keys.post({"name": "Till", "role": "till"}).status == 422


def test_a_key_does_not_count_as_the_last_who_can_manage_members(keys: Keys):
    keys.make(role="administrator")
    answer = keys.hub.call("DELETE", keys.hub.in_client(f"/members/{ADMINISTRATOR}"))
    assert (answer.status, answer.code) == (409, "last_administrator")


def test_somebody_elses_key_is_not_there(keys: Keys):
    made = keys.make()
    for method, path, body in (("GET", "", None), ("POST", "/rotate", {}), ("DELETE", "", None)):
        address = f"/clients/{keys.hub.other_client}/api-keys/{made['id']}{path}"
        answer = keys.hub.call(method, address, body, user=NEIGHBOUR)
        assert (answer.status, answer.code) == (404, "api_key_not_found")
    assert keys.use(made["key"]).status == 200


def test_the_key_is_nowhere_but_in_its_one_answer(keys: Keys, capsys: pytest.CaptureFixture[str]):
    headers = {"Idempotency-Key": "make-it-once"}
    made = keys.post({"name": "Till", "role": "viewer"}, headers=headers).json
    rotated = keys.post({}, f"/{made['id']}/rotate", headers={"Idempotency-Key": "rotate-it-once"}).json
    again = keys.post({"name": "Till", "role": "viewer"}, headers=headers)
    assert again.status == 201
    assert again.json == made | {"key": None}, "what is kept for a repetition lacks what is shown once"
    assert len(keys.hub.call("GET", keys.hub.in_client("/api-keys")).json["items"]) == 1
    keys.use(rotated["key"])
    everywhere = [json.dumps(keys.hub.items(), default=str), capsys.readouterr().out]
    everywhere += [keys.hub.call("GET", keys.hub.in_client(f"/{one}")).text for one in ("audit", "notifications")]
    everywhere += [str(one) for one in keys.hub.bus.published]
    for key in (made["key"], rotated["key"]):
        assert not [text for text in everywhere if key[31:] in text or key[31:60] in text]


def test_a_creation_whose_answer_was_lost_gives_a_key_that_works_and_no_second_one(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
):
    headers, update = {"Idempotency-Key": "lost"}, Table.update
    lose_now = [True]

    def lose(table: Table, key: dict[str, str], *given: Any, **more: Any) -> Any:
        if key["pk"].startswith("IDEMPOTENCY#") and "answer" in more and lose_now:
            lose_now.clear()
            raise problems.TABLE_BUSY()
        return update(table, key, *given, **more)

    monkeypatch.setattr(Table, "update", lose)
    body = {"name": "Till", "role": "viewer"}
    assert keys.post(body, headers=headers).status == 503
    keys.hub.pass_time(seconds=31)
    made = keys.post(body, headers=headers).json
    assert keys.use(made["key"]).status == 200
    assert len(keys.hub.call("GET", keys.hub.in_client("/api-keys")).json["items"]) == 1


def test_a_rotation_that_is_done_anew_gives_a_secret_that_works(keys: Keys, monkeypatch: pytest.MonkeyPatch):
    made = keys.make()
    update, lose_now = Table.update, [True]

    def lose(table: Table, key: dict[str, str], *given: Any, **more: Any) -> Any:
        if key["pk"].startswith("IDEMPOTENCY#") and "answer" in more and lose_now:
            lose_now.clear()
            raise problems.TABLE_BUSY()
        return update(table, key, *given, **more)

    monkeypatch.setattr(Table, "update", lose)
    headers = {"Idempotency-Key": "rotation"}
    assert keys.post({}, f"/{made['id']}/rotate", headers=headers).status == 503
    keys.hub.pass_time(seconds=31)
    new = keys.post({}, f"/{made['id']}/rotate", headers=headers).json["key"]
    assert [keys.use(one).status for one in (made["key"], new)] == [200, 200]


def remember(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A gateway that asks its authorizer once for each key, as long as what it remembers is not cleared."""
    from erphub.sign_in.keys import KeySignIn

    found: dict[str, Any] = {}
    ask = KeySignIn.find

    def find(self: KeySignIn, shown: str) -> Any:
        return found.setdefault(shown, ask(self, shown))

    monkeypatch.setattr(KeySignIn, "find", find)
    return found
