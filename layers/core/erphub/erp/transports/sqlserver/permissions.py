"""The last stages of a connection test: are there companies, may the login read their tables, and does it work?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from erphub.erp.datasets import Dataset
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver import problems
from erphub.erp.transports.sqlserver.driver import Session
from erphub.erp.transports.sqlserver.server import Finding, Server
from erphub.erp.transports.sqlserver.source import Source, bind
from erphub.erp.transports.sqlserver.statements import OBJECTS, ONE_ROW, expression, listed, quote
from erphub.platform.errors import ErpRefused

MOST_COMPANIES = 25
"""A test looks into this many of the chosen companies; an import looks into each it reads."""


def chosen(settings: Mapping[str, Any]) -> Sequence[str] | None:
    """The keys chosen in the wizard's companies step; None for all, and before the step was answered."""
    companies: str | Sequence[str] = settings.get("companies", "all")
    return None if isinstance(companies, str) else companies


type Lister = Callable[[Server, Session], tuple[Sequence[FoundCompany], str | None]]
"""Lists the companies, and says why their names could not be read, if so."""


class Permissions:
    """What the login may do, found out stage by stage. `sources` are tables every import needs."""

    def __init__(self, lister: Lister, chosen: Sequence[str] | None, sources: Sequence[tuple[Dataset, Source]]) -> None:
        """`chosen`: the keys of the connection's companies, or None when they are all of them, or not chosen yet."""
        self._lister, self._chosen, self._sources = lister, chosen, sources
        self._open: list[FoundCompany] = []

    def databases(self, server: Server, session: Session) -> Finding:
        """Raises ErpRefused `no_company_databases`, `company_gone`, `permission_denied`."""
        companies, warning = self._lister(server, session)
        if not companies:
            raise problems.NO_COMPANY_DATABASES()
        self._open = [company for company in self._picked(companies) if company.problem is None]
        closed = [company for company in self._picked(companies) if company.problem is not None]
        if not self._open:
            raise problems.NO_DATABASE_OPEN(count=len(closed), key=closed[0].key, problem=closed[0].problem)
        words = f"{len(companies)} company databases, {sum(one.problem is None for one in companies)} can be opened."
        if closed and self._chosen is not None:
            return f"{words} {closed[0].key}: {closed[0].problem}", problems.COMPANY_UNAVAILABLE.code
        return (f"{words} {warning}", problems.NAMES_UNREADABLE.code) if warning else (words, None)

    def _picked(self, companies: Sequence[FoundCompany]) -> Sequence[FoundCompany]:
        """The companies chosen for the connection; before that, or when all are, every one of them."""
        if self._chosen is None:
            return companies
        known = {company.key: company for company in companies}
        gone = [key for key in self._chosen if key not in known]
        if gone:
            raise problems.COMPANY_GONE(company=gone[0])
        return [known[key] for key in self._chosen]

    def permissions(self, server: Server, _session: Session) -> Finding:
        """Whether each table can be read and has what an import needs. Raises as `source.bind` does."""
        looked = self._open[: 1 if self._chosen is None else MOST_COMPANIES]
        for company in looked:
            with server.database(company.attributes["database"]) as (session, _):
                for dataset, source in self._sources:
                    try:
                        bind(session, dataset, [source])
                    except ErpRefused as error:
                        raise ErpRefused.restored(error.code, f"{company.key}: {error.detail}") from error
        tables = ", ".join(source.table for _, source in self._sources)
        if not tables:
            return "No tables are mapped yet.", None
        return f"The login may read {tables} in {', '.join(company.key for company in looked)}.", None

    def read(self, server: Server, _session: Session) -> Finding:
        """Read one row of each table of the first company, as an import would."""
        company = self._open[0]
        with server.database(company.attributes["database"]) as (session, _):
            if not self._sources:
                tables = len(session.rows(OBJECTS()))
                return f"{company.key} has {tables} tables and views that the login can see.", None
            found = 0
            for dataset, source in self._sources:
                (bound,) = bind(session, dataset, [source])
                select = listed([expression(column) for column in bound.columns.values()])
                row = ONE_ROW(columns=select, schema=quote(source.schema), table=quote(source.table))
                found += len(session.rows(row))
        empty = len(self._sources) - found
        return f"Read {found} rows in {company.key}{f', and found {empty} tables empty' if empty else ''}.", None
