"""What a lost event leaves behind is found by its age: no password stays because nobody heard that a machine ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from erphub import app
from erphub.platform.aws import clients
from erphub.platform.errors import Unavailable
from erphub.platform.ids import new_id
from erphub.webhooks.dynamodb import WebhookTable
from erphub.webhooks.models import Webhook
from erphub.wizards.dynamodb import WizardTable
from erphub.wizards.models import WizardStatus
from erphub.wizards.sweeper import OrphanedSecrets, OverdueWizards
from tests.support.aws import on_both
from tests.support.hub import Hub, handler_module
from tests.wizards.test_service import SERVER, Wizard

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 120_000, aws_request_id="r")
A_DAY_AND_MORE = {"hours": 26}


def sweep(task: str = "sweep_wizards") -> int:
    """The clock's event, as EventBridge sends a rule's constant input: nothing but that."""
    return int(handler_module("wizard").handler({"task": task}, CONTEXT)["swept"])


def breaks_unheard(hub: Hub) -> None:
    """Every execution fails, and nobody is told of it."""
    hub.machine.executions |= dict.fromkeys(hub.machine.executions, "FAILED")
    hub.machine.waiting.clear()


def status(hub: Hub, wizard: Wizard) -> WizardStatus:
    found = WizardTable(app.services().platform.table).get(hub.client, wizard.id)
    assert found is not None
    return found.status


def leavings(hub: Hub, wizard: Wizard) -> list[str]:
    """What is left of a wizard besides the wizard itself, which can still be looked at."""
    return [item["sk"]["S"] for item in hub.items() if item["sk"]["S"].startswith(f"WIZARD#{wizard.id}#")]


@on_both
def test_a_wizard_whose_machine_ended_unheard_is_ended_by_its_age_and_its_password_is_gone(hub: Hub):
    wizard = Wizard(hub).until("server")
    assert hub.secrets.kept
    assert leavings(hub, wizard)
    breaks_unheard(hub)
    assert sweep() == 0
    hub.pass_time(**A_DAY_AND_MORE)
    assert sweep() == 1
    assert (status(hub, wizard), hub.secrets.kept, leavings(hub, wizard)) == (WizardStatus.EXPIRED, {}, [])
    assert wizard.put("companies", {"companies": "all"}).code == "wizard_expired"
    assert sweep() == 0, "what is done is not looked at again"


def test_a_machine_that_still_waits_long_after_its_end_is_stopped(hub: Hub):
    wizard = Wizard(hub).until("server")
    hub.pass_time(**A_DAY_AND_MORE)
    assert sweep() == 1
    assert status(hub, wizard) is WizardStatus.EXPIRED
    assert set(hub.machine.executions.values()) == {"ABORTED"}


def test_a_wizard_that_somebody_is_at_is_left_alone_however_old_it_is(hub: Hub):
    wizard = Wizard(hub)
    for step in ("server", "companies"):
        hub.pass_time(hours=20)
        wizard.answer(step, SERVER if step == "server" else {"companies": ["F0001"]})
    hub.pass_time(hours=20)
    assert sweep() == 0
    assert wizard.answer("name", {"name": "Main"})["step"] == "vouchers"
    hub.pass_time(days=3)
    assert sweep() == 1


def test_a_draft_goes_with_its_password_and_the_connection_keeps_its_own(hub: Hub):
    connection_id = Wizard(hub).until("finish").get()["connection_id"]
    live = dict(hub.secrets.kept)
    edit = hub.call("POST", hub.in_client("/wizards"), {"connection_id": connection_id}).json
    changed = {**SERVER, "password": "another"}
    assert hub.call("PUT", hub.in_client(f"/wizards/{edit['id']}/steps/server"), changed).status == 202
    assert len(hub.secrets.kept) == 2
    breaks_unheard(hub)
    hub.pass_time(**A_DAY_AND_MORE)
    sweep()
    assert hub.secrets.kept == live


def test_a_finished_wizard_whose_last_work_was_lost_gets_its_first_imports(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    failing = [True]

    created = hub.happenings.created

    def dies_first(*names: str) -> None:
        if failing:
            raise RuntimeError("killed")
        created(*names)

    monkeypatch.setattr(hub.happenings, "created", dies_first)
    wizard = Wizard(hub).until("finish")
    assert (status(hub, wizard), hub.started) == (WizardStatus.FINISHED, [])
    failing.clear()
    hub.machine.failed.clear()
    hub.pass_time(**A_DAY_AND_MORE)
    assert sweep() == 1
    assert len(hub.started) == 1
    assert len(hub.secrets.kept) == 1, "the connection's own"
    assert (sweep(), len(hub.started)) == (0, 1)


def test_a_cancelled_wizard_lets_go_of_its_companies_though_nobody_heard_that_its_machine_was_stopped(hub: Hub):
    wizard = Wizard(hub).until("companies")
    assert hub.call("DELETE", wizard.path).status == 204
    hub.pass_time(**A_DAY_AND_MORE)
    assert sweep() == 1
    assert (status(hub, wizard), hub.secrets.kept) == (WizardStatus.CANCELLED, {})


def test_two_sweepers_at_once_do_what_one_does(hub: Hub):
    wizards = [Wizard(hub).until("server") for _ in range(3)]
    breaks_unheard(hub)
    hub.pass_time(**A_DAY_AND_MORE)
    sweeper = app.services().get(OverdueWizards)
    behind = list(sweeper.wizards.overdue(hub.time[0]))
    assert sweep() == 3
    for names in behind:
        sweeper._end(names)
    assert {status(hub, wizard) for wizard in wizards} == {WizardStatus.EXPIRED}
    assert hub.secrets.kept == {}


def test_one_that_cannot_be_swept_keeps_no_other_waiting_and_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    first, second = Wizard(hub).until("server"), Wizard(hub).until("server")
    hub.pass_time(**A_DAY_AND_MORE)
    original = hub.secrets.delete

    def delete(name: str) -> None:
        if name == stuck:
            raise Unavailable("The password store is busy.", code="secrets_busy")
        original(name)

    stuck = next(iter(hub.secrets.kept))
    monkeypatch.setattr(hub.secrets, "delete", delete)
    with pytest.raises(Unavailable):
        sweep()
    assert list(hub.secrets.kept) == [stuck]
    monkeypatch.setattr(hub.secrets, "delete", original)
    sweep()
    assert (status(hub, first), status(hub, second)) == (WizardStatus.EXPIRED, WizardStatus.EXPIRED)
    assert hub.secrets.kept == {}


def test_it_begins_nothing_that_its_time_may_not_be_enough_for(hub: Hub):
    Wizard(hub).until("server")
    hub.pass_time(**A_DAY_AND_MORE)
    assert app.services().get(OverdueWizards).sweep(lambda: 10.0) == 0
    assert hub.secrets.kept


def test_a_test_whose_machine_ended_unheard_is_not_shown_as_going_on_for_ever(hub: Hub):
    connection_id = Wizard(hub).until("finish").get()["connection_id"]
    path = hub.in_client(f"/connections/{connection_id}")
    hub.machine.slow = True
    hub.call("POST", f"{path}/test")
    hub.machine.todo.clear()
    hub.pass_time(minutes=9)
    assert hub.call("GET", path).json["last_test"]["finished_at"] is None
    hub.pass_time(minutes=2)
    listed = hub.call("GET", hub.in_client("/connections")).json["items"][0]
    for shown in (hub.call("GET", path).json, listed):
        test = shown["last_test"]
        assert (test["has_passed"], test["problem"]["code"]) == (False, "unavailable")
        assert (test["finished_at"] is not None, shown["status"]) == (True, "active")
    hub.machine.slow = False
    assert hub.call("POST", f"{path}/test").json["last_test"]["id"] != test["id"]
    assert hub.call("GET", path).json["last_test"]["has_passed"] is True


# --- dying anywhere -------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The worker's end: nothing catches it."""


@contextmanager
def dying_behind(hub: Hub, number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Kills the worker behind the nth call that changes something, its answer lost; tells which calls there were."""
    calls: list[str] = []

    def count(name: str) -> None:
        calls.append(name)
        if len(calls) == number:
            raise Killed(name)

    def behind(event_name: str, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        if operation.startswith(("Put", "Update", "Delete", "Batch", "Transact")) and operation != "BatchGetItem":
            count(operation)

    delete: Callable[[str], None] = type(hub.secrets).delete.__get__(hub.secrets)
    with monkeypatch.context() as patch:
        patch.setattr(hub.secrets, "delete", lambda name: (delete(name), count("delete secret"))[0])
        clients._session().register("after-call", behind)
        yield calls
        calls += [""] * number  # from here on nothing is counted to its end


def test_a_sweeper_that_dies_anywhere_is_made_good_by_the_next(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    number = 0
    while True:
        number += 1
        wizard = Wizard(hub).until("server")
        breaks_unheard(hub)
        hub.pass_time(**A_DAY_AND_MORE)
        with dying_behind(hub, number, monkeypatch) as calls:
            try:
                sweep()
                survived = True
            except Killed:
                survived = False
        sweep()
        assert (status(hub, wizard), hub.secrets.kept, leavings(hub, wizard)) == (WizardStatus.EXPIRED, {}, []), number
        assert sweep() == 0
        if survived:
            break
    assert number > 4, calls


# --- passwords that belong to nothing -------------------------------------------------------------------------------


def test_a_password_that_belongs_to_nothing_is_found_by_its_age(hub: Hub):
    connection_id = Wizard(hub).until("finish").get()["connection_id"]
    draft = hub.call("POST", hub.in_client("/wizards"), {"connection_id": connection_id}).json
    hub.call("PUT", hub.in_client(f"/wizards/{draft['id']}/steps/server"), {**SERVER, "password": "another"})
    now = hub.time[0]
    webhook = Webhook(
        id=new_id(), client_id=hub.client, url="https://x.test/", created_by="u", created_at=now, updated_at=now
    )
    WebhookTable(app.services().platform.table).add(webhook)
    hub.secrets.put(webhook.secret_name, {"current": "x"}, hub.client)
    wanted = set(hub.secrets.kept)
    lost = {
        f"{hub.client}/{new_id()}",
        f"{hub.client}/{connection_id}/{new_id()}",
        f"{hub.client}/webhook-{new_id()}",
        f"{new_id()}/{new_id()}",
    }
    for name in lost:
        hub.secrets.put(name, {"password": "x"}, hub.client)
    hub.pass_time(hours=47)
    assert sweep("sweep_secrets") == 0, "somebody may still be about to use it"
    table = WizardTable(app.services().platform.table)
    going_on = table.get(hub.client, draft["id"])
    assert going_on is not None
    table.replace(going_on.model_copy(update={"expires_at": hub.time[0] + timedelta(days=1)}))
    hub.pass_time(hours=2)
    assert sweep("sweep_secrets") == len(lost)
    assert set(hub.secrets.kept) == wanted
    assert sweep("sweep_secrets") == 0


def test_the_password_of_a_wizard_that_is_being_answered_is_kept_however_old(hub: Hub):
    wizard = Wizard(hub).until("server")
    for step in ("companies", "name"):
        hub.pass_time(hours=23)
        wizard.answer(step, {"companies": ["F0001"]} if step == "companies" else {"name": "Main"})
    hub.pass_time(hours=5)
    assert sweep("sweep_secrets") == 0
    assert hub.secrets.kept


def test_a_list_of_secrets_that_lags_behind_harms_no_draft_put_in_use_meanwhile(hub: Hub):
    Wizard(hub).until("finish")
    (live,) = hub.secrets.kept
    hub.pass_time(days=30)
    sweeper = app.services().get(OrphanedSecrets)
    assert sweeper._delete(live) is False
    assert live in hub.secrets.kept
