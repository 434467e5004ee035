"""Departments in the wizard: listed from the ERP, chosen, refreshed, kept up to date by an edit."""

import pytest

from erphub.erp.system import FoundCompany
from erphub.platform.errors import ErpRefused, Unavailable
from erphub.wizards.dynamodb import OptionTable, WizardTable
from erphub.wizards.machine import WizardMachine
from tests.wizards.test_editing import Edit, companies, show
from tests.wizards.test_service import Wizard as AnyWizard
from tests.wizards.test_service import codes

SIGN_IN = {"sign_in": "user", "username": "ola@example.test", "password": "right", "has_several_companies": True}


class Wizard(AnyWizard):
    """A wizard of an ERP whose companies have departments."""

    def __init__(self, hub):
        super().__init__(hub, "24sevenoffice")
        self.answer("sign-in", SIGN_IN)

    def choices(self, **query):
        return self.hub.call("GET", f"{self.path}/choices/departments", query=query)

    def keys(self, **query):
        return [one["key"] for one in self.choices(**query).json["items"]]

    def refresh(self, step="departments"):
        return self.hub.call("POST", f"{self.path}/steps/{step}/refresh")

    def finish(self, name="Main"):
        if "departments" not in {step for step, state in self.state().items() if state == "done"}:
            self.answer("departments", {"departments": "all"})
        self.answer("name", {"name": name})
        return self.answer("finish", {})["connection_id"]

    def chosen(self):
        answer = next(step["answer"] for step in self.get()["steps"] if step["id"] == "departments")
        return answer and answer["departments"]


class Draft(Edit):
    """An edit of such a connection."""

    choices, keys, refresh, chosen = Wizard.choices, Wizard.keys, Wizard.refresh, Wizard.chosen


@pytest.fixture
def hub(hub):
    hub.system.departments = {"F0001": ["Oslo", "Bergen"], "F0002": ["Tromsø"]}
    return hub


@pytest.fixture
def made(hub):
    """The id of a connection with F0001, of which it uses Oslo."""
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001"]})
    wizard.answer("departments", {"departments": ["F0001/1"]})
    return wizard.finish()


def settings(hub, connection_id):
    return show(hub, connection_id)["settings"]["departments"]


def test_departments_of_the_chosen_companies_are_listed_to_choose_from(hub):
    wizard = Wizard(hub)
    after = wizard.answer("companies", {"companies": ["F0001", "F0002"]})
    assert (after["step"], after["problem"]) == ("departments", None)
    assert wizard.choices().json["items"] == [
        {"key": "F0001/1", "name": "Oslo", "company_key": "F0001", "company_name": "Ålesund Bygg AS"},
        {"key": "F0001/2", "name": "Bergen", "company_key": "F0001", "company_name": "Ålesund Bygg AS"},
        {"key": "F0002/1", "name": "Tromsø", "company_key": "F0002", "company_name": "Østfold Maskin AS"},
    ]
    assert wizard.keys(search="tromso") == wizard.keys(search="OSTFOLD") == ["F0002/1"]
    form = next(step["schema"] for step in wizard.get()["steps"] if step["id"] == "departments")
    assert form["properties"]["departments"]["x-listed-at"] == "choices/departments"


def test_the_departments_chosen_are_the_connections(hub, made):
    assert settings(hub, made) == ["F0001/1"]


def test_a_company_without_departments_is_not_asked_about_them(hub):
    hub.system.departments = {}
    wizard = Wizard(hub)
    assert wizard.answer("companies", {"companies": ["F0001"]})["step"] == "name"
    assert settings(hub, wizard.finish()) == "all"


def test_the_only_department_is_taken_by_itself(hub):
    wizard = Wizard(hub)
    assert wizard.answer("companies", {"companies": ["F0002"]})["step"] == "name"
    assert settings(hub, wizard.finish()) == ["F0002/1"]


def test_where_there_are_several_some_must_be_chosen_in_each_company(hub):
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001", "F0002"]})
    assert codes(wizard.put("departments", {"departments": []})) == ["too_few"]
    assert codes(wizard.put("departments", {"departments": ["F0002/1"]})) == ["choice_required"]
    assert (
        codes(wizard.put("departments", {"departments": ["F0001/1", "F0001/9", "F0003/1"]})) == ["choice_unknown"] * 2
    )
    wizard.answer("departments", {"departments": ["F0001/2"]})
    assert wizard.chosen() == ["F0001/2", "F0002/1"], "the only one of the other company needs no choosing"


def test_all_means_those_to_come_as_well(hub):
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": "all"})
    wizard.answer("departments", {"departments": "all"})
    assert settings(hub, wizard.finish()) == "all"


def test_many_departments_come_in_pages_each_once(hub):
    hub.system.departments = {"F0001": [f"Department {number}" for number in range(430)]}
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001"]})
    seen, following = [], None
    while following is not None or not seen:
        page = wizard.choices(limit="200", **({"next": following} if following else {})).json
        seen += [one["key"] for one in page["items"]]
        following = page["next"]
    assert len(seen) == len(set(seen)) == 430


def test_nothing_is_listed_under_another_name(hub):
    wizard = Wizard(hub)
    answer = hub.call("GET", f"{wizard.path}/choices/companies")
    assert (answer.status, answer.code) == (404, "choices_not_found")


def test_a_department_made_meanwhile_is_there_after_a_refresh(hub):
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001"]})
    hub.system.departments["F0001"] = ["Oslo", "Bergen", "Bodø"]
    assert codes(wizard.put("departments", {"departments": ["F0001/3"]})) == ["choice_unknown"]
    assert wizard.refresh().status == 202
    assert (wizard.get()["status"], wizard.get()["step"]) == ("waiting", "departments")
    assert wizard.keys() == ["F0001/1", "F0001/2", "F0001/3"]
    wizard.answer("departments", {"departments": ["F0001/3"]})
    assert settings(hub, wizard.finish()) == ["F0001/3"]


def test_companies_are_refreshed_alike(hub):
    wizard = Wizard(hub)
    hub.system.found = [*hub.system.found, FoundCompany("F0004", "Nytt AS")]
    assert wizard.refresh("companies").status == 202
    assert [one["key"] for one in wizard.companies().json["items"]][-1] == "F0004"
    wizard.answer("companies", {"companies": ["F0004"]})
    assert companies(hub, wizard.finish()) == ["F0004"]


def test_only_what_the_erp_lists_can_be_refreshed_and_only_when_its_time_has_come(hub):
    wizard = Wizard(hub)
    nothing = wizard.refresh("sign-in")
    assert (nothing.status, nothing.code) == (422, "nothing_listed")
    early = wizard.refresh("departments")
    assert (early.status, early.code) == (409, "step_not_open")
    assert wizard.refresh("mapping").status == 404


def test_a_refresh_that_fails_says_so_and_keeps_what_was_listed_and_answered(hub):
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001"]})
    wizard.answer("departments", {"departments": ["F0001/1"]})
    hub.system.on_choices = _raises(Unavailable("The ERP does not answer.", code="erp_unreachable"))
    wizard.refresh()
    after = wizard.get()
    assert (after["status"], after["step"], after["problem"]["code"]) == ("waiting", "departments", "unavailable")
    assert wizard.keys() == ["F0001/1", "F0001/2"]
    assert wizard.chosen() == ["F0001/1"]
    hub.system.on_choices = lambda _: None
    assert wizard.answer("departments", {"departments": ["F0001/2"]})["step"] == "name"


def _raises(error, *, of=None, times=None):
    left = [times]

    def strike(company):
        if (of is None or company == of) and left[0] != 0:
            left[0] = left[0] if left[0] is None else left[0] - 1
            raise error

    return strike


def test_a_list_that_breaks_off_half_way_is_asked_for_again_and_never_shown_as_the_whole(hub):
    cut = Unavailable("Half an answer.", code="connection_cut")
    hub.system.on_choices = _raises(cut, of="F0002", times=1)
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001", "F0002"]})
    assert wizard.keys() == ["F0001/1", "F0001/2", "F0002/1"]

    hub.system.on_choices = _raises(cut, of="F0002")
    other = Wizard(hub)
    after = other.answer("companies", {"companies": ["F0001", "F0002"]})
    assert (after["step"], after["problem"]["code"]) == ("companies", "unavailable")
    assert other.keys() == []


def test_a_company_that_does_not_let_us_look_is_told_and_stops_nobody(hub):
    closed = ErpRefused("The user may not see the departments.", code="permission_denied")
    hub.system.on_choices = _raises(closed, of="F0001")
    wizard = Wizard(hub)
    after = wizard.answer("companies", {"companies": ["F0001", "F0002"]})
    assert (after["step"], after["problem"]["code"]) == ("departments", "permission_denied")
    assert wizard.keys() == ["F0002/1"]
    hub.system.on_choices = lambda _: None
    wizard.refresh()
    assert (wizard.get()["problem"], len(wizard.keys())) == (None, 3)
    hub.system.on_choices = _raises(closed, of="F0001")
    wizard.refresh()
    assert wizard.answer("departments", {"departments": "all"})["step"] == "name"


def test_while_the_erp_takes_its_time_the_wizard_works_and_the_old_list_is_shown(hub):
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001"]})
    hub.system.departments["F0001"] = ["Oslo"]
    hub.machine.slow = True
    assert wizard.refresh().json["status"] == "working"
    assert wizard.keys() == ["F0001/1", "F0001/2"]
    again = wizard.refresh()
    assert (again.status, again.code) == (409, "step_not_open")
    hub.machine.work_on()
    assert (wizard.get()["status"], wizard.keys()) == ("waiting", ["F0001/1"])


def test_a_refresh_that_died_before_it_woke_the_machine_can_be_repeated(hub, monkeypatch):
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001"]})

    def dies(*_):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(WizardMachine, "wake", dies)
        with pytest.raises(SystemExit):
            wizard.refresh()
    assert wizard.refresh().status == 409
    hub.pass_time(seconds=61)
    assert wizard.refresh().status == 202
    assert wizard.get()["status"] == "waiting"


@pytest.mark.parametrize("dies_in", ["put_choices", "replace"])
def test_a_listing_that_was_cut_off_is_done_again_and_ends_the_same(hub, monkeypatch, dies_in):
    wizard = Wizard(hub)
    kind = OptionTable if dies_in == "put_choices" else WizardTable
    original, dead = getattr(kind, dies_in), []

    def dies_once(self, *given):
        result = original(self, *given)
        if not dead and (dies_in == "put_choices" or given[0].loaded_lists):
            dead.append(True)
            raise RuntimeError("killed")
        return result

    monkeypatch.setattr(kind, dies_in, dies_once)
    assert wizard.answer("companies", {"companies": ["F0001"]})["step"] == "departments"
    assert dead
    assert wizard.keys() == ["F0001/1", "F0001/2"]


def test_a_wizard_that_is_resumed_still_has_its_list(hub):
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001"]})
    asked = len(hub.system.opened)
    hub.pass_time(hours=5)
    assert wizard.keys() == ["F0001/1", "F0001/2"]
    assert len(hub.system.opened) == asked
    assert wizard.answer("departments", {"departments": ["F0001/1"]})["step"] == "name"


def test_other_companies_bring_other_departments_and_what_no_longer_fits_is_asked_again(hub):
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001"]})
    wizard.answer("departments", {"departments": ["F0001/1"]})
    hub.system.departments["F0002"] = ["Tromsø", "Bodø"]
    assert wizard.answer("companies", {"companies": ["F0001", "F0002"]})["step"] == "departments"
    wizard.answer("departments", {"departments": ["F0001/1", "F0002/2"]})
    assert wizard.answer("companies", {"companies": ["F0002"]})["step"] == "name"
    assert wizard.chosen() == ["F0002/2"]


def test_of_very_many_companies_nobody_chooses_departments_one_by_one(hub):
    hub.system.found = [FoundCompany(f"F{number:04}", f"Company {number}") for number in range(60)]
    asked = []
    hub.system.on_choices = asked.append
    wizard = Wizard(hub)
    assert wizard.answer("companies", {"companies": "all"})["step"] == "name"
    assert (wizard.chosen(), asked) == ("all", [])


def test_an_ended_wizard_leaves_no_list_behind(hub, made):
    wizard = Wizard(hub)
    wizard.answer("companies", {"companies": ["F0001"]})
    assert any("#CHOICE#" in item["sk"]["S"] for item in hub.items())
    hub.call("DELETE", wizard.path)
    assert not any("#CHOICE#" in item["sk"]["S"] for item in hub.items())
    assert wizard.choices().status == 410


# --- editing ---------------------------------------------------------------------------------------------------------


def test_an_edit_of_the_departments_lists_them_anew_with_the_live_password(hub, made):
    hub.system.departments["F0001"] = ["Oslo", "Bergen", "Bodø"]
    edit = Draft(hub, made, "departments")
    assert (edit.get()["step"], edit.chosen()) == ("departments", ["F0001/1"])
    assert edit.keys() == ["F0001/1", "F0001/2", "F0001/3"]
    edit.answer("departments", {"departments": ["F0001/3"]})
    assert settings(hub, made) == ["F0001/1"], "the live connection goes on as it was"
    edit.answer("finish", {})
    assert settings(hub, made) == ["F0001/3"]
    assert companies(hub, made) == ["F0001"]
    [change] = hub.call("GET", hub.in_client(f"/connections/{made}/audit")).json["items"][:1]
    assert (change["old"], change["new"]) == ({"departments": ["F0001/1"]}, {"departments": ["F0001/3"]})


def test_departments_can_be_chosen_in_an_edit_that_began_elsewhere(hub, made):
    edit = Draft(hub, made, "name")
    wrong = edit.answer("departments", {"departments": ["F0001/9"]})
    assert (wrong["step"], wrong["problem"]["errors"][0]["code"]) == ("departments", "choice_unknown")
    edit.answer("departments", {"departments": ["F0001/2"]})
    edit.answer("finish", {})
    assert settings(hub, made) == ["F0001/2"]


def test_an_edit_of_the_name_alone_does_not_ask_for_departments(hub, made):
    asked = len(hub.system.opened)
    edit = Draft(hub, made, "name")
    edit.answer("name", {"name": "Head office"})
    edit.answer("finish", {})
    assert settings(hub, made) == ["F0001/1"]
    assert len(hub.system.opened) == asked


def test_a_company_added_in_an_edit_keeps_the_departments_and_asks_for_its_own(hub, made):
    hub.system.departments["F0002"] = ["Tromsø", "Bodø"]
    edit = Draft(hub, made, "companies")
    assert edit.answer("companies", {"companies": ["F0001", "F0002"]})["step"] == "departments"
    assert edit.chosen() == ["F0001/1"], "what was chosen until now is shown"
    edit.answer("departments", {"departments": ["F0001/1", "F0002/1"]})
    edit.answer("finish", {})
    assert settings(hub, made) == ["F0001/1", "F0002/1"]


def test_a_chosen_department_that_is_gone_is_asked_for_again_when_the_companies_are_edited(hub, made):
    hub.system.departments["F0001"] = []
    edit = Draft(hub, made, "departments")
    assert codes(edit.put("departments", {"departments": ["F0001/1"]})) == ["choice_unknown"]
    assert edit.answer("companies", {"companies": ["F0001"]})["step"] == "finish"
    edit.answer("finish", {})
    assert settings(hub, made) == "all"


def test_an_edit_asks_again_when_it_cannot_be_seen_whether_a_choice_still_fits(hub, made):
    closed = ErpRefused("The user may not see the departments.", code="permission_denied")
    edit = Draft(hub, made, "companies")
    hub.system.on_choices = _raises(closed)
    after = edit.answer("companies", {"companies": ["F0001"]})
    assert (after["step"], after["problem"]["code"]) == ("departments", "permission_denied")
    assert edit.chosen() == ["F0001/1"], "what was chosen until now is shown"
    hub.system.on_choices = lambda _: None
    edit.refresh()
    edit.answer("departments", {"departments": ["F0001/1"]})
    edit.answer("finish", {})
    assert settings(hub, made) == ["F0001/1"]


def test_another_login_asks_for_companies_and_departments_again(hub, made):
    edit = Draft(hub, made, "sign-in")
    assert edit.answer("sign-in", SIGN_IN | {"username": "kari@example.test"})["step"] == "companies"
    assert edit.answer("companies", {"companies": ["F0001"]})["step"] == "departments"
    edit.answer("departments", {"departments": ["F0001/2"]})
    edit.answer("finish", {})
    assert settings(hub, made) == ["F0001/2"]


def test_two_editors_of_departments_are_told_of_each_other(hub, made):
    first, second = Draft(hub, made, "departments"), Draft(hub, made, "name")
    first.answer("departments", {"departments": "all"})
    first.answer("finish", {})
    late = second.put("name", {"name": "Late"})
    assert (late.status, late.json["changed"]) == (
        409,
        [{"field": "departments", "before": ["F0001/1"], "now": "all"}],
    )
