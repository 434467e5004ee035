"""The settings of a sync, and when it transfers next."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from erphub.erp.documents import DocumentKind
from erphub.platform.lexical import Day
from erphub.platform.wire import Identifier, Model
from erphub.sync.locations.models import MAX_LOCATIONS, Accounts, Choice, Department, Location, VatPeriod


class SettlementTarget(StrEnum):
    """Where settlements go: the voucher inbox (to be approved, editable) or straight to the ledger (final)."""

    INBOX = "inbox"
    LEDGER = "ledger"


class InvoiceMode(StrEnum):
    """What becomes of an invoice in the ERP."""

    OFF = "off"
    ORDER = "order"
    DRAFT = "draft"


class SyncDirection(StrEnum):
    """Whose word counts when both sides changed the same field; `off` when nothing is exchanged."""

    OFF = "off"
    TILL = "till"
    ERP = "erp"


GIFT_CARD = "GIFTCARD"
"""The product number under which gift cards are invoiced."""


class GiftCardProduct(Model):
    """The product under which gift cards are invoiced, as the ERP knows it."""

    reference: str
    is_new: bool
    """Whether it was made now."""


class SyncSettings(Model):
    """Every setting of a sync. Nothing is exchanged that is not switched on here."""

    company: Choice = ""
    department: Choice = ""
    z_report: bool = False
    stock_change: bool = False
    settlement_target: SettlementTarget = SettlementTarget.INBOX
    invoice_mode: InvoiceMode = InvoiceMode.OFF
    customer_direction: SyncDirection = SyncDirection.OFF
    product_direction: SyncDirection = SyncDirection.OFF
    stock_quantities: bool = False
    from_date: Day
    """Nothing of a day before it is ever sent."""
    is_automatic: bool = False
    voucher_type: Choice = ""
    accounts: Accounts = Accounts()
    retention_days: Annotated[int, Field(ge=30, le=3700, description="How long the export log is kept")] = 1100
    approval_reminder_days: Annotated[
        int, Field(ge=1, le=365, description="After so many days in the ERP's inbox people are told, once")
    ] = 14
    time_zone: Annotated[str, Field(max_length=50)] = "Europe/Oslo"
    vat_periods: Annotated[
        tuple[VatPeriod, ...],
        Field(max_length=100, description="When rates of VAT are valid, each in place of what the hub knows"),
    ] = ()
    locations: Annotated[tuple[Location, ...], Field(max_length=MAX_LOCATIONS)] = ()
    """The tills' shops and registers, each with the company and department it belongs to. Without any, documents that
    name no shop belong to `department`, and others to the ERP's department that they name."""

    def sends(self, kind: DocumentKind) -> bool:
        """Whether documents of the kind are sent at all."""
        match kind:
            case DocumentKind.SETTLEMENT:
                return self.z_report
            case DocumentKind.INVOICE:
                return self.invoice_mode is not InvoiceMode.OFF
            case DocumentKind.CUSTOMER | DocumentKind.PRODUCT:
                return self.master(kind) is not SyncDirection.OFF

    def master(self, kind: DocumentKind) -> SyncDirection:
        """Whose word counts for customers or products; `till` for what only the till makes."""
        if kind is DocumentKind.CUSTOMER:
            return self.customer_direction
        return self.product_direction if kind is DocumentKind.PRODUCT else SyncDirection.TILL

    @property
    def first_date(self) -> date:
        """The first day of which anything is sent, of any location."""
        return min((self.from_date, *(one.from_date for one in self.locations if one.from_date)))

    def companies(self) -> list[str]:
        """The ERP's companies that documents go to, the settings' own first."""
        return list(dict.fromkeys((self.company, *(one.company for one in self.locations if one.company))))

    def destination(self) -> dict[str, str]:
        """The part of the routing that says where in the ERP a document ends up, and so where it is looked for."""
        return {"company": self.company, "target": self.settlement_target.value}

    def routing(self) -> dict[str, Any]:
        """The settings as an ERP is told them; see `erp.posting.Posting`."""
        return self.destination() | {
            "department": self.department,
            "voucher_type": self.voucher_type,
            "sales_accounts": dict(self.accounts.sales),
            "payment_accounts": {means.value: account for means, account in self.accounts.payment_means.items()},
            "stock_change": self.stock_change,
            "stock_change_account": self.accounts.stock_change or "",
            "inventory_account": self.accounts.inventory or "",
            "invoices_as": self.invoice_mode.value,
            "stock_quantities": self.stock_quantities,
        }


class SyncInput(SyncSettings):
    """Settings as they are sent: the whole, not a part."""

    confirm_ledger: bool = False
    """Says for the second time that settlements go straight to the ledger, where they cannot be edited."""
    version: Annotated[int, Field(ge=1)] | None = None

    def settings(self) -> SyncSettings:
        """The settings alone, without what only goes with sending them."""
        return SyncSettings.model_validate({name: getattr(self, name) for name in SyncSettings.model_fields})


AUTOMATIC_IS_OFF = "Automatic transfer is switched off."
WAITS_FOR_CONNECTION = "It waits until the connection works again."
"""Reasons why there is no next transfer."""


class TransferHistory(Model):
    """What is remembered of the past to tell when the next transfer is best; see `pacing`."""

    arrivals: tuple[datetime, ...] = ()
    """When documents arrived, one instant per group of arrivals, oldest first."""
    empty_transfers: int = 0
    """Transfers in a row that found nothing."""
    failures: int = 0
    """Transfers in a row that the ERP did not answer."""
    last_at: datetime | None = None
    last_sent_at: datetime | None = None
    restored: bool = False
    """Whether the connection works again and no transfer has been tried since."""


class Sync(Model):
    """A sync as it is kept: its settings, and where it stands."""

    client_id: Identifier
    connection_id: Identifier
    settings: SyncSettings
    version: int = 1
    saved_at: datetime
    saved_by: str
    history: TransferHistory = TransferHistory()
    next_at: datetime | None = None
    next_reason: str = ""
    cursors: dict[str, datetime] = Field(default_factory=dict)
    """Up to when changes in the ERP have been fetched, by kind."""
    applied_from_date: date | None = None
    """The latest from date by which documents may have been left out for their day, since they were last let in."""
    approvals_due_at: datetime | None = None
    """When the ERP is asked next what became of vouchers in its inbox; None while none waits there."""
    approvals_read_until: datetime | None = None
    """Up to when the ERP's changes were read for approvals."""
    silence_alert_at: datetime | None = None
    """When it becomes unexpected that nothing has been sent, and people are notified; None once they were."""
    departments: tuple[Department, ...] = ()
    """The ERP's own departments in the settings' company, as they were when the ERP was asked last."""
    gaps_checked_until: date | None = None
    """Up to which day people were notified of missing Z-reports."""
    notified_codes: tuple[str, ...] = ()
    """Codes of which people were notified and whose cause has not gone since, so that each is told once."""
    rev: int = 0
    """Grows with every write, of whatever; `version` only with the settings."""

    @property
    def is_waiting_for_connection(self) -> bool:
        """Whether it waits until the connection works again: it would transfer by itself, and no time is set."""
        return self.settings.is_automatic and self.next_at is None
