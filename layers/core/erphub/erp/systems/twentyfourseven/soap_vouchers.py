"""Settlements over SOAP: into the inbox as a draft to be approved, or straight to the ledger.

Numbers are read, not reserved (one writer per company). In the ledger a voucher is found by the key in its text. Drafts
cannot be read back, but the page images beside them can: they carry the key, and the ERP tells whether a journal names
them. So the images go first, and a draft that was sent with images can be told from one that never arrived.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from erphub.erp.documents import Settlement
from erphub.erp.posting import Posted, Posting, TaxCode
from erphub.erp.systems.twentyfourseven import outcomes, problems
from erphub.erp.systems.twentyfourseven.endpoints import ACCOUNT, CLIENT, TRANSACTION
from erphub.erp.systems.twentyfourseven.numbers import shown
from erphub.erp.systems.twentyfourseven.rest_vouchers import comment, voucher_type
from erphub.erp.systems.twentyfourseven.settlement import NO_TAX, Chart, lines
from erphub.erp.systems.twentyfourseven.soap import Soap
from erphub.erp.systems.twentyfourseven.soap_images import IN_JOURNAL, SoapImages
from erphub.erp.systems.twentyfourseven.xml import NIL, Node, amount, as_data, child, children, text, whole
from erphub.platform.errors import ErpRefused, Uncertain
from erphub.platform.lexical import is_digits

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.xml import Element


LEDGER, DRAFT = 0, 1
_TRIES = 3
_STAMP = "stamp"
"""The word before the number in the reference of a draft that has pages."""


def stamp_of(reference: str) -> int | None:
    """The stamp number of the pages in a draft's reference, if it has any."""
    word, _, number = reference.partition(" ")
    return int(number) if word == _STAMP and is_digits(number) else None


class SoapBooks:
    """One company's accounts, VAT codes, voucher types and departments, read once."""

    def __init__(self, soap: Soap, company: str) -> None:
        self._soap = soap
        self.company = company

    def list(self, service: Any, operation: str, item: str, body: Node = ()) -> list["Element"]:
        """A list that an operation answers with."""
        return list(children(self._soap.read(service, operation, body, self.company), item))

    @cached_property
    def accounts(self) -> Sequence["Element"]:
        """The chart of accounts, as SOAP tells it."""
        return self.list(ACCOUNT, "GetAccountList", "AccountData")

    @cached_property
    def _tax_codes(self) -> Sequence["Element"]:
        return self.list(ACCOUNT, "GetTaxCodeList", "TaxCodeElement")

    @cached_property
    def tax_codes(self) -> Sequence[TaxCode]:
        """The VAT codes."""
        return [
            TaxCode(text(one, "TaxNo") or NO_TAX, text(one, "TaxName") or "", amount(one, "TaxRate") or Decimal(0))
            for one in self._tax_codes
        ]

    @cached_property
    def chart(self) -> Chart:
        """What a settlement needs to know of it."""
        accounts = {text(one, "AccountNo") or "": text(one, "TaxNo") for one in self.accounts}
        return Chart(accounts, {code.key: code for code in self.tax_codes})

    @cached_property
    def client(self) -> "Element | None":
        """What the company says of itself."""
        return self._soap.read(CLIENT, "GetClientInformation", (), self.company)

    @cached_property
    def images(self) -> SoapImages:
        """The company's files."""
        return SoapImages(self._soap, self.company)

    @cached_property
    def currency(self) -> str:
        """The currency that the accounts are kept in."""
        return text(self.client, "DefaultCurrency") or "NOK"

    @cached_property
    def departments(self) -> Mapping[str, str]:
        """Names of the departments by their number."""
        found = self.list(CLIENT, "GetDepartmentList", "Department")
        return {text(one, "Id") or "": text(one, "Name") or "" for one in found}

    @cached_property
    def voucher_types(self) -> Mapping[str, "Element"]:
        """The voucher types by the number that vouchers name them with (`Sort`): `No`, not the `TypeNo` of old."""
        return {text(one, "No") or "": one for one in self._types if (whole(one, "No") or 0) > 0}

    @cached_property
    def reserved_voucher_types(self) -> Mapping[str, str]:
        """Titles of those that the ERP keeps for what it makes itself, by their number; none can be named."""
        return {text(one, "No") or "": text(one, "Title") or "" for one in self._types if (whole(one, "No") or 0) <= 0}

    @cached_property
    def _types(self) -> Sequence["Element"]:
        return self.list(TRANSACTION, "GetTransactionTypes", "TransactionType")

    def number_of(self, type_id: str | None) -> str:
        """The number of the voucher type with this id; empty when there is none."""
        return next((number for number, one in self.voucher_types.items() if text(one, "Id") == type_id), "")

    @cached_property
    def vat_accounts(self) -> Mapping[str, str]:
        """The accounts to which the VAT of each code is posted, as far as the ERP states them."""
        found = ((text(one, "TaxNo"), whole(one, "AccountNo")) for one in self._tax_codes)
        return {code: str(account) for code, account in found if code and account and account > 0}

    @cached_property
    def number_series(self) -> Mapping[str | None, int | None]:
        """The number series by the voucher types' ids."""
        found = self.list(ACCOUNT, "GetTypeList", "TypeData")
        return {text(one, "TypeId"): whole(one, "EntrySeriesId") for one in found}

    def series(self, number: int) -> int:
        """The number series of a voucher type. Raises ErpRefused (`voucher_type_missing`)."""
        wanted = self.voucher_types.get(str(number))
        series = None if wanted is None else self.number_series.get(text(wanted, "Id"))
        if series is None:
            raise problems.VOUCHER_TYPE_MISSING(number=number)
        return series

    def department(self, routing: Mapping[str, Any]) -> int | None:
        """The department chosen, if one is. Raises ErpRefused (`department_missing`)."""
        chosen = str(routing.get("department") or "")
        if not chosen:
            return None
        if chosen not in self.departments:
            raise problems.DEPARTMENT_MISSING(department=chosen)
        return int(chosen)


class SoapVouchers:
    """Settlements of one company."""

    def __init__(self, soap: Soap, books: SoapBooks) -> None:
        self._soap = soap
        self._books = books
        self._images = books.images

    def preview(self, settlement: Settlement, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """The number and stamp are read when it is sent."""
        body = self._bundles(settlement, posting, number=0, stamp=None)
        return [{"call": "SaveBundleList", "body": shown(as_data(body))}]

    def find(self, settlement: Settlement, posting: Posting) -> Posted | None:
        """In the ledger, and for the inbox by the images. Raises Uncertain when a draft had no images to go by."""
        posted = self._in_ledger(settlement, posting)
        if posted is not None or not _inbox(posting):
            return posted
        quiet, day = posting.quiet_since, settlement.date
        stamp = self._images.stamped(posting.key, day, states=IN_JOURNAL, quiet_since=quiet)
        if stamp is not None:
            return _draft(stamp)
        if posting.resend:
            return None
        if posting.pdf is None and self._images.stamped(posting.key, day, quiet_since=quiet) is None:
            raise problems.DRAFT_NOT_READABLE(key=posting.key)
        return None

    def push(self, settlement: Settlement, posting: Posting) -> Posted:
        """Images first, then the voucher that names them. Raises ErpRefused, Unavailable, Uncertain."""
        self._bundles(settlement, posting, number=0, stamp=None)  # what cannot be posted uploads nothing
        stamp: int | None = None
        details: dict[str, Any] = {}
        if posting.pdf is not None:
            try:
                words = comment(settlement, "").strip()
                stamp = self._images.beside_journal(posting.pdf, words, posting, settlement.date)
            except ErpRefused as error:
                details["attachment_problem"] = {"code": error.code, "detail": error.detail}
        for _ in range(_TRIES):
            number = self._next_number(settlement, posting)
            body = self._bundles(settlement, posting, number=number, stamp=stamp)
            answer = self._save(body)
            kind, message = text(answer, "Type") or "", text(answer, "Description") or ""
            if kind == "Ok":
                return self._posted(posting, number, stamp, message, details)
            if kind in ("DuplicateData", "DataAlreadySaved"):
                # Either ours had arrived, or somebody else took the number between our reading and our writing.
                found = self._ours(settlement, posting)
                if found is not None:
                    return found
                if kind == "DataAlreadySaved":
                    return self._posted(posting, number, stamp, message, details)
                continue
            raise _refusal(kind, message)
        raise problems.NUMBER_TAKEN()

    def attach(self, posted: Posted, posting: Posting, pdf: bytes, since: date) -> Posted:
        """Afterwards, pages can only go to the Retrieval inbox, with the key in their text, to be added by hand.

        Those that were put there since the day are not put there again.
        """
        if posted.attached:
            return posted
        self._images.to_inbox(pdf, posted.reference, posting, since)
        message = "The pages are in the Retrieval inbox; add them to the voucher there."
        return Posted(posted.reference, message, posted.trace_id, posted.awaiting_approval, True, posted.details)

    def _ours(self, settlement: Settlement, posting: Posting) -> Posted | None:
        try:
            return self.find(settlement, replace(posting, quiet_since=None))
        except Uncertain:
            return None  # without images nothing more can be known; the answer itself decides

    def _in_ledger(self, settlement: Settlement, posting: Posting) -> Posted | None:
        search: Node = (
            ("DateSearchParameters", "EntryDate"),
            ("DateStart", settlement.date),
            ("DateEnd", datetime.combine(settlement.date, time(23, 59, 59))),
            ("SystemType", NIL),
            ("HasInvoiceId", NIL),
        )
        for line in self._books.list(TRANSACTION, "GetTransactions", "Transaction", (("searchParams", search),)):
            if posting.key in (text(line, "Comment") or ""):
                return Posted(text(line, "TransactionNo") or "", attached=whole(line, "StampNo") is not None)
        return None

    def _next_number(self, settlement: Settlement, posting: Posting) -> int:
        series = self._books.series(voucher_type(posting.routing))
        body: Node = (("argEntryId", (("Date", settlement.date), ("SortNo", series), ("EntryNo", 0))),)
        answer = self._soap.read(ACCOUNT, "GetEntryId", body, self._books.company)
        number = whole(answer, "EntryNo")
        if number is None:
            raise outcomes.unreadable(writes=False)
        return number

    def _save(self, body: Node) -> "Element | None":
        answer = self._soap.write(ACCOUNT, "SaveBundleList", (("BundleList", body),), self._books.company)
        if text(answer, "Type") == "NotAuthenticated":
            self._soap.again(self._books.company)
            answer = self._soap.write(ACCOUNT, "SaveBundleList", (("BundleList", body),), self._books.company)
        if child(answer, "Type") is None:
            raise outcomes.unreadable(writes=True)
        return answer

    def _bundles(self, settlement: Settlement, posting: Posting, *, number: int, stamp: int | None) -> Node:
        if settlement.currency != self._books.currency:
            raise problems.CURRENCY_DIFFERS(currency=settlement.currency, accounts_currency=self._books.currency)
        kind = voucher_type(posting.routing)
        department = self._books.department(posting.routing)
        entries = [
            (
                ("AccountNo", int(line.account)),
                ("Date", settlement.date),
                ("Amount", line.amount),
                ("VatAmount", line.vat if line.vat and line.tax_code != NO_TAX else None),
                ("DepartmentId", department),
                ("TaxNo", line.tax_code),
                ("Comment", comment(settlement, posting.key, line.text)),
                ("StampNo", stamp),
            )
            for line in lines(settlement, posting.routing, lambda: self._books.chart)
        ]
        voucher: Node = (("TransactionNo", number), ("Entries", (("Entry", entries),)), ("Sort", kind))
        bundle: Node = (
            ("YearId", settlement.date.year),
            ("Vouchers", (("Voucher", [voucher]),)),
            ("Sort", kind),
            ("Name", comment(settlement, posting.key)),
            ("BundleDirectAccounting", False),
        )
        return (
            ("Bundles", (("Bundle", [bundle]),)),
            ("AllowDifference", False),
            ("DirectLedger", False),
            ("SaveOption", DRAFT if _inbox(posting) else LEDGER),
        )

    @staticmethod
    def _posted(posting: Posting, number: int, stamp: int | None, message: str, details: Mapping[str, Any]) -> Posted:
        reference = str(number)
        if _inbox(posting):
            reference = f"draft {number}" if stamp is None else f"{_STAMP} {stamp}"
        return Posted(reference, message, None, _inbox(posting), stamp is not None, details)


def _inbox(posting: Posting) -> bool:
    return posting.routing.get("target") != "ledger"


def _draft(stamp: int) -> Posted:
    return Posted(f"{_STAMP} {stamp}", awaiting_approval=True, attached=True)


def _refusal(kind: str, message: str) -> Exception:
    """What an answer other than Ok means. Only a system error leaves open whether something was saved."""
    if kind == "SystemError":
        return outcomes.server_error(500, message, writes=True)
    if kind == "NotAuthenticated":
        return outcomes.signed_out_again(message)
    return outcomes.refused_for_its_period(message) or problems.VOUCHER_REFUSED(erp_message=message or kind)
