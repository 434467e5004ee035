"""Who may do what with a connection: every role against every verb, owners who leave or hand over, the trail."""

import pytest

from erphub import app
from erphub.audit.dynamodb import audit_key
from erphub.audit.service import AuditLog
from erphub.connections.dynamodb import connection_key
from erphub.platform.aws.table_writes import VersionConflict
from tests.support.aws import on_both
from tests.wizards.test_editing import Edit, show, trail
from tests.wizards.test_service import SERVER, Wizard

COLLEAGUE, ACCOUNTANT, VIEWER = "neighbour", "accountant", "viewer"


@pytest.fixture
def made(hub):
    """The id of the administrator's connection; the colleague is an administrator of the same client too."""
    hub.join(COLLEAGUE, "administrator")
    return Wizard(hub).until("finish").get()["connection_id"]


VERBS = {
    "rename": ("PATCH", "", {"name": "Renamed"}),
    "share": ("PATCH", "", {"is_shared": True}),
    "test": ("POST", "/test", None),
    "trail": ("GET", "/audit", None),
    "hand over": ("POST", "/transfer-ownership", {"user_id": COLLEAGUE}),
    "edit": ("POST", None, {"step": "name"}),
    "see": ("GET", "", None),
    "see companies": ("GET", "/companies", None),
}
FOR_EDITORS = {"rename", "share", "test", "trail", "edit"}
FOR_ALL = {"see", "see companies"}


def attempt(hub, made, verb, user):
    method, path, body = VERBS[verb]
    if path is None:
        return hub.call(method, hub.in_client("/wizards"), {"connection_id": made, **body}, user=user)
    return hub.call(method, hub.in_client(f"/connections/{made}{path}"), body, user=user)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("shared", [False, True], ids=["its own", "is_shared"])
@pytest.mark.parametrize("user", ["administrator", COLLEAGUE, ACCOUNTANT, VIEWER])
def test_each_role_does_what_it_may(hub, made, user, shared, verb):
    if shared:
        hub.call("PATCH", hub.in_client(f"/connections/{made}"), {"is_shared": True})
    answer = attempt(hub, made, verb, user)
    if verb in FOR_ALL or user == "administrator" or (user == COLLEAGUE and shared and verb in FOR_EDITORS):
        assert answer.status < 300, answer.text
    elif user != COLLEAGUE:
        assert (answer.status, answer.code) == (403, "permission_missing")
    elif shared:
        assert (answer.status, answer.code) == (403, "owner_only")
    else:
        assert (answer.status, answer.code) == (403, "connection_not_shared")


@pytest.mark.parametrize("user", [COLLEAGUE, ACCOUNTANT, VIEWER])
def test_who_may_not_edit_sees_that_it_exists_and_not_how_it_connects(hub, made, user):
    seen = show(hub, made, user=user)
    assert (seen["name"], seen["status"], seen["can_edit"]) == ("Main office", "active", False)
    assert (seen["settings"], seen["voucher"], seen["last_test"]) == (None, None, None)
    assert "db01.example.test" not in str(hub.call("GET", hub.in_client("/connections"), user=user).json)


def test_who_may_edit_sees_all_of_it(hub, made):
    hub.call("PATCH", hub.in_client(f"/connections/{made}"), {"is_shared": True})
    seen = show(hub, made, user=COLLEAGUE)
    assert (seen["can_edit"], seen["settings"]["server"]) == (True, "db01.example.test")
    edit = Edit(hub, made, "companies", user=COLLEAGUE)
    listed = hub.call("GET", f"{edit.path}/companies", user=COLLEAGUE).json["items"]
    assert [company["key"] for company in listed] == ["F0001", "F0002", "F0003"]


def test_a_page_of_connections_looks_each_owner_up_once(hub, made, monkeypatch):
    from erphub.tenancy.dynamodb import MemberTable

    for number in range(3):
        wizard = Wizard(hub).until("companies")
        wizard.answer("name", {"name": f"Number {number}"})
        wizard.answer("vouchers", {})
        wizard.answer("finish", {})
    asked, look = [], MemberTable.get

    def counted(self, client_id, user):
        asked.append(user)
        return look(self, client_id, user)

    monkeypatch.setattr(MemberTable, "get", counted)
    listed = hub.call("GET", hub.in_client("/connections"), user=COLLEAGUE).json["items"]
    assert [one["can_edit"] for one in listed] == [False] * 4
    assert asked == [COLLEAGUE, "administrator"]


def test_an_edit_ends_for_others_when_the_connection_is_no_longer_shared(hub, made):
    hub.call("PATCH", hub.in_client(f"/connections/{made}"), {"is_shared": True})
    edit = Edit(hub, made, "name", user=COLLEAGUE)
    hub.call("PATCH", hub.in_client(f"/connections/{made}"), {"is_shared": False})
    answer = edit.put("name", {"name": "Mine now"})
    assert (answer.status, answer.code) == (403, "connection_not_shared")
    assert hub.call("GET", edit.path, user=COLLEAGUE).status == 403


def test_nobody_goes_on_with_anothers_edit_of_an_unshared_connection(hub, made):
    edit = Edit(hub, made, "server")
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/companies", None),
        ("PUT", "/steps/server", SERVER),
        ("DELETE", "", None),
    ):
        answer = hub.call(method, edit.path + path, body, user=COLLEAGUE)
        assert (answer.status, answer.code) == (403, "connection_not_shared")


def test_a_wizard_for_a_new_connection_is_its_owners_alone(hub, made):
    wizard = Wizard(hub).until("server")
    answer = hub.call("GET", f"{wizard.path}/companies", user=COLLEAGUE)
    assert (answer.status, answer.code) == (404, "wizard_not_found")


# --- ownership -------------------------------------------------------------------------------------------------------


def hand_over(hub, made, to, user="administrator", **more):
    return hub.call(
        "POST", hub.in_client(f"/connections/{made}/transfer-ownership"), {"user_id": to, **more}, user=user
    )


@on_both
def test_an_owner_hands_a_connection_over_and_then_has_no_more_say(hub, made):
    done = hand_over(hub, made, COLLEAGUE)
    assert (done.status, done.json["owner"]["id"], done.json["version"]) == (200, COLLEAGUE, 2)
    assert attempt(hub, made, "rename", "administrator").code == "connection_not_shared"
    assert attempt(hub, made, "rename", COLLEAGUE).status == 200
    path = hub.in_client(f"/connections/{made}/audit")
    assert [entry["action"] for entry in hub.call("GET", path, user=COLLEAGUE).json["items"]] == [
        "connection.renamed",
        "connection.owner_changed",
        "connection.created",
    ]


@pytest.mark.parametrize("to", [ACCOUNTANT, VIEWER, "stranger"])
def test_only_who_may_manage_connections_can_own_one(hub, made, to):
    answer = hand_over(hub, made, to)
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "cannot_own")


def test_a_stale_or_repeated_transfer_changes_nothing(hub, made):
    assert hand_over(hub, made, COLLEAGUE, version=7).code == "version_conflict"
    assert hand_over(hub, made, "administrator").json["version"] == 1


def leave(hub, user="administrator"):
    answer = hub.call("DELETE", hub.in_client(f"/members/{user}"), user=COLLEAGUE)
    assert answer.status == 204, answer.text


def test_an_owner_who_leaves_does_not_orphan_the_connection(hub, made):
    assert hand_over(hub, made, COLLEAGUE, user=COLLEAGUE).code == "connection_not_shared"
    leave(hub)
    assert show(hub, made, user=COLLEAGUE)["can_edit"] is True
    assert show(hub, made, user=VIEWER)["can_edit"] is False
    taken = hand_over(hub, made, COLLEAGUE, user=COLLEAGUE)
    assert (taken.status, taken.json["owner"]["id"]) == (200, COLLEAGUE)
    assert hub.call("GET", hub.in_client(f"/connections/{made}"), user="administrator").status == 404


def test_an_owner_whose_role_no_longer_manages_connections_leaves_it_to_others(hub, made):
    hub.call("PUT", hub.in_client("/members/administrator"), {"role": "viewer"}, user=COLLEAGUE)
    assert attempt(hub, made, "rename", "administrator").code == "permission_missing"
    assert attempt(hub, made, "rename", COLLEAGUE).status == 200


# --- the trail -------------------------------------------------------------------------------------------------------


def test_the_trail_tells_each_change_with_old_and_new(hub, made):
    path = hub.in_client(f"/connections/{made}")
    hub.call("PATCH", path, {"name": "Head office", "is_shared": True})
    hub.call("PATCH", path, {"is_shared": False})
    entries = [(entry["action"], entry["old"], entry["new"]) for entry in trail(hub, made)]
    assert entries[0] == ("connection.unshared", {"is_shared": True}, {"is_shared": False})
    assert ("connection.shared", {"is_shared": False}, {"is_shared": True}) in entries[1:3]
    assert ("connection.renamed", {"name": "Main office"}, {"name": "Head office"}) in entries[1:3]
    created = trail(hub, made)[-1]
    assert created["new"] == {"name": "Main office", "erp_system": "visma-business", "companies": ["F0001"]}
    assert created["actor"] == {
        "id": "administrator",
        "name": "administrator@example.test",
        "kind": "person",
    }


def test_what_was_refused_is_not_in_the_trail(hub, made):
    hub.call("PATCH", hub.in_client(f"/connections/{made}"), {"name": "X", "version": 9})
    attempt(hub, made, "rename", COLLEAGUE)
    assert len(trail(hub, made)) == 1


def test_an_occasion_is_written_down_once_and_an_entry_never_changes(hub, made):
    audit = app.services().get(AuditLog)
    for _ in range(3):
        audit.record(hub.client, made, "hub", "connection.paused", event_key="plan-1")
    assert [entry["action"] for entry in trail(hub, made)] == ["connection.paused", "connection.created"]
    entry = trail(hub, made)[0]
    key = audit_key(hub.client, made, entry["id"])
    with pytest.raises(VersionConflict):
        app.services().platform.table.put_new({**key, "body": "{}"})


def test_the_trail_is_still_there_when_the_connection_is_gone(hub, made):
    app.services().platform.table.delete(connection_key(hub.client, made))
    assert [entry["action"] for entry in trail(hub, made)] == ["connection.created"]
    foreign = hub.call("GET", f"/clients/{hub.other_client}/connections/{made}/audit", user=COLLEAGUE)
    assert (foreign.status, foreign.code) == (404, "connection_not_found")


@on_both
def test_a_long_trail_comes_in_pages_the_newest_first(hub, made):
    for number in range(5):
        app.services().get(AuditLog).record(hub.client, made, "hub", "connection.tested", new={"number": number})
    path = hub.in_client(f"/connections/{made}/audit")
    first = hub.call("GET", path, query={"limit": "4"}).json
    rest = hub.call("GET", path, query={"limit": "4", "next": first["next"]}).json
    numbers = [(entry.get("new") or {}).get("number") for entry in first["items"] + rest["items"]]
    assert numbers == [4, 3, 2, 1, 0, None]
