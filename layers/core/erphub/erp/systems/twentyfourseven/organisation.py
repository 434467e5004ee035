"""A company reached with an organisation id: everything goes over REST."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from erphub.erp.approvals import Approval, AwaitedVoucher
from erphub.erp.documents import Customer, Document, DocumentKind, Invoice, Product, Settlement
from erphub.erp.posting import Change, Choice, LedgerAccount, Posted, Posting, Setup
from erphub.erp.probes import Stage
from erphub.erp.resources import AdapterResources
from erphub.erp.system import FoundCompany
from erphub.erp.systems.twentyfourseven import problems
from erphub.erp.systems.twentyfourseven.areas import Area, Call, area_step
from erphub.erp.systems.twentyfourseven.numbers import part
from erphub.erp.systems.twentyfourseven.rest import Rest
from erphub.erp.systems.twentyfourseven.rest_actors import RestActors
from erphub.erp.systems.twentyfourseven.rest_orders import RestOrders
from erphub.erp.systems.twentyfourseven.rest_register import RestCustomers, RestProducts
from erphub.erp.systems.twentyfourseven.rest_rows import RestRows
from erphub.erp.systems.twentyfourseven.rest_vouchers import RestBooks, RestVouchers
from erphub.erp.transports.http.stages import Step

_WHO = "integration"
_TARGETS = ("ledger",)
"""REST knows no vouchers that wait for approval."""


class Organisation:
    """One organisation over REST, behind the same face as a user over SOAP."""

    def __init__(self, rest: Rest, organisation_id: str, resources: AdapterResources) -> None:
        self._rest = rest
        self._id = organisation_id
        self._clock = resources.clock
        self._books = RestBooks(rest)
        self._customers = RestCustomers(rest)
        self._products = RestProducts(rest)
        self._vouchers = RestVouchers(rest, self._books, pause=resources.pause)
        self._orders = RestOrders(rest, self._books, self._products)

    def trials(self) -> list[Step]:
        """The steps after the hosts have been reached."""
        return [
            Step(Stage.LOGIN, self._try_login),
            Step(Stage.DATABASES, self._try_companies),
            *self._areas(),
            Step(Stage.READ, self._try_reading),
        ]

    def _try_login(self) -> str:
        self._rest.sign_in(anew=True)
        return "Signed in."

    def _try_companies(self) -> str:
        return str(self._books.organisation.get("name") or self._id)

    def _areas(self) -> list[Step]:
        """Each area, tried with something small of everything that is read of it."""

        def read(path: str, **query: int) -> Call:
            return lambda: self._rest.get(path, query)

        books = self._books
        return [
            area_step(Area.ACCOUNTING, _WHO, lambda: books.accounts, lambda: books.taxes),
            area_step(Area.ADMIN, _WHO, lambda: books.dimension_types, read("/transactiontypes")),
            area_step(Area.CRM, _WHO, read("/customers", limit=1)),
            area_step(Area.PRODUCTS, _WHO, read("/products", limit=1), read("/salestypes")),
            area_step(Area.INVOICING, _WHO, read("/salesorders", limit=1)),
        ]

    def _try_reading(self) -> str:
        today = self._clock().date()
        query = {"dateFrom": (today - timedelta(days=1)).isoformat(), "dateTo": today.isoformat(), "limit": 1}
        self._rest.get("/transactionlines", query)
        return "The ledger can be read."

    def companies(self) -> Sequence[FoundCompany]:
        """The one company there is."""
        return [FoundCompany(self._id, str(self._books.organisation.get("name") or self._id))]

    def departments(self, company: str) -> Mapping[str, str]:
        """Names of the company's departments by their number. Raises ErpRefused (`company_gone`)."""
        self._must_be_ours(company)
        return self._books.departments

    def rows(self, company: str) -> RestRows:
        """The datasets of the company. Raises ErpRefused (`company_gone`)."""
        self._must_be_ours(company)
        return RestRows(self._rest, self._books)

    def setup(self, company: str) -> Setup:
        """What there is to choose from."""
        companies = [Choice(found.key, found.name) for found in self.companies()]
        if company not in ("", self._id):
            return Setup(companies, [], [], [], [], targets=_TARGETS)
        named = {int(part(one, "account").get("id") or 0) for one in self._rest.get("/salestypes").body}
        types = self._rest.get("/transactiontypes").body
        return Setup(
            companies=companies,
            departments=[Choice(value, name) for value, name in self._books.departments.items()],
            voucher_types=[
                Choice(str(one["number"]), str(one.get("name") or one["number"])) for one in types if one["number"] > 0
            ],
            accounts=[
                LedgerAccount(str(one["number"]), str(one.get("name") or ""), int(one["id"]) in named)
                for one in self._books.accounts
            ],
            tax_codes=list(self._books.taxes.values()),
            currency=self._books.currency,
            targets=_TARGETS,
            reserved_voucher_types=[
                Choice(str(one["number"]), str(one.get("name") or "")) for one in types if one["number"] <= 0
            ],
        )

    def actors(self, company: str) -> RestActors:
        """Customers and suppliers. Raises ErpRefused (`company_gone`)."""
        self._must_be_ours(company)
        return RestActors(self._rest)

    def _must_be_ours(self, company: str) -> None:
        if company not in ("", self._id):
            raise problems.COMPANY_OF_ANOTHER_ORGANISATION(organisation_id=self._id, company=company)

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

    def attach(self, posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:  # noqa: ARG002 - too late anyway
        """Only settlements have a PDF, and the ledger takes it at no other time than with the voucher."""
        self._must_be_ours(str(posting.routing.get("company") or ""))
        return self._vouchers.attach(posted)

    def approvals(self, awaited: Sequence[AwaitedVoucher], since: datetime, company: str) -> Mapping[str, Approval]:  # noqa: ARG002
        """Nothing: REST knows no inbox, so what a user handed to it before waits until it is looked up by hand."""
        self._must_be_ours(company)
        return {}

    def _counter(self, document: Document, posting: Posting) -> Any:
        self._must_be_ours(str(posting.routing.get("company") or ""))
        match document:
            case Settlement():
                return self._vouchers
            case Invoice():
                return self._orders
            case Customer():
                return self._customers
            case Product():
                return self._products

    def find_matching_record(self, document: Document, posting: Posting) -> Change | None:
        """What there is by number or organisation number."""
        self._must_be_ours(str(posting.routing.get("company") or ""))
        match document:
            case Customer():
                return self._customers.find_matching_record(document, posting.key)
            case Product():
                return self._products.find_matching_record(document)
            case _:
                return None

    def changed_since(self, kind: DocumentKind, since: datetime | None, company: str) -> Iterator[Change]:
        """Customers or products that changed, oldest first."""
        self._must_be_ours(company)
        match kind:
            case DocumentKind.CUSTOMER:
                return self._customers.changed_since(since)
            case DocumentKind.PRODUCT:
                return self._products.changed_since(since)
            case _:
                return iter(())
