"""A wizard is no tool for guessing: refused tries make the next one wait, and that is told."""

from erphub import app
from erphub.erp.probes import Stage
from erphub.wizards.attempts import FIRST_WAIT, FREE, LONGEST_WAIT
from erphub.wizards.tasks import WizardTasks
from tests.support.connect import failed_at
from tests.support.dialogue import SERVER, Wizard


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
    tasks.attempts.record(kept, {"code": "credentials_refused"})
    assert len(hub.call("GET", hub.in_client("/notifications")).json["items"]) == 1
    hub.pass_time(seconds=30)
    assert tried(hub).status == 202, "the same answer was counted once"
