"""What an ERP that takes documents can be asked: look, post, attach; and what it says about itself beforehand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from erphub.erp.documents import Document, DocumentKind
from erphub.platform.characters import shown


@dataclass(frozen=True)
class Posted:
    """A document as the ERP has it: its `reference` there (a voucher, order, customer or product number)."""

    reference: str
    erp_message: str = ""
    """What the ERP said, in its own words."""
    trace_id: str | None = None
    """The ERP's own id of the exchange, for its support."""
    awaiting_approval: bool = False
    attached: bool = False
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What else the ERP said of it: its version, its status, what is wrong with its attachment."""


@dataclass(frozen=True)
class LedgerAccount:
    """An account of the ERP's chart."""

    number: str
    name: str
    has_sales_type: bool
    """Whether a sales type (in some ERPs: type group) names it; sales may be posted to no other."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", shown(self.name))


@dataclass(frozen=True)
class Choice:
    """Something of the ERP that a setting can name."""

    key: str
    title: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", shown(self.title))


@dataclass(frozen=True)
class TaxCode:
    """A tax code of the ERP, with its rate in per cent."""

    key: str
    title: str
    rate: Decimal

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", shown(self.title))


@dataclass(frozen=True)
class Setup:
    """What the ERP's own setting-up offers to choose from."""

    companies: Sequence[Choice]
    departments: Sequence[Choice]
    voucher_types: Sequence[Choice]
    accounts: Sequence[LedgerAccount]
    tax_codes: Sequence[TaxCode]
    currency: str = "NOK"
    targets: Sequence[str] = ("inbox", "ledger")
    """Where settlements can go over this connection."""
    reserved_voucher_types: Sequence[Choice] = ()
    """Those that the ERP keeps for what it makes itself (its invoices, say): no settlement can have one."""


@dataclass(frozen=True)
class Change:
    """A customer or product as the ERP has it now; `version` changes whenever it does.

    Fields of the document that this ERP does not keep are not given (`model_fields_set`): their defaults say nothing.
    """

    kind: DocumentKind
    reference: str
    external_id: str | None
    changed_at: datetime
    version: str
    document: Document


NEVER_TRIED = datetime.min.replace(tzinfo=UTC)
"""Since when a document is quiet that nobody has tried to send."""


@dataclass(frozen=True)
class Posting:
    """How a document is to be posted: where to, and under which deterministic key it can be found again.

    `key` (at most 30 of A-Z, 0-9 and `-`) goes into a field of the document itself in the ERP.
    `routing` is the sync's settings as plain data, every value text unless said otherwise:

        company, department     keys of the setup's choices; empty when the login reaches only one
        target                  where settlements go: `inbox` (to be approved) or `ledger` (final)
        voucher_type            key of the setup's choice
        sales_accounts          account numbers by VAT rate, without trailing zeros: {"25": "3000", "0": "3100"}
        payment_accounts          account numbers by payment means: {"cash": "1900", "rounding": "7740"}
        stock_change            true or false; then also stock_change_account and inventory_account
        invoices_as             `order` or `draft`
        stock_quantities        true or false: whether a product's stock is written too
    """

    key: str
    routing: Mapping[str, Any]
    known: Mapping[str, str] = field(default_factory=dict[str, str])
    """ERP references of what the document names: `customer:<external id>`, `product:<number>`."""
    previous: str | None = None
    """The ERP's reference when this is a correction of what was posted before."""
    pdf: bytes | None = field(default=None, repr=False)
    """The settlement's PDF, for an ERP that takes it only together with the voucher; `push` then answers `attached`.
    Where it can be attached afterwards, `attach` is called instead, and again alone when only that failed."""
    pdf_name: str = ""
    resend: bool = False
    """Somebody says that what went to the inbox before was discarded there: what cannot be found is not there."""
    quiet_since: datetime | None = None
    """After this no request of an earlier attempt reaches the ERP any more, so what was listed there later still holds;
    `NEVER_TRIED` when there was none, None when nobody can tell."""


@runtime_checkable
class PostsDocuments(Protocol):
    """An ERP that documents can be sent to. One writer per company at a time: numbers are read, not reserved."""

    def preview(self, document: Document, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """Exactly what `push` would send, as plain data, unsent. Raises ErpRefused when it cannot be posted."""
        ...

    def find(self, kind: DocumentKind, posting: Posting, document: Document) -> Posted | None:
        """What was posted under this key, if anything. Raises Unavailable."""
        ...

    def push(self, document: Document, posting: Posting) -> Posted:
        """Post it. Raises ErpRefused (it was not applied and will not be), Unavailable (it was not applied: again
        later; with the fact `only_this` other documents may go on), Uncertain (no telling whether it was applied: find
        first)."""
        ...

    def attach(self, posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        """Attach the PDF to what was posted; attaching again what is attached changes nothing."""
        ...


@runtime_checkable
class ListsSetup(Protocol):
    """An ERP that says what a sync's settings can choose from."""

    def setup(self, company: str = "") -> Setup:
        """What there is to choose from in a company, as it is now; which company may be left out when the login
        reaches only one. Without it otherwise, or with one out of reach, only `companies` is filled.

        Raises CredentialsRefused, ErpRefused (`permission_denied`), Unavailable."""
        ...


@runtime_checkable
class ReadsChanges(Protocol):
    """An ERP that says which records changed there."""

    def changed_since(self, kind: DocumentKind, since: datetime | None, company: str = "") -> Iterator[Change]:
        """Customers or products of a company that changed in the ERP at or after the instant, oldest first; which
        company may be left out when the login reaches only one."""
        ...

    def find_matching_record(self, document: Document, posting: Posting) -> Change | None:
        """What the ERP has of a customer or product by what identifies it there (a company's organisation number, a
        product's number), as it is now, unless it carries the key of another document; None when there is nothing
        such.

        Raises ErpRefused when that is ambiguous, Unavailable."""
        ...
