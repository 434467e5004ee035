"""A connected 24SevenOffice: one face for both ways of signing in. Nothing is dialled until something is asked."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, override

from erphub.erp.actors import (
    Actor,
    ActorField,
    ActorSupport,
    ActorType,
    KnowsActors,
    ListItem,
    WritesActors,
)
from erphub.erp.approvals import Approval, AwaitedVoucher, ReadsApprovals
from erphub.erp.datasets import Dataset
from erphub.erp.documents import Document, DocumentKind
from erphub.erp.posting import Change, ListsSetup, Posted, Posting, PostsDocuments, ReadsChanges, Setup
from erphub.erp.probes import Probe
from erphub.erp.reading import ChangeReport, DateRange, Reading, ReadPlan, ReadsDatasets, ReportsChanges, Slice
from erphub.erp.resources import AdapterResources, UsesResources
from erphub.erp.system import ErpAdapter, FoundChoice, FoundCompany, ListsCompanies, ListsOptions
from erphub.erp.systems.twentyfourseven import actors, departments
from erphub.erp.systems.twentyfourseven.description import DESCRIPTION, USER
from erphub.erp.systems.twentyfourseven.endpoints import Endpoints
from erphub.erp.systems.twentyfourseven.rate_limits import InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.tokens import InProcessTokenStore, Tokens, digest, utc_now

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.login import User
    from erphub.erp.systems.twentyfourseven.organisation import Organisation
    from erphub.erp.systems.twentyfourseven.rest_actors import RestActors
    from erphub.erp.systems.twentyfourseven.soap_actors import SoapActors


__all__ = ["DESCRIPTION", "TwentyFourSevenOffice", "connect"]

APPLICATION = "24sevenoffice"
"""The name under which a deployment keeps its application id and a replaced address."""


class TwentyFourSevenOffice(
    UsesResources,
    ErpAdapter,
    ListsCompanies,
    ListsOptions,
    ReadsDatasets,
    ReportsChanges,
    PostsDocuments,
    ListsSetup,
    ReadsChanges,
    ReadsApprovals,
    KnowsActors,
    WritesActors,
):
    """A connected 24SevenOffice."""

    def __init__(self, settings: Mapping[str, Any], secret: Mapping[str, str], transport: Any = None) -> None:
        self._settings = settings
        self._departments = departments.Departments(settings)
        self._secret = secret
        self._transport = transport
        self._resources = AdapterResources(InProcessTokenStore(), InProcessRateLimiter(utc_now), utc_now)

    @override
    def use(self, resources: AdapterResources) -> None:
        self._resources = resources

    @cached_property
    def _endpoints(self) -> Endpoints:
        return Endpoints.of(self._resources.addresses)

    @cached_property
    def _way(self) -> "Organisation | User":
        from erphub.erp.transports.http.client import bounded_client

        http = bounded_client(self._transport)
        resources = self._resources
        made_with = digest(*(f"{name}={value}" for name, value in sorted(self._secret.items())))
        tokens = Tokens(
            resources.tokens, resources.clock, made_with=made_with, pause=resources.pause, redact=resources.redact
        )
        if self._settings.get("sign_in") == USER:
            from erphub.erp.systems.twentyfourseven.login import User
            from erphub.erp.systems.twentyfourseven.soap import Login, Soap

            login = Login(
                str(self._settings.get("username", "")),
                self._secret.get("password", ""),
                resources.applications.get(APPLICATION, ""),
            )
            soap = Soap(
                http, self._endpoints, login, tokens, resources.rate_limiter, resources.clock, pause=resources.pause
            )
            return User(soap, resources.clock, several=bool(self._settings.get("has_several_companies")))
        from erphub.erp.systems.twentyfourseven.organisation import Organisation
        from erphub.erp.systems.twentyfourseven.rest import Application, Rest

        organisation = str(self._settings.get("organisation_id", ""))
        application = Application(
            str(self._settings.get("client_id", "")), self._secret.get("client_secret", ""), organisation
        )
        rest = Rest(
            http, self._endpoints, application, tokens, resources.rate_limiter, resources.clock, pause=resources.pause
        )
        return Organisation(rest, organisation, resources)

    # --- ErpAdapter, ListsCompanies ---

    @override
    def check(self) -> Iterator[Probe]:
        # A transport of its own has no hosts to reach.
        from erphub.erp.transports.http import stages

        hosts = stages.reach(self._hosts) if self._transport is None else []
        *steps, last = self._way.trials()
        read = last._replace(trial=lambda: self._read_with_departments(last.trial))
        yield from stages.run([*hosts, *steps, read])

    def _read_with_departments(self, read: Callable[[], str]) -> str:
        said = read()
        self._departments.must_be_there(self._way.departments)
        return said

    @property
    def _hosts(self) -> tuple[str, ...]:
        if self._settings.get("sign_in") == USER:
            return (self._endpoints.api, self._endpoints.webservices)
        return (self._endpoints.login, self._endpoints.rest)

    @override
    def companies(self) -> Sequence[FoundCompany]:
        return sorted(self._way.companies(), key=lambda company: company.name.casefold())

    @override
    def choices(self, field: str, company: FoundCompany) -> Sequence[FoundChoice]:
        # The company's departments, the one list the wizard chooses from.
        return departments.found(company, self._way.departments(company.key)) if field == departments.FIELD else ()

    # --- ReadsDatasets ---

    @override
    def plan_reading(self, dataset: Dataset, company: FoundCompany, window: DateRange, slice_rows: int) -> ReadPlan:
        # `slice_rows` is heeded roughly, as the ERP states no counts.
        from erphub.erp.systems.twentyfourseven import datasets

        return datasets.plan_reading(self._way.rows(company.key), dataset, window, slice_rows)

    @override
    def read(
        self,
        dataset: Dataset,
        company: FoundCompany,
        plan: ReadPlan,
        part: Slice,
    ) -> AbstractContextManager[Reading]:
        from erphub.erp.systems.twentyfourseven import datasets

        return datasets.read(self._way.rows(company.key), dataset, part)

    @override
    def report_changes(self, dataset: Dataset, company: FoundCompany, since: datetime) -> ChangeReport | None:
        # Lines of the ledger, or orders, that were made or changed since. What was deleted the ERP does not tell.
        from erphub.erp.systems.twentyfourseven import datasets

        return datasets.report_changes(self._way.rows(company.key), dataset, since)

    # --- PostsDocuments, ListsSetup, ReadsChanges ---

    @override
    def setup(self, company: str = "") -> Setup:
        # Of a company's departments those that the connection uses.
        offered = self._way.setup(company)
        return replace(offered, departments=self._departments.among(company, offered.departments))

    @override
    def preview(self, document: Document, posting: Posting) -> Sequence[Mapping[str, Any]]:
        return self._way.preview(document, self._departments.routed(document.kind, posting))

    @override
    def find(self, kind: DocumentKind, posting: Posting, document: Document) -> Posted | None:
        return self._way.find(document, posting)

    @override
    def push(self, document: Document, posting: Posting) -> Posted:
        return self._way.push(document, self._departments.routed(document.kind, posting))

    @override
    def attach(self, posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        return self._way.attach(posted, posting, pdf, name)

    # --- KnowsActors, WritesActors ---

    @override
    def actor_types(self) -> Mapping[ActorType, ActorSupport | str]:
        return actors.OF_USER if self._settings.get("sign_in") == USER else actors.OF_ORGANISATION

    @override
    def actor_fields(self, actor_type: ActorType, company: FoundCompany) -> Sequence[ActorField]:
        return self._actors(actor_type, company).fields

    @override
    def actor_list(self, list_name: str, company: FoundCompany) -> Sequence[ListItem]:
        # None of the fields takes its values from a list.
        return ()

    @override
    def actors(self, actor_type: ActorType, keys: Sequence[str], company: FoundCompany) -> Mapping[str, Actor]:
        return self._actors(actor_type, company).get(actor_type, keys)

    @override
    def actors_changed_since(
        self, actor_type: ActorType, since: datetime | None, company: FoundCompany
    ) -> Iterator[Actor]:
        return self._actors(actor_type, company).changed_since(actor_type, since)

    @override
    def actor_keys(self, actor_type: ActorType, company: FoundCompany) -> Iterator[str]:
        return self._actors(actor_type, company).keys(actor_type)

    @override
    def create_actor(
        self, actor_type: ActorType, values: Mapping[str, str | None], marker: str, company: FoundCompany
    ) -> str:
        return self._actors(actor_type, company).create(actor_type, values, marker)

    @override
    def find_created(self, actor_type: ActorType, marker: str, company: FoundCompany) -> str | None:
        return self._actors(actor_type, company).find_created(marker)

    @override
    def save_actor(
        self, actor_type: ActorType, key: str, values: Mapping[str, str | None], company: FoundCompany
    ) -> None:
        self._actors(actor_type, company).save(actor_type, key, values)

    def _actors(self, actor_type: ActorType, company: FoundCompany) -> "RestActors | SoapActors":
        actors.support_of(self.actor_types(), actor_type)
        return self._way.actors(company.key)

    # --- ReadsApprovals ---

    @override
    def approvals(self, awaited: Sequence[AwaitedVoucher], since: datetime, company: str) -> Mapping[str, Approval]:
        completed = [replace(one, posting=self._departments.completed(one.posting)) for one in awaited]
        return self._way.approvals(completed, since, company)

    @override
    def changed_since(self, kind: DocumentKind, since: datetime | None, company: str = "") -> Iterator[Change]:
        return self._way.changed_since(kind, since, company)

    @override
    def find_matching_record(self, document: Document, posting: Posting) -> Change | None:
        return self._way.find_matching_record(document, posting)


def connect(
    settings: Mapping[str, Any],
    secret: Mapping[str, str],
    *,
    networks: Sequence[str] = (),  # noqa: ARG001 - the vendor's addresses are fixed: no tenant types one
    transport: Any = None,
) -> TwentyFourSevenOffice:
    """The connected system; `transport` is an httpx transport in place of the network."""
    return TwentyFourSevenOffice(settings, secret, transport)
