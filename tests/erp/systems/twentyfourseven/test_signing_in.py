"""Signing in, the stages of a test, companies, and staying signed in."""

import time
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from erphub.erp import catalogue as erp
from erphub.erp.datasets import BY_ID
from erphub.erp.probes import Outcome, Probe, Stage, passed
from erphub.erp.reading import DateRange
from erphub.erp.resources import AdapterResources
from erphub.erp.system import FoundCompany
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice
from erphub.erp.systems.twentyfourseven.tokens import utc_now
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Unavailable
from local.erps.twentyfourseven import App, Transport, seed
from tests.erp.systems.twentyfourseven.conftest import Connect, Time


def failed(probes: list[Probe]) -> Probe:
    return next(probe for probe in probes if probe.outcome is Outcome.FAILED)


def test_everything_in_order_passes_every_stage(system: TwentyFourSevenOffice) -> None:
    probes = list(system.check())
    assert passed(probes)
    assert [probe.stage for probe in probes] == [
        Stage.LOGIN, Stage.DATABASES, *[Stage.PERMISSIONS] * 5, Stage.READ,
    ]  # fmt: skip


def test_a_wrong_password_or_secret_fails_the_login_and_skips_the_rest(connect: Connect) -> None:
    probes = list(connect("feil-passord").check())
    assert failed(probes).stage is Stage.LOGIN
    assert (failed(probes).code, failed(probes).refused) == ("credentials_refused", True)
    assert [probe.outcome for probe in probes[1:]] == [Outcome.SKIPPED] * 7
    assert "feil-passord" not in str(probes)


def test_an_application_that_is_not_connected_is_told_where_to_connect_it(by_organisation: Connect) -> None:
    probe = failed(list(by_organisation(organisation=seed.UNCONNECTED).check()))
    assert probe.code == "application_not_connected"
    assert "Integrations" in probe.detail


def test_a_changed_password_is_tried_and_not_the_token_of_the_old_one(connect: Connect) -> None:
    assert passed(list(connect().check()))
    assert not passed(list(connect("feil-passord").check()))


def test_missing_access_names_every_closed_area_at_once(organisation: TwentyFourSevenOffice, app: App) -> None:
    application = app.world.applications[seed.CLIENT_ID]
    application.scopes = {
        "api.organization.information:read",
        "api.accounting.account:read",
        "api.accounting.tax:read",
        "api.accounting.transactiontype:read",
        "api.product.salestype:read",
        "api.accounting.dimension:read",
        "api.product.product:read",
    }
    closed = [probe for probe in organisation.check() if probe.outcome is Outcome.FAILED]
    assert {(probe.stage, probe.code) for probe in closed} == {(Stage.PERMISSIONS, "permission_denied")}
    assert [probe.area for probe in closed] == ["CRM", "Invoicing"]
    assert "customers" in closed[0].detail
    assert "orders" in closed[1].detail


def test_an_organisation_is_its_own_only_company(organisation: TwentyFourSevenOffice) -> None:
    assert [(found.key, found.name) for found in organisation.companies()] == [(str(seed.SHOP), "Fjellbutikken AS")]


def test_a_users_companies_are_known_by_the_companys_own_number(user: TwentyFourSevenOffice) -> None:
    assert {found.key for found in user.companies()} == {str(seed.SHOP), str(seed.CAFE)}


def test_a_user_of_several_companies_must_say_so(by_user: Connect) -> None:
    probe = failed(list(by_user(several=False).check()))
    assert probe.code == "company_must_be_chosen"
    assert passed(list(by_user(username=seed.OTHER_USER, several=False).check()))


def test_without_a_company_chosen_nothing_is_read_from_whichever_comes_first(user: TwentyFourSevenOffice) -> None:
    assert [choice.key for choice in user.setup().companies] == [str(seed.SHOP), str(seed.CAFE)]
    assert user.setup().accounts == []


def test_setup_tells_which_accounts_sales_may_be_posted_to(system: TwentyFourSevenOffice) -> None:
    setup = system.setup(str(seed.SHOP))
    accounts = {account.number: account for account in setup.accounts}
    assert accounts["3000"].has_sales_type
    assert not accounts["3999"].has_sales_type
    assert {choice.key for choice in setup.departments} == {"1", "2"}
    assert "3" in {choice.key for choice in setup.voucher_types}
    assert all(int(choice.key) > 0 for choice in setup.voucher_types)
    assert {code.key for code in setup.tax_codes} >= {"0", "3", "31", "33"}
    assert setup.currency == "NOK"


def test_only_a_user_can_hand_vouchers_to_the_inbox(
    organisation: TwentyFourSevenOffice, user: TwentyFourSevenOffice
) -> None:
    for company in ("", str(seed.SHOP), "4711"):
        assert organisation.setup(company).targets == ("ledger",)
        assert user.setup(company).targets == ("inbox", "ledger")


def test_of_a_company_out_of_reach_there_is_nothing_to_choose_from(system: TwentyFourSevenOffice) -> None:
    setup = system.setup("4711")
    assert str(seed.SHOP) in {choice.key for choice in setup.companies}
    assert not setup.accounts


def test_a_company_out_of_reach_is_gone(system: TwentyFourSevenOffice) -> None:
    with pytest.raises(ErpRefused) as caught:
        system.plan_reading(BY_ID["accounts"], FoundCompany("4711", "?"), DateRange(), 1000)
    assert caught.value.code == "company_gone"


def test_a_deployment_without_an_application_id_says_whom_to_ask(watched: Any, clock: Time) -> None:
    settings = {"sign_in": "user", "username": seed.USER}
    system = erp.open_system("24sevenoffice", settings, {"password": seed.PASSWORD}, transport=Transport(watched))
    assert isinstance(system, TwentyFourSevenOffice)
    assert failed(list(system.check())).code == "application_id_missing"


def test_one_token_serves_every_function_of_the_connection(connect: Connect, app: App) -> None:
    for _ in range(3):
        connect().setup(str(seed.SHOP))
    assert app.world.calls["token"] + app.world.calls["soap:Login"] == 1


def test_an_expired_session_is_renewed_in_the_middle_of_work(connect: Connect, app: App) -> None:
    system = connect()
    system.setup(str(seed.SHOP))
    app.world.tokens.clear()
    app.world.sessions.clear()
    system.setup(str(seed.SHOP))
    connect().setup(str(seed.SHOP))
    assert app.world.calls["token"] + app.world.calls["soap:Login"] == 2


def test_a_token_is_not_used_in_its_last_minute(organisation: TwentyFourSevenOffice, app: App, clock: Time) -> None:
    organisation.setup()
    clock.now += app.world.token_for - timedelta(seconds=30)
    organisation.setup()
    assert app.world.calls["token"] == 2


def test_a_session_of_each_company_is_its_own(user: TwentyFourSevenOffice, app: App) -> None:
    user.setup(str(seed.SHOP))
    user.setup(str(seed.CAFE))
    user.setup(str(seed.SHOP))
    assert app.world.calls["soap:Login"] == 2
    assert app.world.calls["soap:SetIdentityById"] == 0  # which would move the session under another worker's feet


def test_many_workers_at_once_make_one_token_call(connect: Connect, app: App, resources: AdapterResources) -> None:
    begin, errors = Barrier(12), []
    real = replace(resources, clock=utc_now, pause=time.sleep)

    def work() -> None:
        system = connect(resources=real)
        begin.wait()
        try:
            system.setup(str(seed.SHOP))
        except HubError as error:
            errors.append(error)

    threads = [Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert app.world.calls["token"] + app.world.calls["soap:Login"] == 1


@pytest.mark.parametrize("fault", ["timeout_after", "cut_after", "half", "error_after", "timeout_before"])
def test_a_lost_answer_to_signing_in_loses_nothing(connect: Connect, app: App, fault: str) -> None:
    for operation in ("token", "soap:Login"):
        app.faults.add(operation, fault, times=None)
    with pytest.raises(Unavailable):
        connect().setup(str(seed.SHOP))
    app.faults.clear()
    assert connect().setup(str(seed.SHOP)).currency == "NOK"


def test_a_password_that_was_withdrawn_asks_for_a_new_one(connect: Connect, app: App) -> None:
    system = connect()
    system.setup(str(seed.SHOP))
    app.world.tokens.clear()
    app.world.sessions.clear()
    app.world.applications[seed.CLIENT_ID].secret = "another"
    app.world.users[seed.USER].password = "another"
    with pytest.raises(CredentialsRefused):
        connect().setup(str(seed.SHOP))


def test_a_blocked_identity_is_told_and_not_retried(user: TwentyFourSevenOffice, app: App) -> None:
    app.faults.add("soap:GetAccountList", "identity_blocked")
    with pytest.raises(CredentialsRefused) as caught:
        user.setup(str(seed.SHOP))
    assert caught.value.code == "identity_blocked"


def test_quarantine_stops_everybody_until_it_ends(by_user: Connect, app: App, clock: Time) -> None:
    by_user().setup(str(seed.SHOP))
    app.faults.add("soap:GetAccountList", "quarantine", seconds=600)
    with pytest.raises(Unavailable) as caught:
        by_user().setup(str(seed.SHOP))
    assert caught.value.code == "erp_busy"
    assert 590 <= float(str(caught.value.members["retry_after"])) <= 600
    made = sum(app.world.calls.values())
    with pytest.raises(Unavailable):
        by_user().setup(str(seed.SHOP))
    assert sum(app.world.calls.values()) == made
    clock.now += timedelta(seconds=601)
    by_user().setup(str(seed.SHOP))


def test_the_hours_calls_are_never_exceeded(by_user: Connect, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("erphub.erp.systems.twentyfourseven.soap.SOAP_HOURLY", 5)
    with pytest.raises(Unavailable) as caught:
        by_user().setup(str(seed.SHOP))
    assert caught.value.code == "erp_busy"
    assert sum(app.world.calls.values()) == 5


@pytest.mark.parametrize("fault", ["error_before", "timeout_before", "cut_before", "half", "timeout_after"])
def test_reading_is_patient(connect: Connect, app: App, fault: str) -> None:
    app.faults.add("rest:GET /accounts", fault, times=2)
    app.faults.add("soap:GetAccountList", fault, times=2)
    assert connect().setup(str(seed.SHOP)).accounts


def test_reading_gives_up_after_three_attempts(connect: Connect, app: App) -> None:
    app.faults.add("rest:GET /accounts", "error_before", times=None)
    app.faults.add("soap:GetAccountList", "error_before", times=None)
    with pytest.raises(Unavailable):
        connect().setup(str(seed.SHOP))
    assert app.world.calls["rest:GET /accounts"] + app.world.calls["soap:GetAccountList"] == 3


def test_a_session_that_ends_at_once_again_and_again_is_not_a_wrong_password(connect: Connect, app: App) -> None:
    for operation in ("rest:GET /accounts", "soap:GetAccountList"):
        app.faults.add(operation, "session_expired", times=None)
    with pytest.raises(Unavailable) as caught:
        connect().setup(str(seed.SHOP))
    assert caught.value.code == "session_not_held"
