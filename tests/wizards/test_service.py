"""The dialogue: its steps in order, wrong turns, two people at once, and every way it can end."""

import pytest

from erphub import app
from erphub.erp.probes import Stage
from erphub.platform.errors import ErpRefused, Unavailable
from erphub.wizards.answers import AnswerService
from erphub.wizards.dynamodb import OptionTable, WizardTable
from erphub.wizards.machine import WizardMachine
from tests.support.aws import on_both
from tests.support.dialogue import OTHER_SERVER, SERVER, Wizard


def codes(answer):
    return [error["code"] for error in answer.json["errors"]]


@on_both
def test_a_wizard_asks_its_steps_in_order_and_makes_the_connection(hub):
    wizard = Wizard(hub)
    fresh = wizard.get()
    assert (fresh["status"], fresh["step"], fresh["version"]) == ("waiting", "server", 2)
    assert list(wizard.state()) == ["server", "companies", "name", "vouchers", "finish"]

    assert wizard.answer("server", SERVER)["step"] == "companies"
    assert wizard.answer("companies", {"companies": ["F0001"]})["step"] == "name"
    assert wizard.answer("name", {"name": "Main"})["step"] == "vouchers"
    assert wizard.answer("vouchers", {})["step"] == "finish"
    done = wizard.answer("finish", {})
    assert (done["status"], done["step"]) == ("finished", None)

    connection = hub.call("GET", hub.in_client(f"/connections/{done['connection_id']}")).json
    assert connection["name"] == "Main"
    assert connection["status"] == "active"
    assert connection["settings"]["server"] == "db01.example.test"
    assert connection["last_test"]["has_passed"] is True
    assert hub.started == [(hub.client, done["connection_id"], "administrator")]
    companies = hub.call("GET", hub.in_client(f"/connections/{done['connection_id']}/companies")).json
    assert companies["items"] == [{"key": "F0001", "name": "Ålesund Bygg AS", "is_connected_elsewhere": False}]


def test_the_password_is_never_shown_and_is_kept_for_the_connection_alone(hub):
    wizard = Wizard(hub).until("finish")
    connection_id = wizard.get()["connection_id"]
    assert hub.secrets.kept == {f"{hub.client}/{connection_id}": {"password": "right"}}
    for path in (wizard.path, hub.in_client(f"/connections/{connection_id}")):
        assert "right" not in hub.call("GET", path).text
    assert "'right'" not in str(hub.items())


def test_a_failed_test_is_an_answer_and_asks_the_same_step_again(hub):
    wizard = Wizard(hub)
    after = wizard.answer("server", SERVER | {"password": "wrong"})
    assert (after["status"], after["step"]) == ("waiting", "server")
    assert after["problem"]["code"] == "credentials_refused"
    assert after["probes"][-1]["outcome"] == "failed"
    assert after["steps"][0]["answer"]["login"] == "reader"

    assert wizard.answer("server", SERVER)["step"] == "companies"
    assert wizard.get()["problem"] is None


def test_what_the_server_says_never_repeats_the_password(hub):
    hub.system.says = "Login failed for reader with password hunter2hunter2."
    after = Wizard(hub).answer("server", SERVER | {"password": "hunter2hunter2"})
    assert "hunter2" not in str(after)
    assert "[hidden]" in after["problem"]["detail"]
    assert "hunter2" not in str(hub.items())


def test_what_the_erp_refuses_after_the_test_is_an_answer_too(hub):
    hub.system.raises = [ErpRefused("The system database is gone.", code="company_gone")]
    after = Wizard(hub).answer("server", SERVER)
    assert (after["status"], after["step"], after["problem"]["code"]) == ("waiting", "server", "company_gone")


def test_a_hiccup_is_tried_again_without_anybody_noticing(hub):
    hub.system.raises = [Unavailable("cut", code="connection_cut"), RuntimeError("a bug")]
    after = Wizard(hub).answer("server", SERVER)
    assert (after["step"], after["problem"]) == ("companies", None)


def test_trouble_that_lasts_is_shown_and_the_step_is_open_again(hub):
    hub.system.raises = [RuntimeError("a bug")] * 3
    wizard = Wizard(hub)
    after = wizard.answer("server", SERVER)
    assert (after["status"], after["step"], after["problem"]["code"]) == ("waiting", "server", "unavailable")
    assert wizard.answer("server", SERVER)["step"] == "companies"


@pytest.mark.parametrize("step", ["companies", "name", "vouchers", "finish"])
def test_a_later_step_cannot_be_answered_before_its_time(hub, step):
    before = hub.items()
    answer = Wizard(hub).put(step, {})
    assert (answer.status, answer.code) == (409, "step_not_open")
    assert len(hub.items()) == len(before) + 3  # the wizard, that it is open, what wakes its machine


def test_a_step_that_is_not_there_is_not_found(hub):
    answer = Wizard(hub).put("mapping", {})
    assert (answer.status, answer.code) == (404, "step_not_found")


def test_a_system_without_vouchers_has_no_such_step(hub):
    assert "vouchers" not in Wizard(hub, "sqlserver-generic").state()


def test_an_earlier_step_can_be_opened_again_and_asks_again_what_depended_on_it(hub):
    wizard = Wizard(hub).until("vouchers")
    after = wizard.answer("server", OTHER_SERVER)
    assert after["step"] == "companies"
    assert wizard.state() == {
        "server": "done",
        "companies": "waiting",
        "name": "done",
        "vouchers": "done",
        "finish": "later",
    }
    assert wizard.answer("companies", {"companies": ["F0002"]})["step"] == "finish"
    done = wizard.answer("finish", {})
    connection = hub.call("GET", hub.in_client(f"/connections/{done['connection_id']}")).json
    assert connection["settings"]["server"] == "db02.example.test"


def test_a_stored_password_is_not_sent_to_another_server(hub):
    wizard = Wizard(hub).until("server")
    body = {name: value for name, value in OTHER_SERVER.items() if name != "password"}
    answer = wizard.put("server", body)
    assert (answer.status, codes(answer)) == (422, ["secret_needed_again"])
    same = {name: value for name, value in SERVER.items() if name != "password"}
    assert wizard.answer("server", same | {"is_shared": True})["step"] == "companies"


def test_only_companies_that_were_found_and_can_be_opened_are_chosen(hub):
    wizard = Wizard(hub).until("server")
    answer = wizard.put("companies", {"companies": ["F0001", "F0003", "F9999"]})
    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [
        ("/companies/1", "company_not_accessible"),
        ("/companies/2", "company_unknown"),
    ]
    assert wizard.get()["step"] == "companies"


def test_all_companies_means_those_that_can_be_opened_and_those_to_come(hub):
    wizard = Wizard(hub).until("server")
    wizard.answer("companies", {"companies": "all"})
    wizard.answer("name", {"name": "All"})
    wizard.answer("vouchers", {})
    connection_id = wizard.answer("finish", {})["connection_id"]
    assert hub.call("GET", hub.in_client(f"/connections/{connection_id}")).json["includes_new_companies"] is True
    found = hub.call("GET", hub.in_client(f"/connections/{connection_id}/companies")).json["items"]
    assert [company["key"] for company in found] == ["F0001", "F0002"]


@pytest.mark.parametrize(
    ("search", "keys"),
    [
        ("alesund", ["F0001"]),
        ("ÅLESUND", ["F0001"]),
        ("ostfold", ["F0002"]),
        ("f000", ["F0001", "F0002", "F0003"]),
        ("x", []),
    ],
)
def test_companies_are_found_whatever_their_case_and_accents(hub, search, keys):
    wizard = Wizard(hub).until("server")
    assert [company["key"] for company in wizard.companies(search=search).json["items"]] == keys


def test_a_company_that_cannot_be_opened_says_why(hub):
    items = Wizard(hub).until("server").companies().json["items"]
    why = "The login has no access to this database."
    assert items[2] == {"key": "F0003", "name": "Låst AS", "unavailable_reason": why, "connected_elsewhere": None}


def test_hundreds_of_companies_come_in_pages_each_once(hub):
    from erphub.erp.system import FoundCompany

    hub.system.found = [FoundCompany(f"F{number:04}", f"Company {number}") for number in range(1, 431)]
    wizard = Wizard(hub).until("server")
    seen, following = [], None
    while True:
        page = wizard.companies(limit="200", **({"next": following} if following else {})).json
        seen += [company["key"] for company in page["items"]]
        if (following := page["next"]) is None:
            break
    assert seen == [f"F{number:04}" for number in range(1, 431)]
    tens = wizard.companies(search="company 4", limit="3").json
    assert ([company["key"] for company in tens["items"]], tens["next"] is None) == (["F0004", "F0040", "F0041"], False)

    wizard.answer("companies", {"companies": "all"})
    wizard.answer("name", {"name": "Group"})
    wizard.answer("vouchers", {})
    connection_id = wizard.answer("finish", {})["connection_id"]
    page = hub.call("GET", hub.in_client(f"/connections/{connection_id}/companies"), query={"limit": "200"}).json
    assert len(page["items"]) == 200
    assert len(OptionTable(app.services().platform.table).companies(_stored(hub, wizard))) == 0


def _stored(hub, wizard):
    found = WizardTable(app.services().platform.table).get(hub.client, wizard.id)
    assert found is not None
    return found


def test_a_name_that_is_taken_is_refused_at_once_whatever_its_case(hub):
    Wizard(hub).until("finish")
    second = Wizard(hub).until("companies")
    answer = second.put("name", {"name": "MAIN office "})
    assert (answer.status, answer.code) == (409, "name_taken")


def test_a_name_taken_while_the_wizard_went_on_is_asked_for_again(hub):
    first, second = Wizard(hub).until("vouchers"), Wizard(hub).until("vouchers")
    first.answer("finish", {})
    after = second.answer("finish", {})
    assert (after["status"], after["step"], after["problem"]["code"]) == ("waiting", "name", "name_taken")
    second.answer("name", {"name": "Branch"})
    assert second.answer("finish", {})["status"] == "finished"
    assert len(hub.call("GET", hub.in_client("/connections")).json["items"]) == 2


def test_names_are_taken_per_client(hub):
    Wizard(hub).until("finish")
    path = f"/clients/{hub.other_client}/wizards"
    made = hub.call("POST", path, {"erp_system": "visma-business"}, user="neighbour").json
    for step, body in (("server", SERVER), ("companies", {"companies": "all"}), ("name", {"name": "Main office"})):
        assert hub.call("PUT", f"{path}/{made['id']}/steps/{step}", body, user="neighbour").status == 202


def test_a_wizard_of_another_client_is_not_there(hub):
    wizard = Wizard(hub)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/companies"), ("PUT", "/steps/server")):
        foreign = f"/clients/{hub.other_client}/wizards/{wizard.id}{path}"
        assert hub.call(method, foreign, SERVER, user="neighbour").status == 404


def test_the_token_of_a_wizard_is_no_wizard(hub):
    wizard = Wizard(hub)
    assert hub.call("GET", f"{wizard.path}#TOKEN").status == 404


def test_while_it_works_a_wizard_takes_no_other_answer(hub):
    wizard = Wizard(hub)
    hub.machine.slow = True
    assert wizard.put("server", SERVER).json["status"] == "working"
    again = wizard.put("server", OTHER_SERVER)
    assert (again.status, again.code) == (409, "step_not_open")
    hub.machine.work_on()
    assert wizard.get()["step"] == "companies"
    assert hub.system.opened[-1]["server"] == "db01.example.test"


def test_of_two_answers_at_once_one_wins_and_the_other_is_told(hub, monkeypatch):
    wizard = Wizard(hub)
    put = hub.secrets.put
    answers = []

    def slowly(*given):
        put(*given)
        answers.append(wizard.put("server", OTHER_SERVER | {"password": "other"}))

    monkeypatch.setattr(hub.secrets, "put", slowly)
    winner = wizard.put("server", SERVER)
    assert winner.status == 202
    assert [(answer.status, answer.code) for answer in answers] == [(409, "step_being_answered")]
    assert list(hub.secrets.kept.values()) == [{"password": "right"}]


def test_an_answer_that_was_sent_before_another_was_taken_is_late_however_slowly_it_comes(hub):
    wizard = Wizard(hub)
    sent = hub.time[0]
    hub.pass_time(seconds=1)
    wizard.answer("server", SERVER)
    late = wizard.put("server", OTHER_SERVER | {"password": "other"}, sent=sent)
    assert (late.status, late.code) == (409, "step_answered")
    assert list(hub.secrets.kept.values()) == [{"password": "right"}]


def test_an_answer_from_an_old_page_is_refused(hub):
    wizard = Wizard(hub)
    old = wizard.get()["version"]
    wizard.answer("server", SERVER)
    answer = wizard.put("companies", {"companies": "all", "version": old})
    assert (answer.status, answer.code) == (409, "version_conflict")
    assert wizard.put("companies", {"companies": "all", "version": wizard.get()["version"]}).status == 202


@on_both
def test_a_cancelled_wizard_is_gone_with_its_password(hub):
    wizard = Wizard(hub).until("companies")
    assert hub.secrets.kept
    assert hub.call("DELETE", wizard.path).status == 204
    assert hub.secrets.kept == {}
    assert wizard.get()["status"] == "cancelled"
    answer = wizard.put("name", {"name": "Late"})
    assert (answer.status, answer.code) == (410, "wizard_cancelled")
    assert wizard.companies().status == 410
    assert hub.call("DELETE", wizard.path).status == 204
    assert not hub.machine.is_running(hub.machine.execution(wizard.id))


def test_an_abandoned_wizard_expires_and_its_password_with_it(hub):
    wizard = Wizard(hub).until("server")
    hub.machine.time_out()
    assert hub.secrets.kept == {}
    assert wizard.get()["status"] == "expired"
    answer = wizard.put("companies", {"companies": "all"})
    assert (answer.status, answer.code) == (410, "wizard_expired")


def test_a_token_that_comes_back_after_expiry_ends_the_wizard_and_keeps_no_password(hub):
    wizard = Wizard(hub)
    hub.machine.waiting.clear()
    hub.machine.executions[hub.machine.execution(wizard.id)] = "TIMED_OUT"
    answer = wizard.put("server", SERVER)
    assert (answer.status, answer.code) == (410, "wizard_expired")
    assert hub.secrets.kept == {}


def test_a_wizard_cancelled_while_it_is_answered_keeps_no_password(hub, monkeypatch):
    wizard = Wizard(hub)
    put = hub.secrets.put

    def cancelled_meanwhile(*given):
        hub.call("DELETE", wizard.path)
        put(*given)

    monkeypatch.setattr(hub.secrets, "put", cancelled_meanwhile)
    answer = wizard.put("server", SERVER)
    assert (answer.status, answer.code) == (410, "wizard_cancelled")
    assert hub.secrets.kept == {}


def test_a_wizard_cancelled_while_it_works_makes_no_connection(hub):
    wizard = Wizard(hub).until("vouchers")
    hub.machine.slow = True
    wizard.put("finish", {})
    assert hub.call("DELETE", wizard.path).status == 204
    hub.machine.work_on()
    assert wizard.get()["status"] == "cancelled"
    assert hub.call("GET", hub.in_client("/connections")).json["items"] == []
    assert (hub.secrets.kept, hub.started) == ({}, [])


def test_a_finished_wizard_cannot_be_cancelled_or_answered(hub):
    wizard = Wizard(hub).until("finish")
    cancelled, answered = hub.call("DELETE", wizard.path), wizard.put("name", {"name": "Late"})
    assert (cancelled.status, cancelled.code) == (409, "wizard_finished")
    assert (answered.status, answered.code) == (409, "wizard_finished")
    assert hub.secrets.kept


def test_a_secret_store_that_fails_leaves_the_step_open(hub):
    wizard = Wizard(hub)
    hub.secrets.fails_with = Unavailable("Try again.", code="secrets_busy")
    answer = wizard.put("server", SERVER)
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "secrets_busy", "5")
    hub.secrets.fails_with = None
    assert wizard.answer("server", SERVER)["step"] == "companies"


def test_a_request_that_died_after_the_password_leaves_only_that_step_to_answer(hub, monkeypatch):
    wizard = Wizard(hub).until("server")

    def dies(*_):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(AnswerService, "_record", dies)
        with pytest.raises(SystemExit):
            wizard.put("server", OTHER_SERVER)
    assert wizard.put("server", SERVER).code == "step_being_answered"
    hub.pass_time(seconds=31)
    blocked = wizard.put("companies", {"companies": "all"})
    assert (blocked.status, blocked.code) == (409, "step_unfinished")
    assert wizard.answer("server", SERVER)["step"] == "companies"


def test_a_request_that_died_before_it_woke_the_machine_can_be_repeated(hub, monkeypatch):
    wizard = Wizard(hub)

    def dies(*_):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(WizardMachine, "wake", dies)
        with pytest.raises(SystemExit):
            wizard.put("server", SERVER)
    assert wizard.put("server", SERVER).code == "step_not_open"
    hub.pass_time(seconds=61)
    assert wizard.answer("server", SERVER)["step"] == "companies"


@pytest.mark.parametrize("dies_in", ["put_companies", "replace"])
def test_work_that_was_cut_off_is_done_again_and_ends_the_same(hub, monkeypatch, dies_in):
    wizard = Wizard(hub)
    kind = OptionTable if dies_in == "put_companies" else WizardTable
    original, times = getattr(kind, dies_in), [0]

    def dies_once(self, *given):
        result = original(self, *given)
        times[0] += 1
        if times[0] == (1 if dies_in == "put_companies" else 3):
            raise RuntimeError("killed")
        return result

    monkeypatch.setattr(kind, dies_in, dies_once)
    assert wizard.answer("server", SERVER)["step"] == "companies"
    assert len(wizard.companies().json["items"]) == 3


def test_a_connection_whose_first_imports_failed_to_start_gets_them_on_the_next_try(hub, monkeypatch):
    failures = [RuntimeError("killed")]
    created = hub.happenings.created

    def dies_once(*new):
        if failures:
            raise failures.pop()
        created(*new)

    monkeypatch.setattr(hub.happenings, "created", dies_once)
    wizard = Wizard(hub).until("finish")
    assert wizard.get()["status"] == "finished"
    assert (len(hub.started), failures) == (1, [])
    assert len(hub.call("GET", hub.in_client("/connections")).json["items"]) == 1


def test_a_probe_of_the_test_says_what_failed(hub):
    from tests.support.connect import failed_at

    hub.system.check = lambda: failed_at(Stage.TCP, "port_closed", "Nothing listens there. Open the port.")
    after = Wizard(hub).answer("server", SERVER)
    assert after["problem"]["stage"] == "tcp"
    assert after["problem"]["detail"] == "Nothing listens there. Open the port."


@pytest.mark.parametrize("field", ["server", "database", "login"])
@pytest.mark.parametrize("text", ["'; DROP TABLE AcTr;--", "1433; EXEC xp_cmdshell 'x'", "\u202egpj.exe", "a\u0000b"])
def test_sql_and_tricks_in_text_fields_are_refused_or_kept_as_text(hub, field, text):
    wizard = Wizard(hub)
    answer = wizard.put("server", SERVER | {field: text})
    assert answer.status in (202, 422)
    if answer.status == 202:
        assert hub.system.opened[-1][field] == text
    else:
        assert all(error["pointer"] == f"/{field}" for error in answer.json["errors"])
        assert hub.secrets.kept == {}
