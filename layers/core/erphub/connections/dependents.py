"""What of a connection itself is removed with it: its passwords, and the list of its companies."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import override

from erphub.connections.dynamodb import connection_company_key
from erphub.platform.aws.removal import DependentItems, PassiveDependent, all_of_connection, fingerprint_of
from erphub.platform.aws.table import Table
from erphub.platform.removal import ConnectionRef, Dependent, Found, RemovalStage
from erphub.platform.secrets import StoredSecrets
from erphub.platform.tasks import TimeLeft


def connection_dependents(table: Table, secrets: StoredSecrets) -> list[Dependent]:
    """Passwords and companies."""
    return [
        Passwords("secrets", "Passwords", RemovalStage.SECRETS, secrets=secrets),
        Companies(
            "companies",
            "Companies",
            RemovalStage.REGISTRY,
            ("tenants:CONNECTION-COMPANY",),
            table=table,
            prefix=all_of_connection("CONNECTION-COMPANY"),
        ),
    ]


@dataclass(frozen=True)
class Companies(DependentItems):
    """Companies in use, and those of edits that were not finished or are no longer in use."""

    @override
    def find(self, of: ConnectionRef) -> Found:
        # Only those in use are shown.
        used = [item for item in self.items(of) if item["sk"].split("#")[2] == of.generation]
        names = sorted(item["name"] for item in used)
        return Found(len(used), names, fingerprint=fingerprint_of(sorted(item["sk"] for item in used)))


@dataclass(frozen=True)
class CompanyKeys:
    """Satisfies `lake.ports.ConnectionCompanies`."""

    table: Table

    def company_keys(self, of: ConnectionRef) -> Sequence[str]:
        """Those in use first."""
        key = connection_company_key(of.client_id, of.id, "", "")
        found = [item["sk"].split("#", 3) for item in self.table.read_all(key["pk"], key["sk"].removesuffix("#"))]
        used = sorted(found, key=lambda parts: parts[2] != of.generation)
        return list(dict.fromkeys(parts[3] for parts in used))


@dataclass(frozen=True)
class Passwords(PassiveDependent):
    """The connection's secret, those of drafts, and those that were replaced and are still there."""

    secrets: StoredSecrets = field(kw_only=True)

    def _names(self, of: ConnectionRef) -> list[str]:
        first = f"{of.client_id}/{of.id}"
        found = [name for name in self.secrets.names(first) if name == first or name.startswith(f"{first}/")]
        # A list of secrets lags behind; those that are known anyway are not left to it.
        return list(dict.fromkeys([first, of.secret_name, *found]))

    @override
    def find(self, of: ConnectionRef) -> Found:
        # A connection has one; how often it was replaced is nobody's business here.
        return Found(1)

    @override
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        for name in self._names(of):
            self.secrets.delete(name)
        return True
