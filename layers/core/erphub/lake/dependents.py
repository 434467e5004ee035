"""What of the lake hangs on a connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from erphub.lake.locations import company_folder, owner_folder, tables_of
from erphub.platform.aws.objects import Objects
from erphub.platform.aws.removal import Quiet, at_least
from erphub.platform.removal import ConnectionRef, Found
from erphub.platform.tasks import TimeLeft

MOST_FOLDERS = 100
"""Into so many folders of the lake a preview looks; each is a request."""


@dataclass(frozen=True)
class LakeTables(Quiet):
    """The connection's rows in the tables of its client."""

    objects: Objects = field(kw_only=True)
    erase: Callable[[str, str, TimeLeft], bool] = field(kw_only=True)
    """Takes all of a connection out of a client's tables; only who has the table engine can."""
    companies: Callable[[ConnectionRef], Sequence[str]] = field(kw_only=True)
    """The keys of the companies that a connection uses."""

    def find(self, of: ConnectionRef) -> Found:
        """See the port. Its own folders are looked into, never the other connections'; not more than so many."""
        prefix = tables_of(of.client_id)
        datasets = list(self.objects.folders(prefix))
        places = [
            (dataset, f"{prefix}{dataset}/{company_folder(company)}/{owner_folder(of.id)}/")
            for company in self.companies(of)
            for dataset in datasets
        ]
        sizes: dict[str, int] = {}
        looked_into = places[:MOST_FOLDERS]
        for dataset, place in looked_into:
            if size := sum(size for _, size in self.objects.sizes(place)):
                sizes[dataset] = sizes.get(dataset, 0) + size
        tables = {name: {"bytes": size} for name, size in sorted(sizes.items())}
        facts: dict[str, Any] = {"bytes": sum(sizes.values()), "tables": tables}
        return Found(len(sizes), sorted(sizes), facts | at_least(len(looked_into) < len(places)))

    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        """See the port."""
        return self.erase(of.client_id, of.id, time_left)
