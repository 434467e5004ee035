"""What is wrong with the settings of a sync, looked up in the ERP and said all at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from erphub.erp.documents import PaymentMeans
from erphub.erp.posting import Choice, Setup
from erphub.platform.errors import FieldError
from erphub.sync import problems
from erphub.sync.locations.models import locations_of, rate_key
from erphub.sync.settings.models import GIFT_CARD, InvoiceMode, SettlementTarget, SyncDirection, SyncSettings

_CHOICES = {
    "company": (problems.COMPANY_REQUIRED, problems.COMPANY_UNKNOWN),
    "department": (problems.DEPARTMENT_REQUIRED, problems.DEPARTMENT_UNKNOWN),
}
"""What is said of a choice that is needed, and of one that the ERP does not offer."""


def wrong_settings(
    settings: SyncSettings, setup: Setup, has_product: Callable[[str], bool], *, ledger_confirmed: bool
) -> list[FieldError]:
    """Everything that is wrong. `has_product` looks a number up in the ERP; it is asked only when it matters.

    Of a company that is not chosen, or out of reach, nobody can tell what it has: then that is all that is said of it.
    """
    company = list(_choice("company", settings.company, setup.companies))
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
    return problems.COMPANY_FIXED("/company", company=company)


def shop_fixed(company: str, settings: SyncSettings, department: str, till: str) -> FieldError:
    """What is said when a shop would belong to another company than the one that has its documents."""
    meant = locations_of(settings.locations, department, till)
    pointer = f"/locations/{settings.locations.index(meant[0])}/company" if meant else "/locations"
    words = " / ".join(word for word in (department, till) if word)
    return problems.SHOP_FIXED(pointer, company=company, shop=words or "a till that names neither shop nor register")


def wrong_locations(settings: SyncSettings, setup_of: Callable[[str], Setup]) -> Iterator[FieldError]:
    """What is wrong with the locations. `setup_of` gives what a company of the ERP has to choose from.

    What a location leaves as it is in the settings is wrong there, and said there once; another company is asked anew.
    """
    for number, location in enumerate(settings.locations):
        pointer = f"/locations/{number}"
        if not location.precision:
            yield problems.LOCATION_WITHOUT_WORDS(pointer)
        for other, earlier in enumerate(settings.locations[:number]):
            if location.overlaps(earlier):
                yield problems.LOCATION_REPEATED(pointer, name=location.name, number=other + 1, other_name=earlier.name)
        own = location.overrides()
        here = settings.model_copy(update=own)
        for wrong in _wrong_at(here, setup_of(here.company)):
            name = wrong.pointer.split("/")[1]
            if name in own or (here.company != settings.company and name != "time_zone"):
                yield replace(wrong, pointer=pointer + wrong.pointer)


def _wrong_at(here: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    """What is wrong with the settings of one location."""
    company = list(_choice("company", here.company, setup.companies))
    yield from company or (
        *_choice("department", here.department, setup.departments),
        *_voucher_type(here, setup),
        *_accounts(here, setup),
    )
    yield from _time_zone(here)


def _choices(settings: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    if settings.department or not settings.locations:
        yield from _choice("department", settings.department, setup.departments)
    yield from _voucher_type(settings, setup)


def _voucher_type(settings: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    if not settings.z_report:
        return
    if not settings.voucher_type:
        yield problems.VOUCHER_TYPE_REQUIRED("/voucher_type")
    elif settings.voucher_type in {choice.key for choice in setup.reserved_voucher_types}:
        yield problems.VOUCHER_TYPE_RESERVED("/voucher_type", voucher_type=settings.voucher_type)
    elif settings.voucher_type not in {choice.key for choice in setup.voucher_types}:
        yield problems.VOUCHER_TYPE_UNKNOWN("/voucher_type", voucher_type=settings.voucher_type)


def _target(settings: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    if settings.z_report and settings.settlement_target.value not in setup.targets:
        yield problems.IMPORT_TYPE_NOT_SUPPORTED("/settlement_target", targets=" or the ".join(setup.targets))


def _choice(name: str, chosen: str, offered: Sequence[Choice]) -> Iterator[FieldError]:
    required, unknown = _CHOICES[name]
    if not chosen and len(offered) > 1:
        yield required(f"/{name}", count=len(offered))
    if chosen and chosen not in {choice.key for choice in offered}:
        yield unknown(f"/{name}", chosen=chosen)


def _switches(settings: SyncSettings, ledger_confirmed: bool) -> Iterator[FieldError]:
    if settings.stock_change and not settings.z_report:
        yield problems.NEEDS_Z_REPORT("/stock_change")
    if settings.z_report and settings.settlement_target is SettlementTarget.LEDGER and not ledger_confirmed:
        yield problems.CONFIRM_LEDGER("/confirm_ledger")
    if settings.stock_quantities and settings.product_direction is SyncDirection.OFF:
        yield problems.NEEDS_PRODUCTS("/stock_quantities")


def _accounts(settings: SyncSettings, setup: Setup) -> Iterator[FieldError]:
    if not settings.z_report:
        return
    accounts = settings.accounts
    if not accounts.sales:
        yield problems.SALES_ACCOUNT_REQUIRED("/accounts/sales")
    if not accounts.payment_means:
        yield problems.PAYMENT_ACCOUNT_REQUIRED("/accounts/payment_means")
    if settings.stock_change:
        for name in ("stock_change", "inventory"):
            if getattr(accounts, name) is None:
                yield problems.STOCK_ACCOUNT_REQUIRED(f"/accounts/{name}", name=name)
    rates = {rate_key(code.rate) for code in setup.tax_codes}
    for rate in accounts.sales:
        if rate not in rates:
            yield problems.VAT_RATE_UNKNOWN(f"/accounts/sales/{rate}", rate=rate)
    known = {account.number: account for account in setup.accounts}
    for pointer, number in _named(settings):
        if number not in known:
            yield problems.ACCOUNT_MISSING(pointer, number=number)
        elif not known[number].has_sales_type:
            yield problems.ACCOUNT_WITHOUT_SALES_TYPE(pointer, number=number)


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
        yield problems.GIFT_CARD_PRODUCT_MISSING("/invoice_mode")


def _time_zone(settings: SyncSettings) -> Iterator[FieldError]:
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield problems.TIME_ZONE_UNKNOWN("/time_zone", time_zone=settings.time_zone)
