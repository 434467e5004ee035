"""Which rates of VAT a document may name on its day: those that an account is chosen for, as long as they are valid.

From when to when a rate is valid the ERP would have to say; 24SevenOffice does not (`TaxCodeElement` of its
accountService has number, name, rate and account; `/taxes` the same). So the settings say it (`vat_periods`), and for
amounts in Norwegian kroner where they do not, the table below (an invoice names no currency, so only the settings judge
it). A rate in neither is taken on any day.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from erphub.erp.documents import Document, Invoice, Settlement
from erphub.platform.errors import FieldError, Unavailable
from erphub.sync import problems
from erphub.sync.canonical import shop_words
from erphub.sync.locations.models import rate_key
from erphub.sync.settings.located import settings_of
from erphub.sync.settings.models import Sync, VatPeriod


def _period(rate: str, first: str, last: str = "") -> VatPeriod:
    return VatPeriod(rate=rate, from_date=date.fromisoformat(first), to_date=date.fromisoformat(last) if last else None)


NORWAY: Sequence[VatPeriod] = (
    _period("25", "2005-01-01"),
    _period("24", "2001-01-01", "2004-12-31"),
    _period("15", "2012-01-01"),
    _period("14", "2007-01-01", "2011-12-31"),
    _period("13", "2006-01-01", "2006-12-31"),
    _period("12", "2001-07-01", "2004-12-31"),
    _period("12", "2018-01-01", "2020-03-31"),
    _period("12", "2021-10-01"),
    _period("10", "2016-01-01", "2017-12-31"),
    _period("8", "2006-01-01", "2015-12-31"),
    _period("6", "2004-03-01", "2004-12-31"),
    _period("6", "2020-04-01", "2021-09-30"),
)
"""Norway's rates since 2001 as the Storting set them year by year: the general one, food's, and the low one (passenger
transport, cinemas, hotels), which was 6 % from April 2020 to September 2021. What is not in here is not judged: 0 %,
the 11.11 % of raw fish, the 7 and 11 % of 2005."""


def wrong_rates(document: Document, sync: Sync) -> Iterator[FieldError]:
    """Each line whose rate nobody chose an account for, or that was no rate on the document's day.

    What is taken back may have been sold at a rate that has ended since.
    """
    for pointer, rate, taken_back in _lines(document):
        if isinstance(document, Settlement) and not _has_account(rate, document, sync):
            yield problems.RATE_WITHOUT_ACCOUNT(pointer, rate=rate, day=document.date)
        elif periods := _periods(rate, getattr(document, "currency", ""), sync):
            day: date = getattr(document, "date", date.min)
            began = any(one.from_date is None or one.from_date <= day for one in periods)
            if not (any(one.holds(day) for one in periods) or (taken_back and began)):
                yield problems.RATE_NOT_VALID(
                    pointer, rate=rate, day=day, periods=" and ".join(one.words() for one in periods)
                )


def _lines(document: Document) -> Iterator[tuple[str, str, bool]]:
    """Where a rate stands, the rate, and whether the line takes something back."""
    if isinstance(document, Settlement):
        for number, line in enumerate(document.sales):
            if line.amount or line.vat:
                yield f"/sales/{number}/vat_rate", rate_key(line.vat_rate), line.amount < 0
    if isinstance(document, Invoice):
        for number, line in enumerate(document.lines):
            yield f"/lines/{number}/vat_rate", rate_key(line.vat_rate), line.quantity * line.unit_price < Decimal(0)


def _has_account(rate: str, settlement: Settlement, sync: Sync) -> bool:
    """Whether the settings of its location have an account for a rate; of no known location, any of them. Where none is
    chosen at all, settlements are not sent."""
    try:
        chosen: Mapping[str, str] = settings_of(sync, settlement.kind, *shop_words(settlement)).accounts.sales
    except Unavailable:
        every = (sync.settings.accounts, *(one.accounts for one in sync.settings.locations if one.accounts))
        chosen = {known: account for accounts in every for known, account in accounts.sales.items()}
    return rate in chosen or not chosen


def _periods(rate: str, currency: str, sync: Sync) -> Sequence[VatPeriod]:
    own = [one for one in sync.settings.vat_periods if one.rate == rate]
    return own or [one for one in NORWAY if one.rate == rate and currency == "NOK"]
