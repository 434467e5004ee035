"""What became of settlements in the inbox: in the ledger, still a draft journal, or thrown away.

Drafts cannot be read. What was approved is in the ledger: its lines carry the key in their text, or the stamp number of
its pages where somebody wrote another text; they are met in what changed there. What was not approved is told by the
pages beside the journal: the ERP says whether a draft still names them. A draft without pages waits for its lines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from erphub.erp.approvals import Approval, AwaitedVoucher, Edit, Verdict
from erphub.erp.systems.twentyfourseven.edits import HandedOver, LedgerLine, edits
from erphub.erp.systems.twentyfourseven.endpoints import TRANSACTION
from erphub.erp.systems.twentyfourseven.rest import parse_instant
from erphub.erp.systems.twentyfourseven.rest_vouchers import comment
from erphub.erp.systems.twentyfourseven.settlement import lines
from erphub.erp.systems.twentyfourseven.soap_images import PagePlace, SoapImages
from erphub.erp.systems.twentyfourseven.soap_vouchers import SoapBooks, stamp_of
from erphub.erp.systems.twentyfourseven.xml import NIL, Node, amount, day, text, whole
from erphub.platform.clock import Clock
from erphub.platform.errors import ErpRefused

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.xml import Element

_WEEK = timedelta(days=7)
_ALWAYS = (date(1900, 1, 1), date(2200, 1, 1))
_UNKNOWN_INSTANT = datetime(1, 1, 1, tzinfo=UTC)


class SoapInbox:
    """The inbox of one company."""

    def __init__(self, books: SoapBooks, images: SoapImages, clock: Clock) -> None:
        self._books = books
        self._images = images
        self._clock = clock

    def approvals(self, awaited: Sequence[AwaitedVoucher], since: datetime) -> Mapping[str, Approval]:
        """What became of the vouchers, by their keys; those that wait are left out. Raises ErpRefused, Unavailable."""
        stamps = {one.posting.key: stamp for one in awaited if (stamp := stamp_of(one.reference)) is not None}
        # Where the pages are is asked first: what is approved in between is then met in the ledger.
        places = self._images.places(sorted(set(stamps.values())))
        found = _first_lines(awaited, stamps, self._changed_since(since))
        for one in awaited:
            if one.posting.key not in found and places.get(stamps.get(one.posting.key, 0)) is PagePlace.LEDGER:
                # It is in the ledger and not among what changed there: it was approved before that.
                age = one.handed_over_at - timedelta(days=1)
                found |= _first_lines([one], stamps, self._lines("EntryDate", *_ALWAYS, registered_after=age))
        gone = {key for key, stamp in stamps.items() if places.get(stamp) is PagePlace.NOWHERE}
        approved = {
            one.posting.key: self._approval(one, line)
            for one in awaited
            if (line := found.get(one.posting.key)) is not None
        }
        return {key: Approval(Verdict.DISCARDED) for key in gone - approved.keys()} | approved

    def _changed_since(self, since: datetime) -> Iterator["Element"]:
        # Made and changed are asked for apart, as nothing says that what is new counts as changed; and week by week, as
        # there are no pages.
        at, now = since, self._clock() + timedelta(days=1)
        while at < now:
            until = min(at + _WEEK, now)
            yield from self._lines("DateChangedUTC", at, until)
            at = until
        yield from self._lines("EntryDate", *_ALWAYS, registered_after=since)

    def _lines(
        self,
        by: str,
        start: date,
        end: date,
        *,
        number: int | None = None,
        kind: int | None = None,
        registered_after: datetime | None = None,
    ) -> list["Element"]:
        search: Node = (
            ("DateSearchParameters", by),
            ("DateStart", start),
            ("DateEnd", end),
            ("TransactionNoStart", number),
            ("TransactionNoEnd", number),
            ("TransactionTypeId", kind),
            ("SystemType", NIL),
            ("RegisteredAfter", registered_after),
            ("HasInvoiceId", NIL),
        )
        return self._books.list(TRANSACTION, "GetTransactions", "Transaction", (("searchParams", search),))

    def _approval(self, one: AwaitedVoucher, line: "Element") -> Approval:
        """The whole voucher that a line of the ledger is of, compared with what was handed over."""
        number, kind = whole(line, "TransactionNo"), whole(line, "TransactionTypeId")
        year = (day(line, "Date") or one.settlement.date).year
        first, last = date(year, 1, 1), datetime.combine(date(year, 12, 31), time(23, 59, 59))
        voucher = self._lines("EntryDate", first, last, number=number, kind=kind) or [line]
        return Approval(Verdict.APPROVED, str(number), tuple(self._edits(one, voucher)))

    def _edits(self, one: AwaitedVoucher, voucher: Sequence["Element"]) -> Iterator[Edit]:
        routing = one.posting.routing
        chosen, kind = (
            str(routing.get("voucher_type") or ""),
            self._books.number_of(text(voucher[0], "TransactionTypeId")),
        )
        if chosen != kind:
            yield Edit("voucher_type", chosen, kind)
        try:
            handed_over = lines(one.settlement, routing, lambda: self._books.chart)
        except ErpRefused as error:
            yield Edit("not_compared", error.detail, "")
            return
        texts = [(line, comment(one.settlement, one.posting.key, line.text)) for line in handed_over]
        sent = HandedOver(one.settlement.date, str(routing.get("department") or ""), texts)
        yield from edits(sent, [_ledger_line(entry) for entry in voucher], self._books.vat_accounts)


def _first_lines(
    awaited: Sequence[AwaitedVoucher], stamps: Mapping[str, int], found: Iterable["Element"]
) -> dict[str, "Element"]:
    """By key, a line of the voucher that carries it or its stamp; of several vouchers the one that came first, for the
    next may be its correction."""
    by_stamp = {stamp: key for key, stamp in stamps.items()}
    keys = [one.posting.key for one in awaited]
    first: dict[str, Element] = {}
    for line in found:
        words, stamp = text(line, "Comment") or "", whole(line, "StampNo")
        carried = {key for key in keys if key in words}
        if stamp is not None and stamp in by_stamp:
            carried.add(by_stamp[stamp])
        for key in carried:
            if key not in first or _age(line) < _age(first[key]):
                first[key] = line
    return first


def _age(line: "Element") -> tuple[datetime, int]:
    return parse_instant(text(line, "RegistrationDate")) or _UNKNOWN_INSTANT, whole(line, "TransactionNo") or 0


def _ledger_line(line: "Element") -> LedgerLine:
    departments = [
        text(one, "Value") or ""
        for one in line.iterfind("{*}Dimensions/{*}Dimension")
        if text(one, "Type") == "Department"
    ]
    return LedgerLine(
        text(line, "AccountNo") or "",
        amount(line, "Amount") or Decimal(0),
        day(line, "Date"),
        next(iter(departments), ""),
        text(line, "Comment") or "",
    )
