"""An ERP that takes documents, with a ledger of its own and faults that can be switched on."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erphub.erp.approvals import Approval, AwaitedVoucher, Edit, Verdict
from erphub.erp.documents import Customer, Document, DocumentKind, Invoice, Product, Settlement
from erphub.erp.posting import Change, Choice, LedgerAccount, Posted, Posting, Setup, TaxCode
from erphub.platform.errors import CredentialsRefused, ErpRefused, Unavailable, Uncertain

ACCOUNTS = {
    "3000": True,
    "3010": True,
    "3100": True,
    "1900": True,
    "1920": True,
    "2380": True,
    "7740": True,
    "2900": True,
    "4390": True,
    "1460": True,
    "3999": False,
}


class Died(BaseException):
    """The worker dies at this moment: nothing after it happens."""


@dataclass
class Record:
    """Something in the ledger."""

    reference: str
    kind: DocumentKind
    key: str
    document: Document
    changed_at: datetime
    pdfs: list[bytes] = field(default_factory=list)
    awaiting_approval: bool = False
    company: str = ""
    target: str = ""
    """For settlements: the inbox or the ledger, which are looked through one at a time."""
    routing: dict[str, Any] = field(default_factory=dict[str, Any])
    """What it was posted by."""
    verdict: Verdict | None = None
    """What the accountant made of it in the inbox."""
    edits: tuple[Edit, ...] = ()
    number: str = ""
    """Its number in the ledger, once it was approved."""


@dataclass
class LedgerErp:
    """A small real ERP: it keeps what is posted, refuses what it has no account for, and fails on demand."""

    clock: Callable[[], datetime]
    records: dict[str, Record] = field(default_factory=dict)
    accounts: dict[str, bool] = field(default_factory=lambda: dict(ACCOUNTS))
    tax_rates: list[str] = field(default_factory=lambda: ["25", "15", "0"])
    faults: list[str] = field(default_factory=list)
    """What happens to the next postings, one each: ok, down, refuse, lost_before, lost_after, late, die_before,
    die_after, die_late, boom."""
    attach_faults: list[str] = field(default_factory=list)
    companies: dict[str, str] = field(default_factory=lambda: {"1": "Fjellbutikken", "2": "Kystkaffe"})
    departments: dict[str, str] = field(default_factory=lambda: {"10": "Oslo"})
    """Each company's departments."""
    targets: tuple[str, ...] = ("inbox", "ledger")
    down: bool = False
    looking_is_refused: bool = False
    password: str = "right"
    sees: str = "right"
    """What the connection signs in with."""
    refused_as: str = "credentials_refused"
    """The code with which another password is refused."""
    takes_pdf_with_voucher: bool = False
    asked_since: list[datetime] = field(default_factory=list[datetime])
    """From when on changes were asked for to see what became of vouchers."""
    silent_companies: set[str] = field(default_factory=set[str])
    calls: Counter[str] = field(default_factory=Counter)
    late: list[Callable[[], object]] = field(default_factory=list)
    """Requests that were let go of and will still be applied."""

    # --- TakesDocuments

    def preview(self, document: Document, posting: Posting) -> Sequence[Mapping[str, Any]]:
        self.calls["preview"] += 1
        self._check(document, posting)
        shown = {"key": posting.key, "target": posting.routing["target"], "kind": document.kind.value}
        return [shown | ({"name": document.name} if isinstance(document, (Customer, Product)) else {})]

    def find(self, kind: DocumentKind, posting: Posting, document: Document) -> Posted | None:
        self._open("find")
        if self.looking_is_refused:
            raise ErpRefused("You may not read vouchers.", code="permission_denied")
        for record in self.records.values():
            if record.verdict is Verdict.DISCARDED or not _same_place(record, posting):
                continue
            same_product = isinstance(document, Product) and isinstance(record.document, Product)
            if record.kind is kind and (
                record.key == posting.key or (same_product and record.document.number == document.number)
            ):
                reference = record.number or record.reference
                return Posted(reference, attached=bool(record.pdfs), awaiting_approval=record.awaiting_approval)
        return None

    def push(self, document: Document, posting: Posting) -> Posted:
        self._open("push")
        fault = self.faults.pop(0) if self.faults else "ok"
        match fault:
            case "down":
                raise Unavailable("The ERP does not answer.", code="erp_unreachable")
            case "busy":
                raise Unavailable("Too many calls.", code="erp_busy", retry_after=120)
            case "pdf_later":
                raise Unavailable("The PDF is not taken now.", code="attachment_unavailable", only_this=True)
            case "refuse":
                raise ErpRefused(
                    "The ERP refused it: the period is closed.", code="period_closed", erp_message="Period closed"
                )
            case "lost_before":
                raise Uncertain("No answer came.", code="answer_lost")
            case "die_late":
                self.late.append(lambda: self._apply(document, posting))
                raise Died
            case "die_before":
                raise Died
            case "boom":
                raise RuntimeError("a bug")
            case "late":
                self.late.append(lambda: self._apply(document, posting))
                raise Uncertain("No answer came.", code="answer_lost")
            case _:
                self._check(document, posting)
                record = self._apply(document, posting)
        if fault == "lost_after":
            raise Uncertain("No answer came.", code="answer_lost", erp_trace_id="T-lost")
        if fault == "die_after":
            raise Died
        with_pdf = bool(self.takes_pdf_with_voucher and posting.pdf)
        return Posted(
            record.reference,
            erp_message="OK",
            trace_id=f"T{len(self.records)}",
            attached=with_pdf,
            awaiting_approval=record.awaiting_approval,
            details={"internal": record.reference},
        )

    def attach(self, posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        self._open("attach")
        fault = self.attach_faults.pop(0) if self.attach_faults else "ok"
        if fault == "refuse":
            raise ErpRefused("The file is refused.", code="file_refused")
        if fault == "down":
            raise Unavailable("No answer.", code="erp_unreachable")
        record = self.records[posted.reference]
        if not record.pdfs:
            record.pdfs.append(pdf)
        return replace(posted, attached=True)

    # --- HasSetup, HasChanges

    def setup(self, company: str = "") -> Setup:
        self._open("setup")
        companies = [Choice(key, name) for key, name in self.companies.items()]
        if company not in self.companies and (company or len(companies) > 1):
            return Setup(companies, [], [], [], [])
        return Setup(
            companies=companies,
            departments=[Choice(key, name) for key, name in self.departments.items()],
            voucher_types=[Choice("5", "Kasse")],
            accounts=[LedgerAccount(number, f"Konto {number}", typed) for number, typed in self.accounts.items()],
            tax_codes=[TaxCode(f"code {rate}", "Utgående", Decimal(rate)) for rate in self.tax_rates],
            targets=self.targets,
            reserved_voucher_types=[Choice("-1", "Utgående faktura")],
        )

    def changed_since(self, kind: DocumentKind, since: datetime | None, company: str = "") -> Iterator[Change]:
        self._open("changed_since")
        found = [
            record
            for record in self.records.values()
            if record.kind is kind
            and (since is None or record.changed_at >= since)
            and company in ("", record.company or next(iter(self.companies), ""))
        ]
        for record in sorted(found, key=lambda record: record.changed_at):
            yield self._change(record)

    def _change(self, record: Record) -> Change:
        at = record.changed_at
        return Change(record.kind, record.reference, record.key or None, at, str(at), record.document)

    def approvals(self, awaited: Sequence[AwaitedVoucher], since: datetime, company: str) -> Mapping[str, Approval]:
        self._open("approvals")
        self.asked_since.append(since)
        if company in self.silent_companies:
            raise Unavailable("This company does not answer.", code="erp_timeout")
        found: dict[str, Approval] = {}
        for one in awaited:
            assert one.posting.routing["company"] == company
            mine = [record for record in self.with_key(one.posting.key) if record.company == company]
            posted = [one for one in mine if one.verdict is Verdict.APPROVED and one.changed_at >= since]
            if posted:
                found[one.posting.key] = Approval(Verdict.APPROVED, posted[0].number, posted[0].edits)
            elif mine and all(record.verdict is Verdict.DISCARDED for record in mine):
                found[one.posting.key] = Approval(Verdict.DISCARDED)
        return found

    def approve(self, reference: str, *edits: Edit) -> str:
        """The accountant approves what waits in the inbox; the number it has in the ledger."""
        record = self.records[reference]
        record.verdict, record.awaiting_approval, record.edits = Verdict.APPROVED, False, edits
        record.changed_at, record.number = self.clock(), f"L{reference}"
        return record.number

    def discard(self, reference: str) -> None:
        """The accountant throws away what waits in the inbox."""
        record = self.records[reference]
        record.verdict, record.awaiting_approval = Verdict.DISCARDED, False

    def find_matching_record(self, document: Document, posting: Posting) -> Change | None:
        self._open("find_matching_record")
        for record in self.records.values():
            mine = record.key in ("", posting.key) or isinstance(document, Product)
            mine = mine and posting.routing.get("company", "") in ("", record.company or next(iter(self.companies), ""))
            if record.kind is document.kind and mine and _identity(record.document) == _identity(document) != "":
                return self._change(record)
        return None

    # --- what people do in the ERP itself

    def edit(self, reference: str, **changes: Any) -> None:
        record = self.records[reference]
        record.document = record.document.model_copy(update=changes)
        record.changed_at = self.clock()

    def create(self, document: Document, company: str = "") -> str:
        return self._apply(document, Posting("", {"company": company})).reference

    def let_late_requests_through(self) -> None:
        while self.late:
            self.late.pop(0)()

    def with_key(self, key: str) -> list[Record]:
        return [record for record in self.records.values() if record.key == key]

    def _open(self, call: str) -> None:
        self.calls[call] += 1
        if self.sees != self.password:
            raise CredentialsRefused("The ERP does not accept the password.", code=self.refused_as)
        if self.down:
            raise Unavailable("The ERP does not answer.", code="erp_unreachable")

    def _check(self, document: Document, posting: Posting) -> None:
        if isinstance(document, Settlement):
            needed = [posting.routing["payment_accounts"].get(payment.means.value, "") for payment in document.payments]
            needed += [
                posting.routing["sales_accounts"].get(f"{line.vat_rate.normalize():f}", "") for line in document.sales
            ]
            for account in needed:
                if account not in self.accounts:
                    raise ErpRefused(
                        f"There is no account {account}.",
                        code="account_missing",
                        erp_message=f"Konto {account} finnes ikke",
                    )
        if isinstance(document, Invoice) and f"customer:{document.customer_id}" not in posting.known:
            raise ErpRefused("Unknown customer.", code="customer_unknown")

    def _apply(self, document: Document, posting: Posting) -> Record:
        now = self.clock()
        if posting.previous:
            record = self.records[posting.previous]
            record.document, record.changed_at = document, now
            return record
        number = f"{len(self.records) + 1}"
        company, target = posting.routing.get("company", ""), ""
        if isinstance(document, Settlement):
            target = posting.routing.get("target", "")
        record = Record(
            number, document.kind, posting.key, document, now, [], target == "inbox", company=company, target=target
        )
        record.routing.update(posting.routing)
        if self.takes_pdf_with_voucher and posting.pdf:
            record.pdfs.append(posting.pdf)
        self.records[number] = record
        return record


def _same_place(record: Record, posting: Posting) -> bool:
    """Whether a record is where a look would meet it."""
    asked = posting.routing
    return record.company in ("", asked.get("company", "")) and record.target in ("", asked.get("target", ""))


def _identity(document: Document) -> str:
    """By what an ERP knows a record itself."""
    match document:
        case Product():
            return document.number
        case Customer():
            return document.organisation_no
        case _:
            return ""


class Clock:
    """A clock that a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


def customer(**fields: Any) -> Customer:
    return Customer(**({"name": "Fjell Bygg AS", "organisation_no": "999888777"} | fields))
