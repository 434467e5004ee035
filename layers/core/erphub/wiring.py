"""Where the house is put together: the only place where a use-case meets AWS. Everything is made once, on first use."""

from datetime import UTC, datetime
from functools import cache

from .access import Access
from .aws.table import Table
from .aws.tenancy import TenancyTable
from .ids import new_id
from .ports.once import Once
from .ports.world import Clock, Ids
from .settings import Settings, read_settings
from .web import Hall


@cache
def settings() -> Settings:
    return read_settings()


@cache
def table() -> Table:
    return Table(settings().table)


def now() -> datetime:
    """Now in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


clock: Clock = now
ids: Ids = new_id


@cache
def access() -> Access:
    return Access(TenancyTable(table()))


@cache
def once() -> Once:
    from .aws.once import KeptAnswers

    return KeptAnswers(settings().table)


hall = Hall(access, once)
