"""What of a connection itself goes with it: its passwords."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from erphub.connections.dynamodb import connection_company_key
from erphub.platform.aws.items import Item
from erphub.platform.aws.removal import Quiet
from erphub.platform.aws.table import Table
from erphub.platform.removal import ConnectionRef, Found
from erphub.platform.secrets import Secrets
from erphub.platform.tasks import TimeLeft


def companies_of(table: Table, of: ConnectionRef) -> list[str]:
    """The keys of the companies a connection uses or lately used, the latest first."""
    found = [item["sk"].split("#", 3) for item in _company_items(table, of)]
    used = sorted(found, key=lambda parts: parts[2] != of.generation)
    return list(dict.fromkeys(parts[3] for parts in used))


def _company_items(table: Table, of: ConnectionRef) -> Iterator[Item]:
    key = connection_company_key(of.client_id, of.id, "", "")
    return table.all(key["pk"], key["sk"].removesuffix("#"))


@dataclass(frozen=True)
class Passwords(Quiet):
    """The connection's secret, those of drafts, and those that were replaced and are still there."""

    secrets: Secrets = field(kw_only=True)
    names: Callable[[str], Sequence[str]] = field(kw_only=True)

    def _names(self, of: ConnectionRef) -> list[str]:
        first = f"{of.client_id}/{of.id}"
        found = [name for name in self.names(first) if name == first or name.startswith(f"{first}/")]
        # A list of secrets lags behind; those that are known anyway are not left to it.
        return list(dict.fromkeys([first, of.secret_name, *found]))

    def find(self, of: ConnectionRef) -> Found:  # noqa: ARG002
        """See the port. A connection has one; how often it was replaced is nobody's business here."""
        return Found(1)

    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:  # noqa: ARG002
        """See the port."""
        for name in self._names(of):
            self.secrets.delete(name)
        return True
