"""Toy Ledger as an ERP system of the hub: JSON over HTTP, one login, several companies, settlements as vouchers."""

import json
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, override
from urllib.parse import urlsplit

from erphub.erp.datasets import Dataset
from erphub.erp.description import AdapterCapability, Description, Field, Link, Step
from erphub.erp.documents import CREDIT_MEANS, Document, DocumentKind, Settlement
from erphub.erp.posting import Posted, Posting, PostsDocuments
from erphub.erp.probes import Probe, Stage
from erphub.erp.reading import Anomaly, ControlTotal, DateRange, Reading, ReadPlan, ReadsDatasets, Slice
from erphub.erp.steps import companies_step, finish_step, name_step, shared_field
from erphub.erp.system import ErpAdapter, FoundCompany, ListsCompanies
from erphub.erp.transports.http import stages
from erphub.erp.transports.http.rows import Anomalies, Row, batch, types_of
from erphub.platform.errors import CredentialsRefused, ErpRefused, Unavailable, Uncertain
from erphub.platform.outbound.addresses import addresses, networks

TIMEOUT_SECONDS = 10.0

# The hub's field, and what the ERP calls it.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "accounts": {"account_no": "number", "name": "name"},
    "customers": {"customer_no": "number", "name": "name", "city": "city"},
    "gl_transactions": {
        "journal_no": "voucher",
        "entry_no": "line",
        "voucher_date": "day",
        "account_no": "account",
        "description": "text",
        "amount": "amount",
    },
}

DESCRIPTION = Description(
    id="toy-ledger",
    title="Toy Ledger",
    summary="A small ERP: imports its ledger, accounts and customers, and takes settlements.",
    documentation=(Link("Toy Ledger", "https://toy.example/docs"),),
    steps=(
        Step(
            id="site",
            title="Site",
            help="Where your Toy Ledger is, and a login that may read it.",
            fields=(
                Field("site", "Address", "As in the browser.", example="https://ledger.example", max_length=300),
                Field("toy_login", "Login", "The name you sign in with.", example="reader"),
                Field(
                    "toy_password",
                    "Password",
                    "Stored encrypted, never shown again.",
                    secret=True,
                ),
                shared_field(),
            ),
            tests=True,
        ),
        companies_step(),
        name_step(),
        finish_step(),
    ),
    capabilities=frozenset({AdapterCapability.COMPANIES, AdapterCapability.DATASETS, AdapterCapability.DOCUMENTS}),
    datasets=tuple(FIELDS),
)


class Client:
    """Asks the ERP; a session is fetched once and used until the client goes."""

    def __init__(self, settings: Mapping[str, Any], secret: Mapping[str, str], allowed: Sequence[str]) -> None:
        self._site = urlsplit(str(settings.get("site", "")))
        self._login = str(settings.get("toy_login", ""))
        self._password = secret.get("toy_password", "")
        self._allowed = networks(allowed)

    def _http(self) -> Any:
        import httpx

        host = self._site.hostname or ""
        [address, *_] = addresses(host, self._allowed)
        judged = f"[{address}]" if ":" in str(address) else str(address)
        port = f":{self._site.port}" if self._site.port else ""
        return httpx.Client(
            base_url=f"{self._site.scheme}://{judged}{port}",
            headers={"Host": self._site.netloc},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    @cached_property
    def session(self) -> str:
        """Signs in. Raises CredentialsRefused, ErpRefused, Unavailable."""
        status, answer = self.call("POST", "/session", {"login": self._login, "password": self._password})
        if status == 401:
            raise CredentialsRefused("Toy Ledger does not know this login and password.")
        return str(answer["session"])

    def reach(self) -> str:
        """Whether somebody answers at the address."""
        self.call("GET", "/companies")
        return str(self._site.hostname)

    def get(self, path: str, **query: str) -> Any:
        """An answer. Raises ErpRefused, Unavailable."""
        status, answer = self.call("GET", path, signed_in=True, **query)
        if status == 403:
            raise ErpRefused("The company is not open to this login any more.", code="company_gone")
        return answer if status == 200 else None

    def call(
        self, method: str, path: str, body: Any = None, *, signed_in: bool = False, **query: str
    ) -> tuple[int, Any]:
        """One exchange. Raises Unavailable; Uncertain when a voucher was sent and nothing came back."""
        import httpx

        headers = {"Authorization": f"Bearer {self.session}"} if signed_in else {}
        try:
            with self._http() as http:
                answer = http.request(method, path, json=body, headers=headers, params=query)
            return answer.status_code, json.loads(answer.content)
        except httpx.ConnectError as error:
            raise Unavailable("Toy Ledger does not answer. Try again later.", code="erp_unreachable") from error
        except (httpx.HTTPError, ValueError) as error:
            if signed_in and method == "POST":
                raise Uncertain("Toy Ledger may have taken the voucher or not.", code="no_answer") from error
            raise Unavailable("Toy Ledger took too long to answer.", code="erp_timeout") from error


class PageReading(Reading):
    """A dataset being read page by page, counted on the way."""

    def __init__(self, client: Client, dataset: Dataset, company: str, where: Mapping[str, Any]) -> None:
        self._client, self._dataset, self._company = client, dataset, company
        self._query = {name: value for name, value in where.items() if value}
        self._rows: Counter[date | None] = Counter()
        self._sums: defaultdict[date | None, Decimal] = defaultdict(Decimal)
        self._anomalies = Anomalies()

    @property
    @override
    def totals(self) -> Sequence[ControlTotal]:
        summed = self._dataset.amount is not None
        return [ControlTotal(day, count, self._sums[day] if summed else None) for day, count in self._rows.items()]

    @property
    @override
    def consistent(self) -> bool:
        return False

    @property
    @override
    def anomalies(self) -> Sequence[Anomaly]:
        return list(self._anomalies.values())

    @override
    def recount(self) -> Sequence[ControlTotal]:
        return self.totals

    @override
    def batches(self) -> Iterator[Any]:
        at: int | None = 0
        while at is not None:
            page = self._client.get(f"/data/{self._company}/{self._dataset.id}", at=str(at), **self._query)
            rows = [self._row(raw) for raw in page["rows"]]
            if rows:
                yield batch(self._dataset, rows, self._anomalies)
            at = page["next"]

    def _row(self, raw: Mapping[str, Any]) -> Row:
        row = {name: raw[theirs] for name, theirs in FIELDS[self._dataset.id].items()}
        day = None
        if self._dataset.date:
            row[self._dataset.date] = day = date.fromisoformat(row[self._dataset.date])
        if self._dataset.amount:
            row[self._dataset.amount] = Decimal(row[self._dataset.amount])
            self._sums[day] += row[self._dataset.amount]
        self._rows[day] += 1
        return row


class ToyLedger(ErpAdapter, ListsCompanies, ReadsDatasets, PostsDocuments):
    """A connected Toy Ledger."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @override
    def check(self) -> Iterator[Probe]:
        def open_company() -> FoundCompany:
            for company in self.companies():
                if not company.problem:
                    return company
            raise ErpRefused("The login can open no company.", code="no_company")

        def read() -> str:
            company = open_company()
            self._client.get(f"/data/{company.key}/accounts")
            return f"The accounts of {company.name} can be read."

        def sign_in() -> str:
            return f"Signed in; the session begins with {self._client.session[:1]}."

        return stages.run([
            stages.Step(Stage.TCP, self._client.reach),
            stages.Step(Stage.LOGIN, sign_in),
            stages.Step(Stage.DATABASES, lambda: f"{len(self.companies())} companies."),
            stages.Step(Stage.READ, read),
        ])  # fmt: skip

    @override
    def companies(self) -> Sequence[FoundCompany]:
        found = [
            FoundCompany(one["key"], one["name"], "The company is closed to this login." if one["closed"] else None)
            for one in self._client.get("/companies")
        ]
        return sorted(found, key=lambda one: one.name.casefold())

    @override
    def plan_reading(self, dataset: Dataset, company: FoundCompany, window: DateRange, slice_rows: int) -> ReadPlan:
        if dataset.id not in FIELDS:
            raise ErpRefused(f"Toy Ledger has no {dataset.title.lower()}.", code="dataset_not_offered")
        self._client.get(f"/data/{company.key}/{dataset.id}")
        where = {"from": window.first and window.first.isoformat(), "before": window.end and window.end.isoformat()}
        missing = [field.name for field in dataset.fields if field.name not in FIELDS[dataset.id]]
        return ReadPlan(types_of(dataset), missing, (Slice(where if dataset.date else {}, 0),), None)

    @override
    def read(
        self, dataset: Dataset, company: FoundCompany, plan: ReadPlan, part: Slice
    ) -> AbstractContextManager[Reading]:
        @contextmanager
        def reading() -> Generator[Reading]:
            yield PageReading(self._client, dataset, company.key, part.where)

        return reading()

    @override
    def preview(self, document: Document, posting: Posting) -> Sequence[Mapping[str, Any]]:
        return [{"key": posting.key, "lines": _lines(document, posting)}]

    @override
    def find(self, kind: DocumentKind, posting: Posting, document: Document) -> Posted | None:
        found = self._client.get(f"/data/{posting.routing['company']}/vouchers", key=posting.key)
        return Posted(found["number"]) if found else None

    @override
    def push(self, document: Document, posting: Posting) -> Posted:
        [body] = self.preview(document, posting)
        path = f"/data/{posting.routing['company']}/vouchers"
        status, answer = self._client.call("POST", path, body, signed_in=True)
        if status != 200:
            raise ErpRefused(f"Toy Ledger did not take the voucher: {answer['error']}.", code="voucher_refused")
        return Posted(answer["number"])

    @override
    def attach(self, posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        raise ErpRefused("Toy Ledger keeps no files.", code="attachments_not_offered")


def _lines(document: Document, posting: Posting) -> list[dict[str, str]]:
    if not isinstance(document, Settlement):
        raise ErpRefused("Toy Ledger takes settlements only.", code="document_kind_not_offered")
    sales, means = posting.routing["sales_accounts"], posting.routing["payment_accounts"]
    credit = [(sales[f"{one.vat_rate.normalize():f}"], -one.amount) for one in document.sales]
    debit = [
        (means[one.means.value], -one.amount if one.means in CREDIT_MEANS else one.amount) for one in document.payments
    ]
    return [{"account": account, "amount": f"{amount:.2f}"} for account, amount in [*credit, *debit]]


def connect(
    settings: Mapping[str, Any], secret: Mapping[str, str], *, networks: Sequence[str], transport: Any = None
) -> ToyLedger:
    """The system behind these settings; nothing is dialled yet."""
    return ToyLedger(Client(settings, secret, networks))
