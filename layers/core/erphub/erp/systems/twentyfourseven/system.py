"""A connected 24SevenOffice: one face for both ways of signing in. Nothing is dialled until something is asked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from erphub.erp.datasets import Dataset
from erphub.erp.documents import Document, DocumentKind
from erphub.erp.posting import Change, Posted, Posting, Setup
from erphub.erp.probes import Probe
from erphub.erp.reading import ChangeReport, DateRange, Reading, ReadPlan, Slice
from erphub.erp.resources import AdapterResources
from erphub.erp.system import FoundChoice, FoundCompany
from erphub.erp.systems.twentyfourseven import departments
from erphub.erp.systems.twentyfourseven.description import USER
from erphub.erp.systems.twentyfourseven.endpoints import Places
from erphub.erp.systems.twentyfourseven.rate_limits import InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.tokens import ProcessTokens, Tokens, digest, utc_now

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.login import User
    from erphub.erp.systems.twentyfourseven.organisation import Organisation


SECONDS_TO_CONNECT, SECONDS_TO_ANSWER = 5.0, 30.0
APPLICATION = "24sevenoffice"
"""The name under which a deployment keeps its application id and a replaced address."""


class TwentyFourSevenOffice:
    """Satisfies System, HasCompanies, HasChoices, HasDatasets, KnowsWhatChanged, and all that takes documents."""

    def __init__(self, settings: Mapping[str, Any], secret: Mapping[str, str], transport: Any = None) -> None:
        self._settings = settings
        self._departments = departments.Departments(settings)
        self._secret = secret
        self._transport = transport
        self._shared = AdapterResources(ProcessTokens(), InProcessRateLimiter(utc_now), utc_now)

    def lend(self, shared: AdapterResources) -> None:
        """Use these tokens, this budget, clock and addresses from now on."""
        self._shared = shared

    @cached_property
    def _places(self) -> Places:
        return Places.of(self._shared.addresses)

    @cached_property
    def _way(self) -> "Organisation | User":
        import httpx

        http = httpx.Client(
            timeout=httpx.Timeout(SECONDS_TO_ANSWER, connect=SECONDS_TO_CONNECT),
            transport=self._transport,
            follow_redirects=False,
            trust_env=False,
        )
        shared = self._shared
        made_with = digest(*(f"{name}={value}" for name, value in sorted(self._secret.items())))
        tokens = Tokens(shared.tokens, shared.clock, sleep=shared.sleep, hide=shared.hide, made_with=made_with)
        if self._settings.get("sign_in") == USER:
            from erphub.erp.systems.twentyfourseven.login import User
            from erphub.erp.systems.twentyfourseven.soap import Login, Soap

            login = Login(
                str(self._settings.get("username", "")),
                self._secret.get("password", ""),
                shared.applications.get(APPLICATION, ""),
            )
            soap = Soap(http, self._places, login, tokens, shared.budget, shared.clock, sleep=shared.sleep)
            return User(soap, shared.clock, several=bool(self._settings.get("several_companies")))
        from erphub.erp.systems.twentyfourseven.organisation import Organisation
        from erphub.erp.systems.twentyfourseven.rest import Application, Rest

        organisation = str(self._settings.get("organisation_id", ""))
        application = Application(
            str(self._settings.get("client_id", "")), self._secret.get("client_secret", ""), organisation
        )
        rest = Rest(http, self._places, application, tokens, shared.budget, shared.clock, sleep=shared.sleep)
        return Organisation(rest, organisation, shared)

    # --- System, HasCompanies ----------------------------------------------------------------------------------------

    def check(self) -> Iterator[Probe]:
        """The stages of a connection test; in-process stand-ins have no hosts to reach."""
        from erphub.erp.systems.twentyfourseven import checks

        hosts = checks.reach(self._hosts) if self._transport is None else []
        *trials, (last, read) = self._way.trials()
        yield from checks.run([*hosts, *trials, (last, lambda: self._read_with_departments(read))])

    def _read_with_departments(self, read: Callable[[], str]) -> str:
        said = read()
        self._departments.must_be_there(self._way.departments)
        return said

    @property
    def _hosts(self) -> tuple[str, ...]:
        if self._settings.get("sign_in") == USER:
            return (self._places.api, self._places.webservices)
        return (self._places.login, self._places.rest)

    def companies(self) -> Sequence[FoundCompany]:
        """Every company the login reaches, by name. Raises CredentialsRefused, Unavailable."""
        return sorted(self._way.companies(), key=lambda company: company.name.casefold())

    def choices(self, field: str, company: FoundCompany) -> Sequence[FoundChoice]:
        """The company's departments, the one list the wizard chooses from."""
        return departments.found(company, self._way.departments(company.key)) if field == departments.FIELD else ()

    # --- HasDatasets -------------------------------------------------------------------------------------------------

    def survey(self, dataset: Dataset, company: FoundCompany, window: DateRange, slice_rows: int) -> ReadPlan:
        """What there is to read; `slice_rows` is heeded roughly, as the ERP states no counts."""
        from erphub.erp.systems.twentyfourseven import datasets

        return datasets.survey(self._way.rows(company.key), dataset, window, slice_rows)

    def read(
        self,
        dataset: Dataset,
        company: FoundCompany,
        survey: ReadPlan,  # noqa: ARG002
        part: Slice,
    ) -> AbstractContextManager[Reading]:
        """Read one slice."""
        from erphub.erp.systems.twentyfourseven import datasets

        return datasets.read(self._way.rows(company.key), dataset, part)

    def changed(self, dataset: Dataset, company: FoundCompany, since: datetime) -> ChangeReport | None:
        """Lines of the ledger, or orders, that were made or changed since. What was deleted the ERP does not tell."""
        from erphub.erp.systems.twentyfourseven import datasets

        return datasets.changed(self._way.rows(company.key), dataset, since)

    # --- TakesDocuments, HasSetup, HasChanges ------------------------------------------------------------------------

    def setup(self, company: str = "") -> Setup:
        """What there is to choose from in a company; of its departments those that the connection uses."""
        offered = self._way.setup(company)
        return replace(offered, departments=self._departments.among(company, offered.departments))

    def preview(self, document: Document, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """Exactly what `push` would send."""
        return self._way.preview(document, self._departments.routed(document.kind, posting))

    def find(self, kind: DocumentKind, posting: Posting, document: Document) -> Posted | None:  # noqa: ARG002
        """What was posted under the key."""
        return self._way.find(document, posting)

    def push(self, document: Document, posting: Posting) -> Posted:
        """Post it."""
        return self._way.push(document, self._departments.routed(document.kind, posting))

    def attach(self, posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        """Attach the PDF to what was posted."""
        return self._way.attach(posted, posting, pdf, name)

    def changed_since(self, kind: DocumentKind, since: datetime | None, company: str = "") -> Iterator[Change]:
        """Customers or products of a company that changed, oldest first."""
        return self._way.changed_since(kind, since, company)

    def counterpart(self, document: Document, posting: Posting) -> Change | None:
        """The ERP's own record of the same customer or product."""
        return self._way.counterpart(document, posting)
