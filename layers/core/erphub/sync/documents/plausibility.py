"""What no till can have meant: refused when it comes, with the line, before anything of it is kept."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from erphub.erp.documents import Document, Sales, Settlement
from erphub.platform.errors import FieldError, Invalid
from erphub.sync import problems
from erphub.sync.documents.vat_rates import wrong_rates
from erphub.sync.locations.models import rate_key
from erphub.sync.settings.models import Sync

_LEAST_ROUNDING = Decimal("0.10")
"""For days of a few kroner, and such on which sales and returns cancel each other."""
_ROUNDING_SHARE = Decimal("0.005")
"""Receipts round their VAT to the øre: half an øre of the VAT of a purchase of five kroner is 0.5 %."""
_AHEAD = timedelta(hours=14)
"""The day begins somewhere so long before it begins in UTC."""


def require_plausible(document: Document, now: datetime) -> None:
    """Raises Invalid: `date_in_future`; `vat_implausible` for each line whose VAT is not that of its rate.

    The VAT of a line is what its rate takes of the amount, give or take what the rounding of single receipts can come
    to: 0.5 %, at least 0.10. It has the amount's sign, and is nothing at 0 %.
    """
    day = getattr(document, "date", None)
    if day is not None and day > (now + _AHEAD).date():
        raise Invalid.of(problems.DATE_IN_FUTURE("/date", day=day))
    if isinstance(document, Settlement) and (wrong := list(_implausible_vat(document))):
        raise problems.VAT_INVALID(errors=wrong)


def require_rates(document: Document, sync: Sync) -> None:
    """Raises Invalid with each line whose rate is none that day (`vat_rate_not_valid`), or has no account
    (`vat_rate_unknown`)."""
    if wrong := list(wrong_rates(document, sync)):
        raise problems.VAT_INVALID(errors=wrong)


def _implausible_vat(settlement: Settlement) -> Iterator[FieldError]:
    for number, line in enumerate(settlement.sales):
        expected = line.amount * line.vat_rate / (100 + line.vat_rate)
        if abs(line.vat - expected) > _rounding(line, expected):
            yield problems.VAT_IMPLAUSIBLE(
                f"/sales/{number}/vat",
                vat=line.vat,
                amount=line.amount,
                rate=rate_key(line.vat_rate),
                expected=expected,
            )


def _rounding(line: Sales, expected: Decimal) -> Decimal:
    if not line.vat_rate:
        return Decimal(0)
    return max(_LEAST_ROUNDING, abs(expected) * _ROUNDING_SHARE)
