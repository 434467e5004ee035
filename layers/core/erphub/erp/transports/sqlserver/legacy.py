"""What lies before a rolling import's window: how much there is on each day, and on which days something was changed.

Each is one question to the server per table, answered with one line per day.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from erphub.erp.datasets import Dataset
from erphub.erp.reading import ChangeReport, ControlTotal
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver.planning import lower_bound, upper_bound
from erphub.erp.transports.sqlserver.reading import SumTooWide, totals
from erphub.erp.transports.sqlserver.server import Server
from erphub.erp.transports.sqlserver.source import Source, bind
from erphub.erp.transports.sqlserver.statements import Span

_ANY_ZONE = timedelta(days=1)
"""A table notes the day of a change by the clock of whoever made it."""


def daily_totals_before(
    server: Server, company: FoundCompany, dataset: Dataset, sources: Sequence[Source], before: date
) -> list[ControlTotal]:
    """Rows and sum per day of all that is dated before a day. Raises ErpRefused, Unavailable."""
    try:
        return _days_before(server, company, dataset, sources, before, sums=True)
    except SumTooWide:
        return _days_before(server, company, dataset, sources, before, sums=False)


def _days_before(
    server: Server, company: FoundCompany, dataset: Dataset, sources: Sequence[Source], before: date, *, sums: bool
) -> list[ControlTotal]:
    found: list[ControlTotal] = []
    with server.database(company.attributes["database"]) as (session, database):
        bound = bind(session, dataset, sources)
        session.begin(snapshot=database.snapshot)
        for one in bound:
            column = one.columns[dataset.date or ""]
            span = Span(column.name, high=upper_bound(before, column))
            found += totals(session, dataset, one, span, sums=sums)
    return [total for total in found if total.period is not None]


def report_changes(
    server: Server, company: FoundCompany, dataset: Dataset, sources: Sequence[Source], since: datetime
) -> ChangeReport | None:
    """On which days rows lie that say they were changed since; None when a table does not note it.

    Raises ErpRefused, Unavailable.
    """
    days: set[date] = set()
    with server.database(company.attributes["database"]) as (session, _):
        for one in bind(session, dataset, sources):
            noted = one.columns.get("changed_on")
            if noted is None:
                return None
            span = Span(noted.name, lower_bound(since.date() - _ANY_ZONE, noted))
            found = totals(session, dataset, one, span, sums=False)
            days |= {total.period for total in found if total.period is not None}
    return ChangeReport(days)
