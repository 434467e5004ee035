"""A wizard is no tool for guessing: refused tries make the next one wait, and that is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from erphub import app, capabilities
from erphub.connections.attempts import FIRST_WAIT, LONGEST_WAIT
from erphub.connections.capability import REFUSED_OF_CLIENT, REFUSED_OF_TARGET
from erphub.connections.dynamodb import RefusalTable
from erphub.erp.probes import Stage
from erphub.platform.capability import LimitKind, LimitScope
from erphub.platform.errors import Unavailable
from erphub.platform.limits import Owner
from erphub.tenancy.limits import TenantLimits
from erphub.wizards.tasks import WizardTasks, _attempt
from tests.connections.conftest import HealthScene
from tests.support.connect import failed_at
from tests.support.dialogue import SERVER, Wizard
from tests.support.hub import ADMINISTRATOR

FREE = {"client": REFUSED_OF_CLIENT.maximum, "target": REFUSED_OF_TARGET.maximum}


def tried(hub, **answer):
    """The answer to another try in a wizard of its own."""
    return Wizard(hub).put("server", SERVER | answer)


def refused_one_after_the_other(hub, tries):
    """How many tries were taken until one must wait, and what that one was told."""
    for number, answer in enumerate(tries):
        said = tried(hub, **answer)
        if said.status != 202:
            return number, said
    raise AssertionError("nobody was told to wait")


def test_passwords_of_one_login_cannot_be_tried_without_end(hub):
    taken, told = refused_one_after_the_other(hub, ({"password": f"guess-{n}"} for n in range(12)))
    assert taken == FREE["target"]
    assert (told.status, told.code) == (429, "too_many_attempts")
    assert int(told.headers["Retry-After"]) == told.json["retry_after"] <= FIRST_WAIT.total_seconds() + 1
    opened = len(hub.system.opened)
    assert tried(hub, password="right").status == 429, "the right one must wait as well, or it would be told apart"
    assert len(hub.system.opened) == opened, "the server was not asked"


def test_the_same_login_written_otherwise_is_the_same(hub):
    tries = (
        {"password": "wrong", "login": login, "server": server}
        for login in ("Reader", "reader", "READER")
        for server in ("db01.example.test", "DB01.example.test")
    )
    assert refused_one_after_the_other(hub, tries)[0] == FREE["target"]


def test_ports_cannot_be_tried_without_end(hub, monkeypatch):
    unreachable = failed_at(Stage.TCP, "server_unreachable", "The server does not answer.")
    monkeypatch.setattr(hub.system, "check", lambda: unreachable)
    taken, told = refused_one_after_the_other(hub, ({"server": f"db01.example.test,{1000 + n}"} for n in range(15)))
    assert (taken, told.code) == (FREE["client"], "too_many_attempts")


def test_each_further_refusal_doubles_the_wait_up_to_an_hour(hub):
    refused_one_after_the_other(hub, ({"password": "wrong"} for _ in range(12)))
    waits = []
    for _ in range(10):
        wait = tried(hub, password="wrong").json["retry_after"]
        waits.append(wait - 1)
        hub.pass_time(seconds=wait)
        assert tried(hub, password="wrong").status == 202
    assert waits == [min(30 * 2**number, LONGEST_WAIT.total_seconds()) for number in range(10)]


def test_who_waited_is_let_in_and_all_is_forgotten_in_time(hub):
    _, told = refused_one_after_the_other(hub, ({"password": "wrong"} for _ in range(12)))
    hub.pass_time(seconds=told.json["retry_after"])
    wizard = Wizard(hub)
    assert wizard.answer("server", SERVER)["step"] == "companies"
    hub.pass_time(hours=3)
    assert refused_one_after_the_other(hub, ({"password": "wrong"} for _ in range(12)))[0] == FREE["target"]


def test_the_wait_is_in_the_audit_and_people_are_notified_once_for_each_answer(hub):
    for number in range(FREE["target"] - 1):
        tried(hub, password=f"guess-{number}")
    wizard = Wizard(hub)
    wizard.put("server", SERVER | {"password": "guess-last"})
    listed = hub.call("GET", hub.in_client("/notifications")).json["items"]
    assert [one["type"] for one in listed] == ["connection.attempts_slowed"]
    entries = [item for item in hub.items() if "attempts.slowed" in str(item)]
    assert entries
    assert "guess-last" not in str(entries)
    tasks = app.services().get(WizardTasks)
    kept = tasks.store.get(hub.client, wizard.id)
    tasks.attempts.record(_attempt(kept), {"code": "credentials_refused"})
    assert len(hub.call("GET", hub.in_client("/notifications")).json["items"]) == 1
    hub.pass_time(seconds=30)
    assert tried(hub).status == 202, "the same answer was counted once"


def by_hand(hub, connection):
    """The answer to another test by hand of a connection."""
    return hub.call("POST", hub.in_client(f"/connections/{connection}/test"))


def test_tests_by_hand_are_tries_as_well(hub):
    connection = Wizard(hub).until("finish").get()["connection_id"]
    hub.system.check = lambda: failed_at(Stage.LOGIN, "credentials_refused", "The server does not accept the login.")
    taken = 0
    while (said := by_hand(hub, connection)).status == 202:
        taken += 1
        assert taken <= FREE["target"]
    assert (taken, said.status, said.code) == (FREE["target"], 429, "too_many_attempts")
    assert tried(hub).status == 429, "the same server and login in a wizard wait as well"
    entries = hub.call("GET", hub.in_client("/audit"), query={"action": "attempts.slowed"}).json["items"]
    assert len(entries) == 1
    hub.pass_time(seconds=said.json["retry_after"])
    assert by_hand(hub, connection).status == 202


def test_two_at_once_and_an_answer_that_was_lost_count_once_each(hub):
    connection = Wizard(hub).until("finish").get()["connection_id"]
    hub.system.check = lambda: failed_at(Stage.LOGIN, "credentials_refused", "The server does not accept the login.")
    tests = [by_hand(hub, connection).json["last_test"]["id"] for _ in range(FREE["target"] - 1)]
    tasks = app.services().get(WizardTasks)
    for _ in range(3):  # the machine did not hear that it was done, and asks again
        tasks.test_connection(hub.client, connection, tests[-1], "somebody")
    assert by_hand(hub, connection).status == 202, "the same try was counted once"


def test_a_server_that_held_every_try_until_it_was_given_up_was_tried_all_the_same(hub):
    for number in range(FREE["target"]):
        wizard = Wizard(hub)
        hub.system.check = lambda: exhausted()
        said = wizard.put("server", SERVER | {"password": f"guess-{number}"})
        assert said.status == 202
    assert tried(hub, password="guess-last").code == "too_many_attempts"


def exhausted():
    raise Unavailable("It did not answer in full.", code="query_timeout")


OF_REFUSALS = [one for one in capabilities.limits().values() if one.kind is LimitKind.REFUSALS]


@pytest.mark.parametrize("limit", OF_REFUSALS, ids=lambda one: one.name)
def test_how_many_may_be_refused_is_a_limit_that_is_shown_and_that_an_operator_sets(hub, limit):
    def shown():
        listed = hub.call("GET", hub.in_client("/limits")).json["items"]
        return next(one for one in listed if one["name"] == limit.name)

    assert (shown()["kind"], shown()["maximum"], shown()["used"]) == ("refusals", limit.maximum, None)
    owner = hub.client if limit.scope is LimitScope.CLIENT else ADMINISTRATOR
    app.services().get(TenantLimits).set_maximum(limit, Owner(limit.scope, owner), 2)
    assert shown()["maximum"] == 2
    assert refused_one_after_the_other(hub, ({"password": f"guess-{n}"} for n in range(12)))[0] == 2


@pytest.mark.parametrize("forgotten", [False, True])
def test_of_tries_that_are_refused_at_the_same_moment_each_is_counted(scene: HealthScene, forgotten: bool) -> None:
    store, now, many = RefusalTable(scene.table), datetime(2026, 3, 5, 8, tzinfo=UTC), 8
    before = store.add("client c", "long ago", now - timedelta(days=1), forgotten=None) if forgotten else None
    together = Barrier(many)

    def refuse(number: int) -> int:
        together.wait()
        return store.add("client c", f"try {number}", now, forgotten=before).count

    with ThreadPoolExecutor(many) as pool:
        counts = list(pool.map(refuse, range(many)))
    assert sorted(counts) == list(range(1, many + 1)), "each has heard of all before it"
    kept = store.get("client c")
    assert kept is not None
    assert kept.count == many


def test_the_same_answer_told_by_many_at_once_counts_once(scene: HealthScene) -> None:
    store, now = RefusalTable(scene.table), datetime(2026, 3, 5, 8, tzinfo=UTC)
    with ThreadPoolExecutor(8) as pool:
        counts = {one.count for one in pool.map(lambda _: store.add("client c", "t", now, forgotten=None), range(8))}
    assert counts == {1}
