"""Settings are looked up in the ERP as a whole, and everything that is wrong is said at once."""

from typing import Any

import pytest

from erphub.connections.models import ConnectionStatus
from erphub.erp.documents import Customer, DocumentKind, Product
from erphub.platform.errors import Conflict, ErpRefused, Invalid, NotFound
from erphub.sync.locations.models import Accounts
from erphub.sync.settings.models import SyncInput, SyncSettings, TransferHistory
from erphub.sync.transfers.schemas import NewTransfer
from tests.support.sync import CLIENT, CONNECTION, SETTINGS, SyncHub


def wrong(hub: SyncHub, **changes: Any) -> set[tuple[str, str]]:
    wanted = SyncInput.model_validate(SETTINGS | changes)
    errors, _ = hub.settings_service.check(CLIENT, CONNECTION, wanted)
    return {(error.pointer, error.code) for error in errors}


def test_good_settings_have_nothing_wrong(hub: SyncHub) -> None:
    assert wrong(hub) == set()


def test_everything_that_is_wrong_is_said_at_once(hub: SyncHub) -> None:
    accounts = {"sales": {"25": "3999", "12": "3000"}, "payment_means": {"cash": "1111"}}
    assert wrong(
        hub,
        department="99",
        voucher_type="8",
        stock_change=True,
        accounts=accounts,
        time_zone="Europe/Atlantis",
    ) == {
        ("/department", "department_unknown"),
        ("/voucher_type", "voucher_type_unknown"),
        ("/accounts/stock_change", "account_required"),
        ("/accounts/inventory", "account_required"),
        ("/accounts/sales/12", "vat_rate_unknown"),
        ("/accounts/sales/25", "account_without_sales_type"),
        ("/accounts/payment_means/cash", "account_missing"),
        ("/time_zone", "time_zone_unknown"),
    }


def test_settlements_are_not_sent_where_the_connection_cannot_put_them(hub: SyncHub) -> None:
    hub.erp.targets = ("ledger",)
    assert wrong(hub, settlement_target="inbox") == {("/settlement_target", "import_type_not_supported")}
    assert wrong(hub, settlement_target="inbox", z_report=False) == set(), "nothing goes there"
    assert wrong(hub, settlement_target="ledger") == set()


@pytest.mark.parametrize(("company", "code"), [("", "company_required"), ("7", "company_unknown")])
def test_without_its_company_nothing_is_said_of_accounts_that_nobody_could_look_up(
    hub: SyncHub, company: str, code: str
) -> None:
    hub.forget()

    def cannot(*_: object) -> None:
        raise ErpRefused("Which company?", code="company_must_be_chosen")

    hub.erp.find = cannot  # pyright: ignore[reportAttributeAccessIssue]
    accounts = SETTINGS["accounts"] | {"payment_means": {"cash": "1900", "gift_card_sold": "2900"}}
    assert wrong(hub, company=company, accounts=accounts, product_direction="off", stock_quantities=True) == {
        ("/company", code),
        ("/stock_quantities", "needs_products"),
    }


def test_the_only_company_need_not_be_named_and_is_written_down(hub: SyncHub) -> None:
    hub.forget()
    hub.erp.companies = {"2": "Kystkaffe"}
    assert hub.save(company="").settings.company == "2"
    hub.settlement(1)
    hub.transfer()
    assert hub.erp.records["1"].company == "2"
    assert hub.save(company="").settings.company == "2"


@pytest.mark.parametrize("fault", ["ok", "lost_after", "die_after"])
def test_the_company_stays_once_it_may_have_something(hub: SyncHub, fault: str) -> None:
    """A number there means somebody else in another company."""
    hub.submit("customer", "K1", name="Fjell")
    hub.erp.faults = [fault]
    hub.transfer()
    with pytest.raises(Invalid) as caught:
        hub.save(company="2")
    assert [(error.pointer, error.code) for error in caught.value.errors] == [("/company", "company_fixed")]
    assert hub.sync().settings.company == "1"


def test_the_company_stays_while_a_correction_waits(hub: SyncHub) -> None:
    hub.submit("customer", "K1", name="Fjell")
    hub.transfer()
    hub.syncs.save(hub.sync().model_copy(update={"history": TransferHistory(), "cursors": {}}))
    hub.submit("customer", "K1", name="Fjell og Kyst")
    assert wrong(hub, company="2") == {("/company", "company_fixed")}


def test_the_company_stays_once_its_changes_were_offered(hub: SyncHub) -> None:
    hub.save(customer_direction="erp")
    hub.erp.create(Customer(name="Fjell"))
    hub.transfer()
    assert wrong(hub, company="2") == {("/company", "company_fixed")}


def test_a_company_that_took_nothing_can_be_changed(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.erp.faults = ["refuse"]
    hub.transfer()
    hub.save(company="2")
    hub.exports.retry(CLIENT, CONNECTION, hub.entry(DocumentKind.SETTLEMENT, "Z1").id)
    hub.transfer()
    assert hub.erp.records["1"].company == "2"


def test_another_company_behind_the_same_connection_is_not_taken_for_the_first(hub: SyncHub) -> None:
    """The connection was edited and signs in elsewhere; the company that was written down is not reached."""
    hub.erp.companies = {"1": "Fjellbutikken"}
    hub.save(company="")
    hub.submit("customer", "K1", name="Fjell")
    hub.transfer()
    hub.erp.companies = {"2": "Kystkaffe"}
    assert wrong(hub, company="") == {("/company", "company_fixed")}


def test_straight_to_the_ledger_asks_twice_but_only_when_it_is_new(hub: SyncHub) -> None:
    assert wrong(hub, confirm_ledger=False) == set(), "it was confirmed when it was saved"
    hub.forget()
    assert wrong(hub, confirm_ledger=False) == {("/confirm_ledger", "confirm_ledger")}
    assert wrong(hub, confirm_ledger=False, settlement_target="inbox") == set()
    assert wrong(hub, confirm_ledger=False, z_report=False) == set(), "it matters for Z-reports only"


def test_stock_change_needs_the_z_report(hub: SyncHub) -> None:
    assert wrong(hub, z_report=False, stock_change=True) == {("/stock_change", "needs_z_report")}
    assert wrong(hub, product_direction="off", stock_quantities=True) == {("/stock_quantities", "needs_products")}


def test_gift_cards_with_invoicing_need_their_product(hub: SyncHub) -> None:
    accounts = SETTINGS["accounts"] | {"payment_means": {"cash": "1900", "gift_card_sold": "2900"}}
    assert wrong(hub, accounts=accounts) == {("/invoice_mode", "gift_card_product_missing")}
    assert wrong(hub, accounts=accounts, invoice_mode="off") == set()
    hub.erp.create(Product(number="GIFTCARD", name="Gavekort", price="0"))
    assert wrong(hub, accounts=accounts) == set()


def test_without_z_reports_no_accounts_are_asked_for(hub: SyncHub) -> None:
    assert wrong(hub, z_report=False, voucher_type="", accounts={}) == set()


def test_a_test_saves_nothing(hub: SyncHub) -> None:
    before = hub.sync()
    wrong(hub, company="")
    assert hub.sync() == before


def test_wrong_settings_are_not_saved(hub: SyncHub) -> None:
    with pytest.raises(Invalid) as caught:
        hub.save(company="")
    assert [error.code for error in caught.value.errors] == ["company_required"]
    assert hub.sync().settings.company == "1"


def test_settings_that_somebody_else_changed_are_not_overwritten(hub: SyncHub) -> None:
    hub.save(version=1, is_automatic=False)
    with pytest.raises(Conflict):
        hub.save(version=1, is_automatic=True)


def test_a_transfer_does_not_make_settings_stale(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.transfer()
    assert hub.save(version=1).version == 2


def test_there_is_no_sync_before_settings_are_saved(hub: SyncHub) -> None:
    hub.forget()
    with pytest.raises(NotFound) as caught:
        hub.sync()
    assert caught.value.code == "sync_not_set_up"


def test_no_sync_of_a_connection_that_is_not_there(hub: SyncHub) -> None:
    hub.connections.connection = None
    with pytest.raises(NotFound):
        hub.save()


def test_a_paused_connection_sends_nothing(hub: SyncHub) -> None:
    connection = hub.connections.connection
    assert connection is not None
    hub.settlement(1)
    started = hub.transfer_service.start(CLIENT, CONNECTION, "ada", NewTransfer())
    hub.connections.connection = connection.model_copy(update={"status": ConnectionStatus.PAUSED})
    hub.work()
    transfer = hub.reread(started)
    assert (transfer.status, transfer.problem["code"]) == ("failed", "connection_paused")
    assert not hub.erp.records


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [("paused", "connection_paused", "paused"), ("reauth_required", "reauth_required", "credentials")],
)
def test_what_is_stopped_looks_stopped_and_starts_nothing_by_hand(
    hub: SyncHub, status: str, code: str, words: str
) -> None:
    hub.settlement(1)
    assert hub.connections.connection is not None
    assert hub.settings_service.next_transfer(hub.sync())[0] is not None
    hub.connections.connection = hub.connections.connection.model_copy(update={"status": ConnectionStatus(status)})
    for wanted in ({}, {"dry_run": True}, {"kind": "settlement"}):
        with pytest.raises(Conflict) as caught:
            hub.transfer(**wanted)
        assert caught.value.code == code
    at, reason = hub.settings_service.next_transfer(hub.sync())
    assert at is None
    assert words in reason


def test_a_transfer_of_a_kind_that_is_off_is_refused(hub: SyncHub) -> None:
    hub.save(customer_direction="off")
    with pytest.raises(Conflict) as caught:
        hub.transfer(kind="customer")
    assert caught.value.code == "kind_switched_off"


def test_two_transfers_at_once_are_one(hub: SyncHub) -> None:
    hub.settlement(1)
    first = hub.transfer_service.start(CLIENT, CONNECTION, "ada", NewTransfer())
    with pytest.raises(Conflict) as caught:
        hub.transfer_service.start(CLIENT, CONNECTION, "bo", NewTransfer())
    assert caught.value.members["transfer_id"] == first.id


@pytest.mark.parametrize("rate", ["25.0", "025", "100.5", "-1", "abc", "25,0"])
def test_a_vat_rate_has_one_spelling(rate: str) -> None:
    with pytest.raises(ValueError, match="sales"):
        Accounts.model_validate({"sales": {rate: "3000"}})


@pytest.mark.parametrize("rate", ["0", "6", "11.11", "12", "15", "25", "0.5", "100"])
def test_real_vat_rates_are_accepted(rate: str) -> None:
    assert Accounts.model_validate({"sales": {rate: "3000"}}).sales == {rate: "3000"}


def test_routing_is_plain_data() -> None:
    routing = SyncSettings.model_validate(
        {name: value for name, value in SETTINGS.items() if name != "confirm_ledger"}
    ).routing()
    assert routing["payment_accounts"]["cash"] == "1900"
    assert {type(value) for value in routing.values()} == {str, dict, bool}


@pytest.mark.parametrize(
    ("chosen", "code"),
    [("", "voucher_type_required"), ("-1", "voucher_type_reserved"), ("99", "voucher_type_unknown")],
)
def test_a_voucher_type_must_be_there_and_not_be_one_of_the_erps_own(hub: SyncHub, chosen: str, code: str) -> None:
    assert wrong(hub, voucher_type=chosen) == {("/voucher_type", code)}
