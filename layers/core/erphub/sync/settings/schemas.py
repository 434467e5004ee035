"""A sync as it is shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from erphub.erp.posting import Setup
from erphub.platform.actors import ActorView
from erphub.platform.errors import FieldError
from erphub.platform.wire import Model
from erphub.sync.locations.models import Choice
from erphub.sync.schemas import FieldErrorView
from erphub.sync.settings.models import GIFT_CARD, GiftCardProduct, Sync, SyncSettings


class SyncView(Model):
    """The settings of a sync, and where it stands."""

    settings: SyncSettings
    version: int
    saved_at: datetime
    saved_by: ActorView
    next_transfer_at: datetime | None
    next_transfer_reason: Annotated[str, Field(description="Why then, or why there is none, as a sentence")]
    running_transfer_id: str | None
    last_transfer_at: datetime | None
    last_sent_at: datetime | None

    @classmethod
    def of(
        cls,
        sync: Sync,
        next_transfer: tuple[datetime | None, str],
        running_transfer_id: str | None,
        actors: Mapping[str, ActorView],
    ) -> "SyncView":
        """The view of a sync."""
        return cls(
            settings=sync.settings,
            version=sync.version,
            saved_at=sync.saved_at,
            saved_by=actors[sync.saved_by],
            next_transfer_at=next_transfer[0],
            next_transfer_reason=next_transfer[1],
            running_transfer_id=running_transfer_id,
            last_transfer_at=sync.history.last_at,
            last_sent_at=sync.history.last_sent_at,
        )


class SetupQuery(Model):
    """Of which company of the ERP the choices are asked for."""

    company: Annotated[Choice, Field(description="A key of `companies`; left out: the settings' own")] = ""


class SetupChoice(Model):
    """Something of the ERP that a setting can name by its key."""

    key: str
    title: str


class SetupAccount(Model):
    """An account of the ERP's chart."""

    number: str
    name: str
    has_sales_type: bool


class SetupTaxCode(Model):
    """A tax code of the ERP, with its rate in per cent."""

    key: str
    title: str
    rate: str


class SetupChoices(Model):
    """What there is to choose from in the ERP."""

    companies: list[SetupChoice]
    departments: list[SetupChoice]
    voucher_types: list[SetupChoice]
    accounts: list[SetupAccount]
    tax_codes: list[SetupTaxCode]
    currency: str
    settlement_targets: list[str]

    @classmethod
    def of(cls, setup: Setup) -> "SetupChoices":
        """The view of an ERP's setup."""
        return cls(
            companies=[SetupChoice(key=one.key, title=one.title) for one in setup.companies],
            departments=[SetupChoice(key=one.key, title=one.title) for one in setup.departments],
            voucher_types=[SetupChoice(key=one.key, title=one.title) for one in setup.voucher_types],
            accounts=[
                SetupAccount(number=one.number, name=one.name, has_sales_type=one.has_sales_type)
                for one in setup.accounts
            ],
            tax_codes=[SetupTaxCode(key=one.key, title=one.title, rate=_plain(one.rate)) for one in setup.tax_codes],
            currency=setup.currency,
            settlement_targets=list(setup.targets),
        )


class GiftCardProductInput(Model):
    """In which company of the ERP the product is wanted; left out when the login reaches only one."""

    company: Choice = ""


class GiftCardProductView(Model):
    """The product under which gift cards are invoiced."""

    number: str
    reference: Annotated[str, Field(description="What the ERP calls it")]
    is_new: Annotated[bool, Field(description="Whether it was made now; one that was there is left as it is")]

    @classmethod
    def of(cls, product: GiftCardProduct) -> "GiftCardProductView":
        """The view of the product."""
        return cls(number=GIFT_CARD, reference=product.reference, is_new=product.is_new)


class SettingsCheckView(Model):
    """What a test of settings found, and what the ERP offers to choose from."""

    has_passed: bool
    errors: list[FieldErrorView]
    choices: SetupChoices

    @classmethod
    def of(cls, errors: Sequence[FieldError], setup: Setup) -> "SettingsCheckView":
        """The view of what was found."""
        shown = [FieldErrorView.of(one) for one in errors]
        return cls(has_passed=not errors, errors=shown, choices=SetupChoices.of(setup))


def _plain(rate: Decimal) -> str:
    return f"{rate:f}"
