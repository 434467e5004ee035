"""What imports and readers ask of the lake."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from erphub.erp.datasets import Dataset
from erphub.erp.reading import Anomaly, ControlTotal, DateRange
from erphub.platform.removal import ConnectionRef
from erphub.platform.tasks import TimeLeft


@dataclass(frozen=True)
class Staged:
    """One part in staging: immutable files, and the manifest that lists them.

    `manifest` is the SHA-256 of the manifest, in hex; empty when there are no rows. `size_bytes` are those of Arrow
    data. `amount` is the control total of the dataset's amount, as it was reconciled; None where nobody compares it.
    """

    path: str
    manifest: str
    rows: int
    size_bytes: int = 0
    amount: Decimal | None = None


@dataclass(frozen=True)
class PublishTarget:
    """One unit's part of the lake, and what is to replace it.

    `date_ranges` do not overlap; all of them are replaced at once. `token` orders the publications of a unit: the same
    one again is the same publication, a lower one is too late. `up_to_date` says that with it the unit has all that was
    changed in the source until the token's instant, whatever its date.
    """

    client_id: str
    dataset: Dataset
    connection_id: str
    company: str
    date_ranges: Sequence[DateRange]
    token: int
    run_id: str
    staging_path: str
    """Where this unit may stage things."""
    up_to_date: bool = False


@dataclass(frozen=True)
class Published:
    """What a publication did to the unit's part of the lake, in rows of the files that were committed.

    `was_repeated` when it had been done before.
    """

    inserted: int
    updated: int
    unchanged: int
    removed: int
    rejected: int = 0
    anomalies: Sequence[Anomaly] = ()
    was_repeated: bool = False


class LakeWriter(Protocol):
    """Writes imported data: one table per client and dataset; rows are staged first and published in one step."""

    def types(self, client_id: str, dataset: Dataset) -> Mapping[str, str]:
        """The Arrow types the table has; empty when nothing was imported yet."""
        ...

    def prepare(self, client_id: str, dataset: Dataset, types: Mapping[str, str]) -> Mapping[str, str]:
        """Make the table, or widen its decimals, so that it can hold these types; returns the types it has now.

        Raises ErpRefused (`decimal_too_wide`) when no decimal holds both.
        """
        ...

    def stage(
        self, path: str, dataset: Dataset, types: Mapping[str, str], connection_id: str, batches: Iterable[Any]
    ) -> Staged:
        """Write batches into staging; the names there follow from `path`, which no other attempt may use.

        Whatever `batches` raises comes out as it is.
        """
        ...

    def staged_totals(self, staged: Staged, dataset: Dataset) -> Sequence[ControlTotal]:
        """Rows and sums per day of one part, read back from staging."""
        ...

    def staged_anomalies(self, staged: Staged, dataset: Dataset) -> Sequence[Anomaly]:
        """Empty and repeated keys among the rows of one part."""
        ...

    def publish(self, target: PublishTarget, staged: Sequence[Staged]) -> Published:
        """Replace the unit's part (its date ranges, or all of it) by what was staged, in one step; again is fine.

        Just before that step the files to be published are read: each part's rows and `amount` must be those given.
        Raises Conflict (`staged_data_changed` when they are not, `newer_run_published`), Unavailable; then nothing
        has changed, or all of it has and saying it again finds that out.
        """
        ...

    def clean(self, prefix: str) -> None:
        """Remove everything staged under a prefix."""
        ...


class PublishedDays(Protocol):
    """Asks what is published of a unit, day by day."""

    def up_to_date_until(self, client_id: str, dataset: Dataset, connection_id: str, company: str) -> datetime | None:
        """Until when a unit has all that was changed in its source; None when no publication has said so."""
        ...

    def days_with(
        self,
        client_id: str,
        dataset: Dataset,
        connection_id: str,
        company: str,
        known_by: Mapping[str, Collection[str]],
        before: date,
    ) -> Collection[date]:
        """On which days before one a unit has rows with one of these values in one of these columns."""
        ...

    def daily_totals_before(
        self, client_id: str, dataset: Dataset, connection_id: str, company: str, before: date
    ) -> Sequence[ControlTotal]:
        """Rows and sum per day of what a unit has that is dated before a day."""
        ...


class TableTypes(Protocol):
    """The Arrow types of clients' tables, kept where a reader without a table engine finds them."""

    def save(self, client_id: str, dataset_id: str, types: Mapping[str, str]) -> None:
        """Keep the types that a client's table has now."""
        ...

    def of_client(self, client_id: str) -> Mapping[str, Mapping[str, str]]:
        """The types of a client's tables, by dataset and column."""
        ...


@dataclass(frozen=True)
class Lake:
    """The lake, as imports use it."""

    writer: LakeWriter
    published: PublishedDays
    types: TableTypes


@dataclass(frozen=True)
class RowQuery:
    """A page of rows: filters, columns, and where the last page ended."""

    companies: Sequence[str] = ()
    connections: Sequence[str] = ()
    hidden: Sequence[str] = ()
    """Connections whose rows nobody sees any more."""
    date_range: DateRange = field(default_factory=DateRange)
    columns: Sequence[str] = ()
    limit: int = 50
    version: int | None = None
    after: Sequence[Any] | None = None
    skip: int = 0


@dataclass(frozen=True)
class RowPage:
    """Rows as plain values; `last_key` is the sort key of the last row and `rows_with_last_key`
    how many rows with it were given."""

    rows: Sequence[Mapping[str, Any]]
    version: int | None
    last_key: Sequence[Any] | None = None
    rows_with_last_key: int = 0


class LakeReader(Protocol):
    """Reads what was imported."""

    def page(self, client_id: str, dataset: Dataset, query: RowQuery) -> RowPage:
        """A page of rows. Raises Gone (`page_expired`) when the state the pages began with is no longer kept."""
        ...


class HiddenConnections(Protocol):
    """Whoever takes a connection's rows out of sight before they are gone."""

    def hidden(self, client_id: str) -> Sequence[str]:
        """The client's connections whose rows nobody sees any more."""
        ...


class ConnectionCompanies(Protocol):
    """Whoever knows which companies a connection imports."""

    def company_keys(self, of: ConnectionRef) -> Sequence[str]:
        """The keys of the companies a connection uses or lately used, those in use first."""
        ...


class RowRemoval(Protocol):
    """Takes a connection's rows out of a client's tables; only who has the table engine can."""

    def remove(self, client_id: str, connection_id: str, time_left: TimeLeft) -> bool:
        """Remove all there is of a connection; False when time ran out. Raises Unavailable."""
        ...
