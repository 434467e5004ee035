"""What is wrong with the settings of a sync, looked up in the ERP and said all at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from erphub.erp.documents import PaymentMeans
from erphub.erp.posting import Choice, Setup
from erphub.platform.errors import FieldError
from erphub.sync.locations.models import locations_of, rate_key
from erphub.sync.settings.models import InvoiceMode, SettlementTarget, SyncDirection, SyncSettings

GIFT_CARD = "GIFTCARD"
"""The product number under which gift cards are invoiced."""


def wrong_settings(
    settings: SyncSettings, setup: Setup, has_product: Callable[[str], bool], *, ledger_confirmed: bool
) -> list[FieldError]:
    """Everything that is wrong. `has_product` looks a number up in the ERP; it is asked only when it matters.

    Of a company that is not chosen, or out of reach, nobody can tell what it has: then that is all that is said of it.
    """
    company = list(_choice("company", "company", settings.company, setup.companies))
    if company:
        return [*company, *_target(settings, setup), *_switches(settings, ledger_confirmed), *_time_zone(settings)]
    return [
        *_choices(settings, setup),
        *_target(settings, setup),
        *_switches(settings, ledger_confirmed),
        *_accounts(settings, setup),
        *_gift_cards(settings, has_product),
        *_time_zone(settings),
    ]


def with_the_only_company(settings: SyncSettings, setup: Setup) -> SyncSettings:
    """The settings with the company named that the login reaches, when it reaches only one and none was chosen.

    Written down, it is the company they were made for, wherever the connection signs in later.
    """
    if settings.company or len(setup.companies) != 1:
        return settings
    return settings.model_copy(update={"company": setup.companies[0].key})


def company_fixed(company: str) -> FieldError:
    """What is said when another company is chosen than the one that has documents already."""
    return FieldError(
        "/company",
        "company_fixed",
        f"Company {company} has documents of this sync already, and their numbers mean something else in another"
        " company. Choose it again. A shop of another company is a location of these settings, with its company; a"
        " till that names neither shop nor register gets a connection of its own, which chooses the other company by"
        " name.",
    )


def shop_fixed(company: str, settings: SyncSettings, department: str, till: str) -> FieldError:
    """What is said when a shop would belong to another company than the one that has its documents."""
    meant = locations_of(settings.locations, department, till)
    pointer = f"/locations/{settings.locations.index(meant[0])}/company" if meant else "/locations"
    words = " / ".join(word for word in (department, till) if word)
    return FieldError(
        pointer,
        "company_fixed",
        f"Company {company} has documents of {words or 'a till that names neither shop nor register'}. Leave it there."
        " A shop that belongs to another company from now on gets a location under a new name, which its till sends"
        " from then on.",
    )


def wrong_locations(settings: SyncSettings, setup_of: Callable[[str], Setup]) -> Iterator[FieldError]:
    """What is wrong with the locations. `setup_of` gives what a company of the ERP has to choose from."""
    for number, location in enumerate(settings.locations):
        pointer = f"/locations/{number}"
        if not location.precision:
            yield FieldError(
                pointer, "location_without_words", "Say how the till names it: its departments, its registers, or both."
            )
        for other, earlier in enumerate(settings.locations[:number]):
            if location.overlaps(earlier):
                yield FieldError(
                    pointer,
                    "location_repeated",
                    f"{location.name} is what location {other + 1} ({earlier.name}) is called as well.",
                )
        here = settings.model_copy(update=location.overrides())
        for wrong in _wrong_at(here, setup_of(here.company)):
            yield FieldError(pointer + wrong.pointer, wrong.code, wrong.detail)


def _wrong_at(here: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    """What is wrong with the settings of one location."""
    company = list(_choice("company", "company", here.company, setup.companies))
    yield from company or (
        *_choice("department", "department", here.department, setup.departments),
        *_voucher_type(here, setup),
        *_accounts(here, setup),
    )
    yield from _time_zone(here)


def _choices(settings: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    if settings.department or not settings.locations:
        yield from _choice("department", "department", settings.department, setup.departments)
    yield from _voucher_type(settings, setup)


def _voucher_type(settings: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    if not settings.z_report:
        return
    if not settings.voucher_type:
        yield FieldError("/voucher_type", "voucher_type_required", "Choose the voucher type of daily settlements.")
    elif settings.voucher_type not in {choice.key for choice in setup.voucher_types}:
        yield FieldError(
            "/voucher_type", "voucher_type_unknown", f"The ERP has no voucher type {settings.voucher_type!r}."
        )


def _target(settings: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    if settings.z_report and settings.settlement_target.value not in setup.targets:
        yield FieldError(
            "/settlement_target",
            "import_type_not_supported",
            f"Over this connection settlements can go to the {' or the '.join(setup.targets)} only. Choose that, or"
            " connect in another way.",
        )


def _choice(name: str, word: str, chosen: str, offered: Sequence[Choice]) -> Iterator[FieldError]:
    if not chosen and len(offered) > 1:
        yield FieldError(
            f"/{name}", f"{name}_required", f"The login reaches {len(offered)} of them: choose the {word}."
        )
    if chosen and chosen not in {choice.key for choice in offered}:
        yield FieldError(f"/{name}", f"{name}_unknown", f"The login reaches no {word} {chosen!r}.")


def _switches(settings: SyncSettings, ledger_confirmed: bool) -> Iterator[FieldError]:
    if settings.stock_change and not settings.z_report:
        yield FieldError("/stock_change", "needs_z_report", "Stock change is part of the Z-report: switch that on too.")
    if settings.z_report and settings.settlement_target is SettlementTarget.LEDGER and not ledger_confirmed:
        yield FieldError(
            "/confirm_ledger",
            "confirm_ledger",
            "Straight to the ledger is final: settlements cannot be edited there. Say so again with confirm_ledger.",
        )
    if settings.stock_quantities and settings.product_direction is SyncDirection.OFF:
        yield FieldError(
            "/stock_quantities", "needs_products", "Stock quantities go with products: switch those on too."
        )


def _accounts(settings: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    if not settings.z_report:
        return
    accounts = settings.accounts
    if not accounts.sales:
        yield FieldError(
            "/accounts/sales", "account_required", "Name a sales account for each VAT rate that is sold at."
        )
    if not accounts.payment_means:
        yield FieldError("/accounts/payment_means", "account_required", "Name an account for each means of payment.")
    if settings.stock_change:
        for name in ("stock_change", "inventory"):
            if getattr(accounts, name) is None:
                yield FieldError(f"/accounts/{name}", "account_required", f"Stock change needs the {name} account.")
    rates = {rate_key(code.rate) for code in setup.tax_codes}
    for rate in accounts.sales:
        if rate not in rates:
            yield FieldError(f"/accounts/sales/{rate}", "vat_rate_unknown", f"The ERP has no tax code of {rate} %.")
    known = {account.number: account for account in setup.accounts}
    for pointer, number in _named(settings):
        if number not in known:
            yield FieldError(pointer, "account_missing", f"The ERP has no account {number}.")
        elif not known[number].has_sales_type:
            yield FieldError(
                pointer,
                "account_without_sales_type",
                f"Account {number} has no sales type (type group). Set one up in the ERP's accounting settings.",
            )


def _named(settings: SyncSettings) -> Iterable[tuple[str, str]]:
    accounts = settings.accounts
    for rate, number in accounts.sales.items():
        yield f"/accounts/sales/{rate}", number
    for means, number in accounts.payment_means.items():
        yield f"/accounts/payment_means/{means.value}", number
    if settings.stock_change:
        for name in ("stock_change", "inventory"):
            if (number := getattr(accounts, name)) is not None:
                yield f"/accounts/{name}", number


def _gift_cards(settings: SyncSettings, has_product: Callable[[str], bool]) -> Iterator[FieldError]:
    sells = PaymentMeans.GIFT_CARD_SOLD in settings.accounts.payment_means
    if settings.invoice_mode is not InvoiceMode.OFF and sells and not has_product(GIFT_CARD):
        yield FieldError(
            "/invoices",
            "gift_card_product_missing",
            f"If you sell gift cards and use invoicing, you must create a product in the ERP by hand"
            f" with the product number {GIFT_CARD}.",
        )


def _time_zone(settings: SyncSettings) -> Iterator[FieldError]:
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield FieldError("/time_zone", "time_zone_unknown", f"There is no time zone {settings.time_zone!r}.")
