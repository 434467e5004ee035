"""The departments of a connection: listed, offered to a sync, named in vouchers, and missed when they are gone."""

import pytest

from erphub.erp.probes import Outcome
from erphub.erp.system import FoundCompany
from erphub.platform.errors import ErpRefused, Unavailable
from local.erps.twentyfourseven import App, seed
from tests.erp.systems.twentyfourseven.conftest import Connect, posting, settlement
from tests.erp.systems.twentyfourseven.test_orders import invoice, to_customer

SHOP = FoundCompany(str(seed.SHOP), "Fjellbutikken AS")
OSLO, BERGEN = f"{seed.SHOP}/1", f"{seed.SHOP}/2"


def of_vouchers(app: App) -> list[set[tuple[int, str]]]:
    return [
        {dimension for line in voucher.lines for dimension in line.dimensions}
        for voucher in app.world.organisation(seed.SHOP).vouchers.values()
    ]


def test_a_companys_departments_are_listed_to_choose_from(connect: Connect) -> None:
    found = connect().choices("departments", SHOP)
    assert [(one.key, one.name, one.company_name) for one in found] == [
        (OSLO, "Oslo", SHOP.name),
        (BERGEN, "Bergen", SHOP.name),
    ]


def test_a_company_without_departments_has_none_to_choose(connect: Connect, app: App) -> None:
    app.world.organisation(seed.SHOP).departments.clear()
    assert connect().choices("departments", SHOP) == []


def test_very_many_departments_come_page_by_page(connect: Connect, app: App) -> None:
    app.world.organisation(seed.SHOP).departments = {number: f"Avdeling {number}" for number in range(1, 251)}
    assert len({one.key for one in connect().choices("departments", SHOP)}) == 250


@pytest.mark.parametrize("fault", ["error_before", "timeout_before", "half", "cut_after"])
def test_a_list_that_does_not_come_whole_does_not_come(connect: Connect, app: App, fault: str) -> None:
    for operation in ("rest:GET /dimensions/{dimensionType}/elements", "soap:GetDepartmentList"):
        app.faults.add(operation, fault, times=None)
    with pytest.raises(Unavailable):
        connect().choices("departments", SHOP)
    app.faults.clear()
    assert len(connect().choices("departments", SHOP)) == 2


@pytest.mark.parametrize(
    ("chosen", "offered"), [("all", {"1", "2"}), ([BERGEN], {"2"}), (["4711/9"], {"1", "2"}), (None, {"1", "2"})]
)
def test_a_sync_is_offered_the_connections_departments(connect: Connect, chosen: object, offered: set[str]) -> None:
    setup = connect(departments=chosen).setup(str(seed.SHOP))
    assert {choice.key for choice in setup.departments} == offered


@pytest.mark.parametrize("company", [str(seed.SHOP), ""])
def test_the_connections_only_department_is_used_where_the_sync_names_none(
    by_organisation: Connect, app: App, company: str
) -> None:
    system = by_organisation(departments=[BERGEN])
    system.push(settlement(app), posting(routing={"department": "", "company": company}))
    assert of_vouchers(app)[-1] == {(2, "2")}


def test_of_several_departments_the_syncs_own_is_used(connect: Connect, app: App) -> None:
    connect(departments=[OSLO, BERGEN]).push(settlement(app), posting(routing={"department": "2"}))
    assert of_vouchers(app)[-1] == {(2, "2")}


def test_a_department_the_connection_does_not_use_is_refused_before_anything_is_sent(
    connect: Connect, app: App
) -> None:
    system, before = connect(departments=[BERGEN]), len(of_vouchers(app))
    for ask in (
        lambda: system.push(settlement(app), posting()),
        lambda: system.preview(settlement(app), posting()),
        lambda: system.push(invoice(app), to_customer()),
    ):
        with pytest.raises(ErpRefused) as caught:
            ask()
        assert caught.value.code == "department_not_chosen"
    assert len(of_vouchers(app)) == before


def test_what_was_sent_is_found_although_the_connection_no_longer_uses_its_department(
    connect: Connect, app: App
) -> None:
    posted = connect().push(settlement(app), posting())
    found = connect(departments=[BERGEN]).find(settlement(app).kind, posting(), settlement(app))
    assert found is not None
    assert found.reference == posted.reference


def test_a_chosen_department_that_is_gone_is_told_by_the_test_and_stops_no_import(connect: Connect, app: App) -> None:
    del app.world.organisation(seed.SHOP).departments[2]
    probes = list(connect(departments=[OSLO, BERGEN]).check())
    assert [(probe.outcome, probe.code) for probe in probes][-1] == (Outcome.WARNING, "department_gone")
    assert f"2 of company {seed.SHOP}" in probes[-1].detail
    assert all(probe.outcome is not Outcome.FAILED for probe in probes)


def test_a_test_with_all_departments_there_says_nothing_of_them(connect: Connect) -> None:
    for chosen in ("all", [OSLO]):
        assert {probe.outcome for probe in connect(departments=chosen).check()} == {Outcome.PASSED}
