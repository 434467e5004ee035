"""Settlements over REST: posted to the ledger with their PDF, and found there again by the key in their text."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from erphub.erp.documents import Settlement
from erphub.erp.posting import Posted, Posting, TaxCode
from erphub.erp.systems.twentyfourseven import outcomes, problems
from erphub.erp.systems.twentyfourseven.numbers import number, part, shown
from erphub.erp.systems.twentyfourseven.rest import Rest
from erphub.erp.systems.twentyfourseven.settlement import NO_TAX, Chart, lines
from erphub.platform.clock import Pause
from erphub.platform.errors import ErpRefused, HubError, Unavailable
from erphub.platform.lexical import is_digits

PAGE = 1000
DEPARTMENT = 2
"""The system's own dimension type for departments."""
_POLLS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 3.2, 3.2)


class RestBooks:
    """The organisation's accounts, VAT codes, dimensions and currency, read once."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    @cached_property
    def taxes(self) -> Mapping[int, TaxCode]:
        """VAT codes by their id."""
        return {
            int(one["id"]): TaxCode(str(one["number"]), str(one.get("name") or ""), number(one.get("rate")))
            for one in self._rest.get("/taxes").body
        }

    @cached_property
    def accounts(self) -> Sequence[dict[str, Any]]:
        """The chart of accounts, as REST tells it."""
        return self._rest.get("/accounts").body

    @cached_property
    def chart(self) -> Chart:
        """What a settlement needs to know of it."""
        codes = {identity: code.key for identity, code in self.taxes.items()}
        accounts = {str(one["number"]): codes.get(int(one.get("taxId") or 0)) for one in self.accounts}
        return Chart(accounts, {code.key: code for code in self.taxes.values()})

    @cached_property
    def organisation(self) -> Mapping[str, Any]:
        """What the organisation says of itself."""
        return self._rest.get("/organization/information").body

    @cached_property
    def currency(self) -> str:
        """The currency that the accounts are kept in."""
        return str(part(self.organisation, "settings").get("currencyCode") or "NOK")

    @cached_property
    def dimension_types(self) -> Sequence[tuple[int, str]]:
        """Id and name of each kind of dimension."""
        return [(int(one["id"]), str(one["name"])) for one in self._rest.get("/dimensions").body]

    def elements(self, dimension: int) -> Sequence[Mapping[str, Any]]:
        """The values of a dimension."""
        return self._rest.all(f"/dimensions/{dimension}/elements", {"limit": 100})

    @cached_property
    def departments(self) -> Mapping[str, str]:
        """Names of the departments by their value; none when the organisation keeps no such dimension."""
        if DEPARTMENT not in dict(self.dimension_types):
            return {}
        return {str(one["value"]): str(one["name"]) for one in self.elements(DEPARTMENT)}

    def department(self, routing: Mapping[str, Any]) -> tuple[str, str] | None:
        """Value and name of the department chosen, if one is. Raises ErpRefused (`department_missing`)."""
        chosen = str(routing.get("department") or "")
        if not chosen:
            return None
        if chosen not in self.departments:
            raise problems.DEPARTMENT_MISSING(department=chosen)
        return chosen, self.departments[chosen]


def comment(settlement: Settlement, key: str, text: str = "") -> str:
    """A voucher's or line's text, at most 75 characters, by which an accountant and we find it again.

    The Z-report's number, the shop, the register, what the line is, and the key; shop and register are cut where there
    is no space for all of it. The day is the voucher's own.
    """
    number, length = f"Z{settlement.number}", 74 - len(key)
    where = _place(settlement, max(length - len(number) - len(text) - 2, 0))
    words = " ".join(part for part in (number, where, text) if part)
    return f"{words[:length].rstrip()} {key}"


def _place(settlement: Settlement, length: int) -> str:
    """The shop and the register in so many characters; each keeps some of them."""
    till = settlement.till[: length // 2 if settlement.department else length].strip()
    shop = settlement.department[: length - len(till) - bool(till)].strip() if length > len(till) else ""
    return " ".join(part for part in (shop, till) if part)


class RestVouchers:
    """Settlements of one organisation."""

    def __init__(self, rest: Rest, books: RestBooks, *, pause: Pause = time.sleep) -> None:
        self._rest = rest
        self._books = books
        self._pause = pause

    def preview(self, settlement: Settlement, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """The voucher as it would be posted, without its PDF."""
        return [{"call": "POST /transactions", "body": shown(self._body(settlement, posting, None))}]

    def find(self, settlement: Settlement, posting: Posting) -> Posted | None:
        """Through the day's lines, as the voucher type may have been chosen anew since."""
        query = {
            "dateFrom": settlement.date.isoformat(),
            "dateTo": (settlement.date + timedelta(days=1)).isoformat(),
            "limit": PAGE,
        }
        for page in self._rest.pages("/transactionlines", query):
            for line in page:
                if posting.key in str(line.get("comment") or ""):
                    return _posted(line)
        return None

    def push(self, settlement: Settlement, posting: Posting) -> Posted:
        """Upload the PDF, then post the voucher with it: the ledger takes a document at no other time.

        A PDF that is refused is left out and said so; one that cannot be uploaded now makes the voucher wait.
        """
        self._body(settlement, posting, None)  # what cannot be posted is refused before anything is uploaded
        document: int | None = None
        details: dict[str, Any] = {}
        if posting.pdf is not None:
            try:
                document = self._upload(posting.pdf)
            except ErpRefused as error:
                details["attachment_problem"] = {"code": error.code, "detail": error.detail}
        answer = self._rest.write("POST", "/transactions", self._body(settlement, posting, document))
        identity = part(answer.body).get("transactionId")
        if not identity:
            raise outcomes.unreadable(writes=True, trace_id=answer.trace_id)
        return Posted(str(identity), trace_id=answer.trace_id, attached=document is not None, details=details)

    def attach(self, posted: Posted) -> Posted:
        """The ledger takes no document afterwards, which is said instead of tried."""
        if posted.attached:
            return posted
        raise problems.ATTACHMENT_TOO_LATE()

    def _body(self, settlement: Settlement, posting: Posting, document: int | None) -> dict[str, Any]:
        if posting.routing.get("target") == "inbox":
            raise problems.INBOX_NEEDS_USER()
        if settlement.currency != self._books.currency:
            raise problems.CURRENCY_DIFFERS(currency=settlement.currency, accounts_currency=self._books.currency)
        department = self._books.department(posting.routing)
        dimensions = {"dimensions": [{"dimensionType": DEPARTMENT, "value": department[0]}]} if department else {}
        body: dict[str, Any] = {
            "transactionTypeNumber": voucher_type(posting.routing),
            "date": settlement.date.isoformat(),
            "comment": comment(settlement, posting.key),
            "lines": [],
        }
        if document is not None:
            body["documentId"] = document
        for line in lines(settlement, posting.routing, lambda: self._books.chart):
            tax: dict[str, Any] = {"number": int(line.tax_code)}
            if line.vat and line.tax_code != NO_TAX:
                tax["amount"] = line.vat
            body["lines"].append(
                {
                    "accountNumber": int(line.account),
                    "amount": line.amount,
                    "tax": tax,
                    "comment": comment(settlement, posting.key, line.text),
                    **dimensions,
                }
            )
        return body

    def _upload(self, pdf: bytes) -> int:
        """The document's id. Raises ErpRefused (`attachment_refused`), Unavailable (`attachment_unavailable`)."""
        try:
            asked = self._rest.write("POST", "/fileUpload", {"contentType": "application/pdf"}, repeatable=True).body
            self._rest.put_presigned(str(asked["uploadMethod"]), str(asked["uploadUrl"]), pdf, "application/pdf")
            for wait in (*_POLLS, None):
                status = self._rest.get(f"/fileUpload/{asked['fileId']}").body
                if status.get("documentId") is not None:
                    return int(status["documentId"])
                if str(status.get("status")).lower() == "failed":
                    raise problems.ATTACHMENT_REFUSED()
                if wait is not None:
                    self._pause(wait)
        except Unavailable as error:
            raise _attachment_waits(error) from error
        raise _attachment_waits(None)


def _attachment_waits(error: HubError | None) -> Unavailable:
    details = error.members if error is not None else {}
    return problems.ATTACHMENT_UNAVAILABLE(**{**details, "only_this": True})


def voucher_type(routing: Mapping[str, Any]) -> int:
    """The number of the voucher type chosen. Raises ErpRefused (`voucher_type_not_chosen`)."""
    chosen = str(routing.get("voucher_type") or "")
    if not is_digits(chosen) or int(chosen) < 1:
        raise problems.VOUCHER_TYPE_NOT_CHOSEN()
    return int(chosen)


def _posted(line: Mapping[str, Any]) -> Posted:
    transaction = part(line, "transaction")
    return Posted(
        str(transaction.get("id")),
        attached=line.get("documentId") is not None,
        details={"voucher_no": str(transaction.get("number"))},
    )
