"""Each area that the page asks for is tried by itself, and says what to ask the accountant for."""

from typing import Any

import pytest

from erphub.erp.probes import Outcome, Probe
from erphub.erp.systems.twentyfourseven.areas import Area
from local.erps.twentyfourseven import App, admin, areas, seed
from tests.erp.systems.twentyfourseven.conftest import Connect

ASKS = {
    Area.ACCOUNTING: ("rest:GET /accounts", "soap:GetAccountList"),
    Area.ADMIN: ("rest:GET /transactiontypes", "soap:GetDepartmentList"),
    Area.CRM: ("rest:GET /customers", "soap:GetCompanies"),
    Area.PRODUCTS: ("rest:GET /products", "soap:GetCategories"),
    Area.INVOICING: ("rest:GET /salesorders", "soap:GetInvoices"),
}


@pytest.fixture(params=["organisation", "user"])
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def probes(way: str, request: pytest.FixtureRequest) -> Any:
    connect: Connect = request.getfixturevalue(f"by_{way}")
    return lambda: list(connect().check())


def close(app: App, area: Area, why: str | None) -> None:
    for organisation in (seed.SHOP, seed.CAFE):
        admin.ACTIONS["areas"](app.world, {"organisation": organisation, "area": area.value, "closed": why})


def by_area(found: list[Probe]) -> dict[str, Probe]:
    return {probe.area: probe for probe in found if probe.area}


def test_every_area_has_a_probe_of_its_own(probes: Any) -> None:
    found = by_area(probes())
    assert set(found) == {"CRM", "Accounting", "Admin", "Products", "Invoicing"}
    assert {probe.outcome for probe in found.values()} == {Outcome.PASSED}
    assert {name: probe.as_json()["area"] for name, probe in found.items()} == {name: name for name in found}


CAUSES = {
    "access": ("permission_denied", "has no access to {area}", "to give the {who} access to {area}"),
    "module": ("module_missing", "does not have {area}", "to have the module {area} added"),
}


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("area", Area)
def test_an_area_that_is_closed_says_why_and_what_to_ask_for_and_the_others_are_tried(
    probes: Any, app: App, way: str, area: Area, cause: str
) -> None:
    close(app, area, cause)
    tried = probes()
    found = by_area(tried)
    code, *said = CAUSES[cause]
    closed = found.pop(area.value)
    assert (closed.outcome, closed.code) == (Outcome.FAILED, code)
    who = {"organisation": "integration", "user": "user"}[way]
    for words in (*said, "Ask the accountant"):
        assert words.format(area=area, who=who) in closed.detail
    assert {probe.outcome for probe in found.values()} == {Outcome.PASSED}
    assert tried[-1].outcome is Outcome.SKIPPED
    close(app, area, None)
    assert {probe.outcome for probe in probes()} == {Outcome.PASSED}


@pytest.mark.parametrize(
    ("kind", "code"),
    [("error_before", "erp_error"), ("timeout_before", "erp_timeout"), ("cut_before", "erp_timeout"),
     ("half", "erp_timeout")],
)  # fmt: skip
@pytest.mark.parametrize("area", Area)
def test_an_erp_that_stumbles_is_no_lack_of_access(
    probes: Any, app: App, way: str, area: Area, kind: str, code: str
) -> None:
    app.faults.add(ASKS[area][way == "user"], kind, times=None)
    found = by_area(probes())
    stumbled = found.pop(area.value)
    assert (stumbled.outcome, stumbled.code) == (Outcome.FAILED, code)
    assert "accountant" not in stumbled.detail
    assert {probe.outcome for probe in found.values()} == {Outcome.PASSED}


def test_all_that_is_missing_is_told_at_once(probes: Any, app: App) -> None:
    close(app, Area.CRM, "access")
    close(app, Area.INVOICING, "module")
    codes = {name: probe.code for name, probe in by_area(probes()).items() if probe.outcome is Outcome.FAILED}
    assert codes == {"CRM": "permission_denied", "Invoicing": "module_missing"}


@pytest.mark.parametrize("area", [Area.ACCOUNTING, Area.CRM])
def test_an_erp_that_wants_peace_is_left_in_peace(probes: Any, app: App, way: str, area: Area) -> None:
    kind = "quarantine" if way == "user" else "rate_limited"
    app.faults.add(ASKS[area][way == "user"], kind, times=None, seconds=600)
    tried = probes()
    order = [probe.area for probe in tried]
    outcomes = [probe.outcome for probe in tried]
    at = order.index(area.value)
    assert outcomes[at] is Outcome.FAILED
    assert set(outcomes[at + 1 :]) == {Outcome.SKIPPED}


WORDS = [
    ("The module is not activated for this client.", "module_missing"),
    ("Modulen CRM mangler", "module_missing"),
    ("Klienten har ikke lisens til denne modulen", "module_missing"),
    ("You have no license for this service", "module_missing"),
    ("Access denied", "permission_denied"),
    ("The identity has no permission to use this service", "permission_denied"),
    ("Not authorized", "permission_denied"),
]


@pytest.mark.parametrize(("words", "code"), WORDS)
def test_the_words_tell_a_missing_module_from_missing_access(
    probes: Any, app: App, monkeypatch: pytest.MonkeyPatch, words: str, code: str
) -> None:
    monkeypatch.setitem(areas.CLOSED, "access", words)
    close(app, Area.CRM, "access")
    assert by_area(probes())["CRM"].code == code
