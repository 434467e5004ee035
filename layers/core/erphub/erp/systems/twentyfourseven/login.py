"""One or more companies reached with a user name and password: everything goes over SOAP."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from erphub.erp.approvals import Approval, AwaitedVoucher
from erphub.erp.documents import Customer, Document, DocumentKind, Invoice, Product, Settlement
from erphub.erp.posting import Change, Choice, LedgerAccount, Posted, Posting, Setup
from erphub.erp.probes import Stage
from erphub.erp.system import FoundCompany
from erphub.erp.systems.twentyfourseven import problems
from erphub.erp.systems.twentyfourseven.areas import Area, Call, area_step
from erphub.erp.systems.twentyfourseven.endpoints import CLIENT, COMPANY, INVOICE, PRODUCT, TRANSACTION, Service
from erphub.erp.systems.twentyfourseven.soap import Soap
from erphub.erp.systems.twentyfourseven.soap_actors import SoapActors
from erphub.erp.systems.twentyfourseven.soap_inbox import SoapInbox
from erphub.erp.systems.twentyfourseven.soap_orders import SoapOrders
from erphub.erp.systems.twentyfourseven.soap_register import SoapCustomers, SoapProducts, strings
from erphub.erp.systems.twentyfourseven.soap_rows import SoapRows
from erphub.erp.systems.twentyfourseven.soap_vouchers import SoapBooks, SoapVouchers
from erphub.erp.systems.twentyfourseven.xml import Node, text, whole
from erphub.erp.transports.http.stages import Step
from erphub.platform.clock import Clock

_WHO = "user"
_TRIED_FOR = timedelta(days=90)
"""How long after its first try a settlement's pages are still looked for before they are put into the inbox again."""


class User:
    """One user over SOAP, behind the same face as an organisation over REST."""

    def __init__(self, soap: Soap, clock: Clock, *, several: bool) -> None:
        self._soap = soap
        self._clock = clock
        self._several = several
        self._known: dict[str, SoapBooks] = {}

    def trials(self) -> list[Step]:
        """The steps after the hosts have been reached."""
        return [
            Step(Stage.LOGIN, self._try_login),
            Step(Stage.DATABASES, self._try_companies),
            *self._areas(),
            Step(Stage.READ, self._try_reading),
        ]

    def _try_login(self) -> str:
        self._soap.must_have_application()
        first = self._first()
        self._soap.sign_in(first)
        return "Signed in."

    def _first(self) -> str:
        """Any company that can be opened: what is tried in one holds for the login."""
        usable = [company for company in self.companies() if company.problem is None]
        if not usable:
            raise problems.NO_COMPANIES()
        return usable[0].key

    def _try_companies(self) -> str:
        found = [company for company in self.companies() if company.problem is None]
        if len(found) > 1 and not self._several:
            raise problems.COMPANY_MUST_BE_CHOSEN(count=len(found))
        return f"{len(found)} companies: {', '.join(company.name for company in found[:5])}"

    def _areas(self) -> list[Step]:
        """Each area, tried with something small in a company that can be opened."""
        nothing, one = (("CompanyId", 0),), (("OrderIds", (("int", [1]),)),)
        ids = ("returnProperties", strings(("Id",)))

        def read(service: Service, operation: str, body: Node) -> Call:
            return lambda: self._soap.read(service, operation, body, self._first())

        orders = (("searchParams", one), ("invoiceReturnProperties", strings(("OrderId",))))
        return [
            area_step(Area.ACCOUNTING, _WHO, lambda: self._books(self._first()).accounts),
            area_step(Area.ADMIN, _WHO, read(CLIENT, "GetDepartmentList", ())),
            area_step(Area.CRM, _WHO, read(COMPANY, "GetCompanies", (("searchParams", nothing), ids))),
            area_step(Area.PRODUCTS, _WHO, read(PRODUCT, "GetCategories", (ids,))),
            area_step(Area.INVOICING, _WHO, read(INVOICE, "GetInvoices", orders)),
        ]

    def _try_reading(self) -> str:
        found = self._books(self._first()).list(TRANSACTION, "GetTransactionTypes", "TransactionType")
        return f"The ledger can be read; it has {len(found)} voucher types."

    def companies(self) -> Sequence[FoundCompany]:
        """One per company, whichever identities lead there; known by the company's own number."""
        found: dict[str, FoundCompany] = {}
        for identity in self._soap.identities():
            problem = "The user is disabled in this company." if identity.disabled else None
            if identity.client not in found or found[identity.client].problem is not None:
                found[identity.client] = FoundCompany(identity.client, identity.name, problem)
        return list(found.values())

    def departments(self, company: str) -> Mapping[str, str]:
        """Names of the company's departments by their number. Raises ErpRefused (`company_gone`)."""
        return self._books(company).departments

    def rows(self, company: str) -> SoapRows:
        """The datasets of the company."""
        return SoapRows(self._soap, self._books(company), self._clock)

    def setup(self, company: str) -> Setup:
        """What there is to choose from."""
        companies = [Choice(found.key, found.name) for found in self.companies() if found.problem is None]
        if (not company and len(companies) > 1) or (company and company not in {choice.key for choice in companies}):
            return Setup(companies, [], [], [], [])
        books = self._books(company)
        groups = books.list(CLIENT, "GetTypeGroupList", "AccountingGroup", (("module", "Sale"),))
        named = {whole(one, "AccountId") for one in groups}
        return Setup(
            companies=companies,
            departments=[Choice(key, name) for key, name in books.departments.items()],
            voucher_types=[Choice(number, text(one, "Title") or "") for number, one in books.voucher_types.items()],
            accounts=[
                LedgerAccount(
                    text(one, "AccountNo") or "", text(one, "AccountName") or "", whole(one, "AccountId") in named
                )
                for one in books.accounts
            ],
            tax_codes=list(books.tax_codes),
            currency=books.currency,
            reserved_voucher_types=[Choice(number, title) for number, title in books.reserved_voucher_types.items()],
        )

    def actors(self, company: str) -> SoapActors:
        """Customers and suppliers of a company. Raises ErpRefused (`company_gone`)."""
        return SoapActors(self._soap, self._books(company).company)

    def _books(self, company: str) -> SoapBooks:
        if company not in self._known:
            self._soap.identity_of(company)  # says so when the company is gone or must be chosen
            self._known[company] = SoapBooks(self._soap, company)
        return self._known[company]

    # --- documents ---------------------------------------------------------------------------------------------------

    def preview(self, document: Document, posting: Posting) -> Sequence[Any]:
        """Exactly what would be sent."""
        return self._counter(document, posting).preview(document, posting)

    def find(self, document: Document, posting: Posting) -> Posted | None:
        """What was posted under the key."""
        return self._counter(document, posting).find(document, posting)

    def push(self, document: Document, posting: Posting) -> Posted:
        """Post it."""
        return self._counter(document, posting).push(document, posting)

    def attach(self, posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:  # noqa: ARG002 - pages have no name
        """Only settlements have a PDF here."""
        books = self._books(str(posting.routing.get("company") or ""))
        return SoapVouchers(self._soap, books).attach(posted, posting, pdf, self._clock().date() - _TRIED_FOR)

    def approvals(self, awaited: Sequence[AwaitedVoucher], since: datetime, company: str) -> Mapping[str, Approval]:
        """What became of vouchers in the company's inbox."""
        books = self._books(company)
        return SoapInbox(books, books.images, self._clock).approvals(awaited, since)

    def _counter(self, document: Document, posting: Posting) -> Any:
        books = self._books(str(posting.routing.get("company") or ""))
        match document:
            case Settlement():
                return SoapVouchers(self._soap, books)
            case Invoice():
                return SoapOrders(self._soap, books, SoapProducts(self._soap, books.company))
            case Customer():
                return SoapCustomers(self._soap, books.company)
            case Product():
                return SoapProducts(self._soap, books.company)

    def find_matching_record(self, document: Document, posting: Posting) -> Change | None:
        """What there is by number or organisation number."""
        company = self._books(str(posting.routing.get("company") or "")).company
        match document:
            case Customer():
                return SoapCustomers(self._soap, company).find_matching_record(document, posting.key)
            case Product():
                return SoapProducts(self._soap, company).find_matching_record(document)
            case _:
                return None

    def changed_since(self, kind: DocumentKind, since: datetime | None, company: str) -> Iterator[Change]:
        """Customers or products of the company that changed, oldest first."""
        books = self._books(company)
        match kind:
            case DocumentKind.CUSTOMER:
                return SoapCustomers(self._soap, books.company).changed_since(since)
            case DocumentKind.PRODUCT:
                return SoapProducts(self._soap, books.company).changed_since(since)
            case _:
                return iter(())
