"""Editing: a draft from any step, the live connection untouched until the end, two editors, every point of a crash."""

from contextlib import suppress

import pytest

from erphub import app
from erphub.companies.service import CompanyRegistry
from erphub.connections.dynamodb import ConnectionTable
from erphub.erp.probes import Stage
from erphub.erp.system import FoundCompany
from erphub.platform.errors import Unavailable
from erphub.wizards.cleanup import WizardCleanup
from erphub.wizards.completion import WizardCompletion
from erphub.wizards.tasks import WizardTasks
from tests.support.aws import on_both
from tests.support.connect import FakeSecrets, failed_at
from tests.wizards.test_service import OTHER_SERVER, SERVER, Wizard, codes

NO_PASSWORD = {name: value for name, value in SERVER.items() if name != "password"}


class Edit(Wizard):
    """An edit in the hands of a user."""

    def __init__(self, hub, connection_id, step=None, user="administrator"):
        self.hub, self.user = hub, user
        body = {"connection_id": connection_id} | ({"step": step} if step else {})
        self.started = hub.call("POST", hub.in_client("/wizards"), body, user=user)
        assert self.started.status == 201, self.started.text
        self.id = self.started.json["id"]
        self.path = hub.in_client(f"/wizards/{self.id}")

    def put(self, step, body, **more):
        return self.hub.call("PUT", f"{self.path}/steps/{step}", body, **({"user": self.user} | more))

    def get(self):
        return self.hub.call("GET", self.path, user=self.user).json

    def shown(self, step):
        return next(one for one in self.get()["steps"] if one["id"] == step)


@pytest.fixture
def made(hub):
    """The id of a connection with F0001."""
    return Wizard(hub).until("finish").get()["connection_id"]


def show(hub, connection_id, **more):
    return hub.call("GET", hub.in_client(f"/connections/{connection_id}"), **more).json


def companies(hub, connection_id):
    found = hub.call("GET", hub.in_client(f"/connections/{connection_id}/companies")).json["items"]
    return [company["key"] for company in found]


def trail(hub, connection_id):
    return hub.call("GET", hub.in_client(f"/connections/{connection_id}/audit")).json["items"]


def generations(hub, connection_id):
    """The generations in which companies of the connection are kept and do not expire."""
    items = [item for item in hub.items() if item["sk"]["S"].startswith(f"CONNECTION-COMPANY#{connection_id}#")]
    return {item["sk"]["S"].split("#")[2] for item in items if "expires_at" not in item}


def test_an_edit_shows_what_is_known_with_the_password_unchanged(hub, made):
    edit = Edit(hub, made, "name")
    seen = edit.get()
    assert (seen["status"], seen["step"], seen["connection_id"]) == ("waiting", "name", made)
    assert edit.shown("name")["answer"] == {"name": "Main office"}
    assert edit.shown("companies")["answer"] == {"companies": ["F0001"]}
    server = edit.shown("server")["answer"]
    assert (server["server"], server["login"]) == ("db01.example.test", "reader")
    assert "password" not in server
    assert edit.state() == dict.fromkeys(edit.state(), "done") | {"name": "waiting", "finish": "later"}


@on_both
def test_the_live_connection_goes_on_until_the_draft_is_finished(hub, made):
    before, items = show(hub, made), companies(hub, made)
    edit = Edit(hub, made)
    edit.answer("server", OTHER_SERVER | {"password": "right"})
    edit.answer("companies", {"companies": ["F0002"]})
    assert (show(hub, made), companies(hub, made)) == (before, items)
    edit.answer("finish", {})
    after = show(hub, made)
    assert (after["settings"]["server"], after["version"]) == ("db02.example.test", before["version"] + 1)
    assert companies(hub, made) == ["F0002"]
    assert edit.get()["status"] == "finished"


def test_a_password_is_replaced_only_after_it_was_tested_and_the_old_one_goes_then(hub, made):
    old = f"{hub.client}/{made}"
    hub.system.password = "newer"
    edit = Edit(hub, made, "server")
    refused = edit.answer("server", SERVER | {"password": "wrong"})
    assert refused["problem"]["code"] == "credentials_refused"
    assert hub.secrets.kept[old] == {"password": "right"}
    assert edit.answer("server", SERVER | {"password": "newer"})["step"] == "finish"
    assert hub.secrets.kept[old] == {"password": "right"}
    edit.answer("finish", {})
    assert hub.secrets.kept == {f"{hub.client}/{made}/{edit.id}": {"password": "newer"}}
    assert companies(hub, made) == ["F0001"]
    hub.call("POST", hub.in_client(f"/connections/{made}/test"))
    assert show(hub, made)["last_test"]["has_passed"] is True


def test_a_new_password_alone_asks_nothing_else_again(hub, made):
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER)
    assert edit.state()["companies"] == "done"
    assert edit.get()["step"] == "finish"


def test_another_login_asks_for_the_companies_again_and_shows_what_was_chosen(hub, made):
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER | {"login": "another"})
    assert edit.get()["step"] == "companies"
    assert edit.shown("companies")["answer"] == {"companies": ["F0001"]}


def test_a_good_password_is_taken_although_a_company_is_gone_and_the_companies_are_asked_for(hub, made):
    edit = Edit(hub, made, "server")
    passing = type(hub.system).check

    def check():
        if "companies" in hub.system.opened[-1]:
            return failed_at(Stage.DATABASES, "company_gone", "F0001 is no longer on the server.")
        return passing(hub.system)

    hub.system.check = check
    after = edit.answer("server", SERVER)
    assert (after["step"], after["status"]) == ("companies", "waiting")


def test_a_company_is_added_without_the_password(hub, made):
    edit = Edit(hub, made, "companies")
    listed = edit.companies().json["items"]
    assert [company["key"] for company in listed] == ["F0001", "F0002", "F0003"]
    edit.answer("companies", {"companies": ["F0001", "F0002"]})
    edit.answer("finish", {})
    assert companies(hub, made) == ["F0001", "F0002"]
    assert list(hub.secrets.kept) == [f"{hub.client}/{made}"]
    assert hub.reconnections == [(hub.client, made)]


def test_companies_can_be_chosen_in_an_edit_that_began_elsewhere(hub, made):
    edit = Edit(hub, made, "name")
    gone = edit.answer("companies", {"companies": ["F0001", "F9999"]})
    assert (gone["step"], gone["problem"]["code"]) == ("companies", "invalid_request")
    edit.answer("companies", {"companies": ["F0002"]})
    edit.answer("finish", {})
    assert companies(hub, made) == ["F0002"]


def test_a_stored_password_is_not_sent_to_another_server_by_an_editor(hub, made):
    edit = Edit(hub, made, "server")
    moved = {**NO_PASSWORD, "server": "evil.example.test"}
    assert codes(edit.put("server", moved)) == ["secret_needed_again"]
    edit.answer("server", {**moved, "password": "wrong"})
    assert codes(edit.put("server", NO_PASSWORD)) == ["secret_needed_again"]
    assert all(opened["server"] != "evil.example.test" or hub.system.given != "right" for opened in hub.system.opened)


def test_before_they_are_listed_an_edit_shows_the_companies_in_use(hub, made):
    edit = Edit(hub, made, "name")
    assert [company["key"] for company in edit.companies().json["items"]] == ["F0001"]
    assert edit.companies(search="ostfold").json["items"] == []


def test_a_connection_with_a_long_certificate_can_be_edited(hub, monkeypatch):
    from erphub.erp.transports.sqlserver import tls

    monkeypatch.setattr(tls, "authority", lambda pem: pem)
    certificates = [letter * 99_000 for letter in "ab"]
    verified = {**SERVER, "encryption": "verify"}
    wizard = Wizard(hub)
    wizard.answer("server", verified | {"ca_certificate": certificates[0]})
    for step, body in (("companies", {"companies": "all"}), ("name", {"name": "Verified"}), ("vouchers", {})):
        wizard.answer(step, body)
    connection_id = wizard.answer("finish", {})["connection_id"]
    edit, late = Edit(hub, connection_id, "server"), Edit(hub, connection_id, "name")
    edit.answer("server", verified | {"ca_certificate": certificates[1]})
    edit.answer("companies", {"companies": "all"})
    edit.answer("finish", {})
    assert show(hub, connection_id)["settings"]["ca_certificate"] == certificates[1]
    assert [one["field"] for one in late.put("name", {"name": "x"}).json["changed"]] == ["ca_certificate", "password"]
    assert len(str(trail(hub, connection_id))) < 10_000


def test_an_edit_of_the_name_alone_does_not_ask_the_erp(hub, made):
    asked = len(hub.system.opened)
    edit = Edit(hub, made, "name")
    edit.answer("name", {"name": "Head office"})
    edit.answer("finish", {})
    assert show(hub, made)["name"] == "Head office"
    assert len(hub.system.opened) == asked
    assert companies(hub, made) == ["F0001"]


def test_an_edit_may_keep_the_name_but_not_take_anothers(hub, made):
    other = Wizard(hub).until("companies")
    other.answer("name", {"name": "Branch"})
    other.answer("vouchers", {})
    other.answer("finish", {})
    edit = Edit(hub, made, "name")
    assert edit.put("name", {"name": "branch"}).code == "name_taken"
    assert edit.put("name", {"name": "MAIN office"}).status == 202


def test_a_login_the_erp_refuses_is_not_tried_again_before_it_is_entered_anew(hub, made):
    hub.system.password = "changed"
    hub.call("POST", hub.in_client(f"/connections/{made}/test"))
    assert show(hub, made)["status"] == "reauth_required"
    asked = len(hub.system.opened)
    Edit(hub, made, "companies")
    assert len(hub.system.opened) == asked
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER | {"password": "changed"})
    edit.answer("finish", {})
    assert show(hub, made)["status"] == "active"
    assert hub.reconnections == [(hub.client, made)]


def test_an_edit_begins_at_a_step_that_there_is(hub, made):
    answer = hub.call("POST", hub.in_client("/wizards"), {"connection_id": made, "step": "mapping"})
    assert (answer.status, codes(answer)) == (422, ["step_not_found"])
    missing = hub.call("POST", hub.in_client("/wizards"), {"connection_id": "01JCG0C0NNECT10N000000000A"})
    assert (missing.status, missing.code) == (404, "connection_not_found")


def test_an_abandoned_or_cancelled_edit_leaves_everything_as_it_was(hub, made):
    before, secrets = show(hub, made), dict(hub.secrets.kept)
    abandoned = Edit(hub, made, "server")
    abandoned.answer("server", SERVER)
    assert len(hub.secrets.kept) == 2
    hub.machine.time_out()
    assert hub.secrets.kept == secrets
    cancelled = Edit(hub, made, "server")
    cancelled.answer("server", SERVER)
    hub.call("DELETE", cancelled.path)
    assert (show(hub, made), hub.secrets.kept, companies(hub, made)) == (before, secrets, ["F0001"])


# --- two editors -----------------------------------------------------------------------------------------------------


def test_of_two_editors_the_second_to_finish_is_told_what_changed(hub, made):
    first, second = Edit(hub, made, "name"), Edit(hub, made, "companies")
    first.answer("name", {"name": "Head office"})
    second.answer("companies", {"companies": ["F0001", "F0002"]})
    first.answer("finish", {})
    late = second.put("finish", {})
    assert (late.status, late.code) == (409, "connection_changed")
    assert late.json["changed"] == [{"field": "name", "before": "Main office", "now": "Head office"}]
    assert (show(hub, made)["name"], companies(hub, made)) == ("Head office", ["F0001"])


def test_that_somebody_changed_the_password_is_told_without_the_password(hub, made):
    first, second = Edit(hub, made, "server"), Edit(hub, made, "name")
    first.answer("server", SERVER)
    first.answer("finish", {})
    late = second.put("name", {"name": "Late"})
    assert (late.status, late.json["changed"]) == (
        409,
        [{"field": "password", "before": "[hidden]", "now": "[hidden]"}],
    )


@on_both
def test_two_that_finish_at_the_same_moment_are_one_after_the_other(hub, made):
    first, second = Edit(hub, made, "name"), Edit(hub, made, "name")
    first.answer("name", {"name": "One"})
    second.answer("name", {"name": "Two"})
    hub.machine.slow = True
    assert first.put("finish", {}).status == second.put("finish", {}).status == 202
    hub.machine.work_on()
    assert show(hub, made)["name"] == "One"
    told = second.get()
    assert (told["status"], told["problem"]["code"]) == ("waiting", "connection_changed")
    assert told["problem"]["changed"][0]["now"] == "One"


def test_a_rename_during_an_edit_counts_as_a_change(hub, made):
    edit = Edit(hub, made, "companies")
    hub.call("PATCH", hub.in_client(f"/connections/{made}"), {"name": "Renamed"})
    assert edit.put("companies", {"companies": "all"}).code == "connection_changed"


def test_a_change_of_health_during_an_edit_does_not_make_it_stale(hub, made):
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER)
    hub.system.raises = []
    hub.system.check = lambda: failed_at(Stage.TCP, "server_unreachable", "It does not answer.")
    hub.call("POST", hub.in_client(f"/connections/{made}/test"))
    assert show(hub, made)["status"] == "degraded"
    assert edit.answer("finish", {})["status"] == "finished"
    assert show(hub, made)["status"] == "active"


def test_an_edit_that_tested_nothing_wakes_nothing(hub, made):
    edit = Edit(hub, made, "name")
    edit.answer("name", {"name": "Head office"})
    hub.system.password = "changed"
    hub.call("POST", hub.in_client(f"/connections/{made}/test"))
    edit.answer("finish", {})
    assert hub.reconnections == []
    assert show(hub, made)["status"] == "reauth_required", "a test by hand that failed meanwhile still counts"


def test_a_test_that_ends_while_an_edit_of_the_name_is_finished_keeps_its_result(hub, made, monkeypatch):
    path = hub.in_client(f"/connections/{made}")
    hub.machine.slow = True
    hub.call("POST", f"{path}/test")
    ends, hub.machine.todo[:] = hub.machine.todo[0], []
    hub.machine.slow = False
    edit = Edit(hub, made, "name")
    edit.answer("name", {"name": "Head office"})
    swap = ConnectionTable.swap

    def meanwhile(self, *given):
        ends()
        return swap(self, *given)

    monkeypatch.setattr(ConnectionTable, "swap", meanwhile)
    edit.answer("finish", {})
    after = show(hub, made)
    assert (after["name"], after["last_test"]["has_passed"]) == ("Head office", True)


# --- crash points of the swap ----------------------------------------------------------------------------------------


def fails_once(monkeypatch, kind, name, *, before):
    """Kill the process once, just before or just after a call."""
    original, dead = getattr(kind, name), []

    def dies(self, *given, **more):
        if not dead and before:
            dead.append(name)
            raise RuntimeError("killed")
        result = original(self, *given, **more)
        if not dead:
            dead.append(name)
            raise RuntimeError("killed")
        return result

    monkeypatch.setattr(kind, name, dies)
    return dead


POINTS = [
    (kind, name, before)
    for kind, name in (
        (ConnectionTable, "swap"),
        (ConnectionTable, "delete_companies"),
        (FakeSecrets, "delete"),
    )
    for before in (True, False)
]


@pytest.mark.parametrize(("kind", "name", "before"), POINTS)
def test_a_swap_that_is_cut_off_anywhere_is_completed_and_leaves_nothing_behind(
    hub, made, monkeypatch, kind, name, before
):
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER)
    edit.answer("companies", {"companies": ["F0002"]})
    dead = fails_once(monkeypatch, kind, name, before=before)
    edit.answer("finish", {})
    assert dead == [name]
    assert edit.get()["status"] == "finished"
    assert companies(hub, made) == ["F0002"]
    assert list(hub.secrets.kept) == [f"{hub.client}/{made}/{edit.id}"]
    assert generations(hub, made) == {edit.id}
    assert [entry["action"] for entry in trail(hub, made)] == ["connection.edited", "connection.created"]
    assert app.services().get(CompanyRegistry).licences(hub.customer).licences_used == 1


@pytest.mark.parametrize("name", ["_claim", "release_companies"])
def test_companies_are_held_exactly_as_used_whenever_the_swap_is_cut_off(hub, made, monkeypatch, name):
    kind = WizardCompletion if name == "_claim" else WizardCleanup
    edit = Edit(hub, made, "companies")
    edit.answer("companies", {"companies": ["F0002"]})
    fails_once(monkeypatch, kind, name, before=False)
    edit.answer("finish", {})
    assert edit.get()["status"] == "finished"
    held = app.services().get(CompanyRegistry).list_used(hub.client, made)
    assert [company.key for company in held] == ["F0002"]


@on_both
def test_an_edit_whose_end_never_came_is_swept(hub, made, monkeypatch):
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER)
    edit.answer("companies", {"companies": ["F0001", "F0002"]})

    def never(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(ConnectionTable, "swap", never)
        assert edit.answer("finish", {})["problem"]["code"] == "unavailable"
    assert len(hub.secrets.kept) == 2
    app.services().get(WizardTasks).execution_ended(hub.client, {"wizard_id": edit.id})
    assert edit.get()["status"] == "failed"
    assert list(hub.secrets.kept) == [f"{hub.client}/{made}"]
    assert [company.key for company in app.services().get(CompanyRegistry).list_used(hub.client, made)] == ["F0001"]
    assert len(generations(hub, made)) == 1


def fails(monkeypatch, kind, name, times):
    """Nothing answers there for so many calls."""
    original, left = getattr(kind, name), [times]

    def away(*given, **more):
        if left[0]:
            left[0] -= 1
            raise Unavailable("Try again.", code="throttled")
        return original(*given, **more)

    monkeypatch.setattr(kind, name, away)
    return left


@pytest.mark.parametrize("times", [1, 5, 8, 9, 20])
def test_what_follows_an_edits_end_is_repeated_until_it_is_done(hub, made, monkeypatch, times):
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER)
    with monkeypatch.context() as patch:
        left = fails(patch, FakeSecrets, "delete", times)
        edit.answer("finish", {})
        while hub.machine.failed:
            wizard = hub.machine.failed[0]
            with suppress(Unavailable):  # its event comes again
                app.services().get(WizardTasks).execution_ended(hub.client, wizard)
                hub.machine.failed.pop(0)
    assert left == [0]
    assert edit.get()["status"] == "finished"
    assert list(hub.secrets.kept) == [f"{hub.client}/{made}/{edit.id}"]
    assert len(hub.reconnections) == 1, "what stood still was woken"


@pytest.mark.parametrize("times", [5, 20])
def test_a_new_connections_first_imports_are_made_however_long_it_takes(hub, monkeypatch, times):

    wizard = Wizard(hub).until("vouchers")
    with monkeypatch.context() as patch:
        fails(patch, WizardCleanup, "after", times)
        wizard.answer("finish", {})
        while hub.machine.failed:
            with suppress(Unavailable):
                app.services().get(WizardTasks).execution_ended(hub.client, hub.machine.failed[0])
                hub.machine.failed.pop(0)
    connection_id = wizard.get()["connection_id"]
    assert hub.started == [(hub.client, connection_id, "administrator")]


def test_an_execution_that_ended_right_after_the_swap_is_tidied_up_from_outside(hub, made, monkeypatch):
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER)

    def never(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(WizardCleanup, "after", never)
        edit.answer("finish", {})
    assert len(hub.secrets.kept) == 2
    (fallen,) = hub.machine.failed
    app.services().get(WizardTasks).execution_ended(hub.client, fallen)
    assert list(hub.secrets.kept) == [f"{hub.client}/{made}/{edit.id}"]


def test_whoever_looked_just_before_the_swap_still_finds_the_companies_and_the_password(hub, made):
    from erphub.connections import credentials

    store = ConnectionTable(app.services().platform.table)
    before = store.get(hub.client, made)
    assert before is not None
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER)
    edit.answer("finish", {})
    known, secret = credentials.read(store, hub.secrets, before)
    assert (known.secret_name, secret) == (f"{hub.client}/{made}/{edit.id}", {"password": "right"})


def test_a_page_of_companies_from_before_the_swap_leads_nowhere(hub, made):
    hub.system.found = [FoundCompany(f"F{number:04}", f"Company {number}") for number in range(1, 6)]
    edit = Edit(hub, made, "companies")
    edit.answer("companies", {"companies": "all"})
    edit.answer("finish", {})
    path = hub.in_client(f"/connections/{made}/companies")
    word = hub.call("GET", path, query={"limit": "2"}).json["next"]
    again = Edit(hub, made, "companies")
    again.answer("companies", {"companies": "all"})
    again.answer("finish", {})
    late = hub.call("GET", path, query={"limit": "2", "next": word})
    assert (late.status, codes(late)) == (422, ["next_invalid"])


def test_the_trail_says_who_changed_what_from_where_and_no_password(hub, made):
    edit = Edit(hub, made, "server")
    edit.answer("server", SERVER | {"login": "newcomer"})
    edit.answer("companies", {"companies": ["F0002"]})
    edit.answer("finish", {})
    entry = trail(hub, made)[0]
    assert (entry["actor"]["id"], entry["action"], entry["source"]) == (
        "administrator",
        "connection.edited",
        "192.0.2.10",
    )
    assert entry["old"] == {"login": "reader", "companies": ["F0001"]}
    assert entry["new"] == {"login": "newcomer", "companies": ["F0002"], "password": "replaced"}
    assert "right" not in str(trail(hub, made))
