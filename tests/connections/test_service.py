"""Connections as their users see them: renamed, shared, tested."""

import pytest

from erphub.erp.probes import Stage
from erphub.platform.errors import ErpRefused, Unavailable
from tests.support.aws import on_both
from tests.support.connect import failed_at
from tests.wizards.test_service import Wizard


@pytest.fixture
def connection(hub):
    connection_id = Wizard(hub).until("finish").get()["connection_id"]
    return hub.in_client(f"/connections/{connection_id}")


@on_both
def test_a_connection_is_renamed_and_its_old_name_is_free_again(hub, connection):
    renamed = hub.call("PATCH", connection, {"name": "Head office", "version": 1})
    assert (renamed.status, renamed.json["name"], renamed.json["version"]) == (200, "Head office", 2)
    stale = hub.call("PATCH", connection, {"name": "Other", "version": 1})
    assert (stale.status, stale.code) == (409, "version_conflict")
    second = Wizard(hub).until("companies")
    assert second.put("name", {"name": "head OFFICE"}).code == "name_taken"
    assert second.put("name", {"name": "Main office"}).status == 202


def test_a_name_that_differs_in_case_alone_is_still_its_own(hub, connection):
    assert hub.call("PATCH", connection, {"name": "MAIN OFFICE"}).json["name"] == "MAIN OFFICE"


def test_a_connection_does_not_take_the_name_of_another(hub, connection):
    second = Wizard(hub).until("companies")
    second.answer("name", {"name": "Branch"})
    second.answer("vouchers", {})
    other = second.answer("finish", {})["connection_id"]
    answer = hub.call("PATCH", hub.in_client(f"/connections/{other}"), {"name": "main office"})
    assert (answer.status, answer.code) == (409, "name_taken")


def test_only_the_owner_edits_until_the_connection_is_shared(hub, connection):
    hub.join("neighbour", "administrator")
    for method, path, body in (("PATCH", connection, {"name": "X"}), ("POST", f"{connection}/test", None)):
        answer = hub.call(method, path, body, user="neighbour")
        assert (answer.status, answer.code) == (403, "connection_not_shared")
    hub.call("PATCH", connection, {"is_shared": True})
    assert hub.call("PATCH", connection, {"name": "Ours"}, user="neighbour").status == 200


def test_a_viewer_sees_connections_and_their_companies(hub, connection):
    assert hub.call("GET", connection, user="viewer").json["name"] == "Main office"
    listed = hub.call("GET", hub.in_client("/connections"), user="viewer").json
    assert [one["name"] for one in listed["items"]] == ["Main office"]
    found = hub.call("GET", f"{connection}/companies", user="viewer", query={"search": "aalesund"}).json
    assert found["items"] == []
    found = hub.call("GET", f"{connection}/companies", user="viewer", query={"search": "alesund"}).json
    assert found["items"] == [{"key": "F0001", "name": "Ålesund Bygg AS", "is_connected_elsewhere": False}]


def test_a_list_of_connections_does_not_wade_through_their_companies(hub, connection):
    page = hub.call("GET", hub.in_client("/connections"), query={"limit": "1"}).json
    assert len(page["items"]) == 1


def test_a_connection_of_another_client_is_not_there(hub, connection):
    foreign = connection.replace(hub.client, hub.other_client)
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/test"), ("GET", "/companies")):
        answer = hub.call(method, foreign + path, {}, user="neighbour")
        assert (answer.status, answer.code) == (404, "connection_not_found")


@on_both
def test_a_test_goes_on_by_itself_and_its_result_is_kept(hub, connection):
    hub.machine.slow = True
    started = hub.call("POST", f"{connection}/test")
    assert (started.status, started.json["last_test"]["finished_at"]) == (202, None)
    hub.machine.work_on()
    result = hub.call("GET", connection).json
    assert result["last_test"]["has_passed"] is True
    assert len(result["last_test"]["probes"]) == 7
    assert hub.system.opened[-1]["companies"] == ["F0001"]


@pytest.mark.parametrize(
    ("stage", "refused", "status"),
    [
        (Stage.LOGIN, True, "reauth_required"),
        (Stage.LOGIN, False, "degraded"),
        (Stage.TCP, False, "degraded"),
        (Stage.PERMISSIONS, False, "degraded"),
    ],
)
def test_a_failed_test_says_what_the_connection_needs_and_a_passed_one_heals_it(
    hub, connection, stage, refused, status
):
    hub.system.check = lambda: failed_at(stage, "some_code", "A sentence.", refused=refused)
    hub.call("POST", f"{connection}/test")
    failed = hub.call("GET", connection).json
    assert (failed["status"], failed["last_test"]["has_passed"]) == (status, False)
    assert failed["last_test"]["problem"]["code"] == "some_code"
    del hub.system.check
    hub.call("POST", f"{connection}/test")
    assert hub.call("GET", connection).json["status"] == "active"


def test_a_test_the_erp_refuses_is_a_result(hub, connection):
    hub.system.raises = [ErpRefused("F0001 is no longer on the server.", code="company_gone")]
    hub.call("POST", f"{connection}/test")
    tested = hub.call("GET", connection).json
    assert (tested["status"], tested["last_test"]["problem"]["code"]) == ("degraded", "company_gone")


def test_a_hiccup_during_a_test_is_tried_again(hub, connection):
    hub.system.raises = [Unavailable("cut", code="connection_cut")]
    hub.call("POST", f"{connection}/test")
    assert hub.call("GET", connection).json["last_test"]["has_passed"] is True


def test_of_two_tests_the_newer_one_counts(hub, connection):
    hub.machine.slow = True
    hub.call("POST", f"{connection}/test")
    second = hub.call("POST", f"{connection}/test").json["last_test"]["id"]
    hub.machine.work_on()
    assert hub.call("GET", connection).json["last_test"]["id"] == second


def test_an_older_test_that_ends_late_takes_nothing_from_the_newer_one(hub, connection):
    hub.machine.slow = True
    hub.call("POST", f"{connection}/test")

    def meanwhile():
        hub.call("POST", f"{connection}/test")
        del hub.system.check
        return failed_at(Stage.LOGIN, "credentials_refused", "Not with this password.", refused=True)

    hub.system.check = meanwhile
    first, *_ = hub.machine.todo
    hub.machine.todo.clear()
    first()
    waiting = hub.call("GET", connection).json
    assert (waiting["last_test"]["finished_at"], waiting["status"]) == (None, "active"), (
        "the newer one is still to come"
    )
    hub.machine.work_on()
    after = hub.call("GET", connection).json
    assert (after["last_test"]["id"], after["last_test"]["has_passed"]) == (waiting["last_test"]["id"], True)


def test_a_test_that_ends_while_somebody_edits_overwrites_nothing(hub, connection):
    hub.machine.slow = True
    hub.call("POST", f"{connection}/test")
    hub.call("PATCH", connection, {"name": "Edited", "version": 1})
    hub.machine.work_on()
    after = hub.call("GET", connection).json
    assert (after["name"], after["last_test"]["has_passed"], after["version"]) == ("Edited", True, 2)


def test_a_change_of_nothing_changes_nothing(hub, connection):
    before = hub.items()
    assert hub.call("PATCH", connection, {}).json["version"] == 1
    assert hub.items() == before
