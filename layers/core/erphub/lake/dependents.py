"""What of the lake hangs on a connection."""

from dataclasses import dataclass, field
from typing import Any, override

from erphub.lake.locations import company_folders, connection_folder, tables_prefix
from erphub.lake.ports import ConnectionCompanies, RowRemoval
from erphub.platform.aws.removal import PassiveDependent, at_least
from erphub.platform.objects import ObjectStore
from erphub.platform.removal import ConnectionRef, Dependent, Found, RemovalStage
from erphub.platform.tasks import TimeLeft

MAX_FOLDERS = 100
"""Into so many folders of the lake a preview looks; each is a request."""


def lake_dependents(objects: ObjectStore, rows: RowRemoval, companies: ConnectionCompanies) -> list[Dependent]:
    """Imported data."""
    stage = RemovalStage.DATA
    return [LakeTables("lake_tables", "Imported data", stage, objects=objects, rows=rows, companies=companies)]


@dataclass(frozen=True)
class LakeTables(PassiveDependent):
    """The connection's rows in the tables of its client."""

    objects: ObjectStore = field(kw_only=True)
    rows: RowRemoval = field(kw_only=True)
    companies: ConnectionCompanies = field(kw_only=True)

    @override
    def find(self, of: ConnectionRef) -> Found:
        # Its own folders are looked into, never the other connections'; not more than so many.
        prefix = tables_prefix(of.client_id)
        datasets = list(self.objects.folders(prefix))
        places = [
            (dataset, f"{prefix}{dataset}/{folder}/{connection_folder(of.id)}/")
            for company in self.companies.company_keys(of)
            for folder in company_folders(company)
            for dataset in datasets
        ]
        sizes: dict[str, int] = {}
        looked_into = places[:MAX_FOLDERS]
        for dataset, place in looked_into:
            if size := sum(size for _, size in self.objects.sizes(place)):
                sizes[dataset] = sizes.get(dataset, 0) + size
        tables = {name: {"size_bytes": size} for name, size in sorted(sizes.items())}
        details: dict[str, Any] = {"size_bytes": sum(sizes.values()), "tables": tables}
        return Found(len(sizes), sorted(sizes), details | at_least(len(looked_into) < len(places)))

    @override
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        return self.rows.remove(of.client_id, of.id, time_left)
