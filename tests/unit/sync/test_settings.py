"""Settings are looked up in the ERP as a whole, and everything that is wrong is said at once."""

from typing import Any

import pytest

from erphub.connections.models import ConnectionStatus
from erphub.erp.documents import Customer, DocumentKind, Product
from erphub.platform.errors import Conflict, ErpRefused, Invalid, NotFound
from erphub.sync.settings.models import Accounts, SyncInput, SyncSettings, TransferHistory

from .conftest import CLIENT, CONNECTION, SETTINGS, World


def wrong(world: World, **changes: Any) -> set[tuple[str, str]]:
    wanted = SyncInput.model_validate(SETTINGS | changes)
    errors, _ = world.desk.check(CLIENT, CONNECTION, wanted)
    return {(error.pointer, error.code) for error in errors}


def test_good_settings_have_nothing_wrong(world: World) -> None:
    assert wrong(world) == set()


def test_everything_that_is_wrong_is_said_at_once(world: World) -> None:
    accounts = {"sales": {"25": "3999", "12": "3000"}, "means": {"cash": "1111"}}
    assert wrong(
        world,
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
        ("/accounts/means/cash", "account_missing"),
        ("/time_zone", "time_zone_unknown"),
    }


def test_settlements_are_not_sent_where_the_connection_cannot_put_them(world: World) -> None:
    world.erp.targets = ("ledger",)
    assert wrong(world, import_type="inbox") == {("/import_type", "import_type_not_supported")}
    assert wrong(world, import_type="inbox", z_report=False) == set(), "nothing goes there"
    assert wrong(world, import_type="ledger") == set()


@pytest.mark.parametrize(("company", "code"), [("", "company_required"), ("7", "company_unknown")])
def test_without_its_company_nothing_is_said_of_accounts_that_nobody_could_look_up(
    world: World, company: str, code: str
) -> None:
    world.forget()

    def cannot(*_: object) -> None:
        raise ErpRefused("Which company?", code="company_must_be_chosen")

    world.erp.find = cannot  # pyright: ignore[reportAttributeAccessIssue]
    accounts = SETTINGS["accounts"] | {"means": {"cash": "1900", "gift_card_sold": "2900"}}
    assert wrong(world, company=company, accounts=accounts, products="off", stock_quantities=True) == {
        ("/company", code),
        ("/stock_quantities", "needs_products"),
    }


def test_the_only_company_need_not_be_named_and_is_written_down(world: World) -> None:
    world.forget()
    world.erp.companies = {"2": "Kystkaffe"}
    assert world.save(company="").settings.company == "2"
    world.settlement(1)
    world.transfer()
    assert world.erp.records["1"].company == "2"
    assert world.save(company="").settings.company == "2"


@pytest.mark.parametrize("fault", ["ok", "lost_after", "die_after"])
def test_the_company_stays_once_it_may_have_something(world: World, fault: str) -> None:
    """A number there means somebody else in another company."""
    world.hand_in("customer", "K1", name="Fjell")
    world.erp.faults = [fault]
    world.transfer()
    with pytest.raises(Invalid) as caught:
        world.save(company="2")
    assert [(error.pointer, error.code) for error in caught.value.errors] == [("/company", "company_fixed")]
    assert world.sync().settings.company == "1"


def test_the_company_stays_while_a_correction_waits(world: World) -> None:
    world.hand_in("customer", "K1", name="Fjell")
    world.transfer()
    world.syncs.put(world.sync().model_copy(update={"rhythm": TransferHistory(), "cursors": {}}))
    world.hand_in("customer", "K1", name="Fjell og Kyst")
    assert wrong(world, company="2") == {("/company", "company_fixed")}


def test_the_company_stays_once_its_changes_were_offered(world: World) -> None:
    world.save(customers="erp")
    world.erp.create(Customer(name="Fjell"))
    world.transfer()
    assert wrong(world, company="2") == {("/company", "company_fixed")}


def test_a_company_that_took_nothing_can_be_changed(world: World) -> None:
    world.settlement(1)
    world.erp.faults = ["refuse"]
    world.transfer()
    world.save(company="2")
    world.exports.retry(CLIENT, CONNECTION, world.entry(DocumentKind.SETTLEMENT, "Z1").id)
    world.transfer()
    assert world.erp.records["1"].company == "2"


def test_another_company_behind_the_same_connection_is_not_taken_for_the_first(world: World) -> None:
    """The connection was edited and signs in elsewhere; the company that was written down is not reached."""
    world.erp.companies = {"1": "Fjellbutikken"}
    world.save(company="")
    world.hand_in("customer", "K1", name="Fjell")
    world.transfer()
    world.erp.companies = {"2": "Kystkaffe"}
    assert wrong(world, company="") == {("/company", "company_fixed")}


def test_straight_to_the_ledger_asks_twice_but_only_when_it_is_new(world: World) -> None:
    assert wrong(world, confirm_ledger=False) == set(), "it was confirmed when it was saved"
    world.forget()
    assert wrong(world, confirm_ledger=False) == {("/confirm_ledger", "confirm_ledger")}
    assert wrong(world, confirm_ledger=False, import_type="inbox") == set()
    assert wrong(world, confirm_ledger=False, z_report=False) == set(), "it matters for Z-reports only"


def test_stock_change_needs_the_z_report(world: World) -> None:
    assert wrong(world, z_report=False, stock_change=True) == {("/stock_change", "needs_z_report")}
    assert wrong(world, products="off", stock_quantities=True) == {("/stock_quantities", "needs_products")}


def test_gift_cards_with_invoicing_need_their_product(world: World) -> None:
    accounts = SETTINGS["accounts"] | {"means": {"cash": "1900", "gift_card_sold": "2900"}}
    assert wrong(world, accounts=accounts) == {("/invoices", "gift_card_product_missing")}
    assert wrong(world, accounts=accounts, invoices="off") == set()
    world.erp.create(Product(number="GIFTCARD", name="Gavekort", price="0"))
    assert wrong(world, accounts=accounts) == set()


def test_without_z_reports_no_accounts_are_asked_for(world: World) -> None:
    assert wrong(world, z_report=False, voucher_type="", accounts={}) == set()


def test_a_test_saves_nothing(world: World) -> None:
    before = world.sync()
    wrong(world, company="")
    assert world.sync() == before


def test_wrong_settings_are_not_saved(world: World) -> None:
    with pytest.raises(Invalid) as caught:
        world.save(company="")
    assert [error.code for error in caught.value.errors] == ["company_required"]
    assert world.sync().settings.company == "1"


def test_settings_that_somebody_else_changed_are_not_overwritten(world: World) -> None:
    world.save(version=1, automatic=False)
    with pytest.raises(Conflict):
        world.save(version=1, automatic=True)


def test_a_transfer_does_not_make_settings_stale(world: World) -> None:
    world.settlement(1)
    world.transfer()
    assert world.save(version=1).version == 2


def test_there_is_no_sync_before_settings_are_saved(world: World) -> None:
    world.forget()
    with pytest.raises(NotFound) as caught:
        world.sync()
    assert caught.value.code == "sync_not_set_up"


def test_no_sync_of_a_connection_that_is_not_there(world: World) -> None:
    world.connections.connection = None
    with pytest.raises(NotFound):
        world.save()


def test_a_paused_connection_sends_nothing(world: World) -> None:
    connection = world.connections.connection
    assert connection is not None
    world.connections.connection = connection.model_copy(update={"status": ConnectionStatus.PAUSED})
    world.settlement(1)
    transfer = world.transfer()
    assert (transfer.state, transfer.problem["code"]) == ("failed", "connection_paused")
    assert not world.erp.records


def test_a_transfer_of_a_kind_that_is_off_is_refused(world: World) -> None:
    world.save(customers="off")
    with pytest.raises(Conflict) as caught:
        world.transfer(kind="customer")
    assert caught.value.code == "kind_switched_off"


def test_two_transfers_at_once_are_one(world: World) -> None:
    world.settlement(1)
    from erphub.sync.transfers.schemas import NewTransfer

    first = world.desk.transfer(CLIENT, CONNECTION, "ada", NewTransfer())
    with pytest.raises(Conflict) as caught:
        world.desk.transfer(CLIENT, CONNECTION, "bo", NewTransfer())
    assert caught.value.facts["transfer"] == first.id


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
    assert routing["means_accounts"]["cash"] == "1900"
    assert {type(value) for value in routing.values()} == {str, dict, bool}
