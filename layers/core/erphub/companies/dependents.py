"""What of the registry of companies hangs on a connection."""

from dataclasses import dataclass, field
from typing import override

from erphub.companies.service import CompanyRegistry
from erphub.platform.aws.removal import PassiveDependent, fingerprint_of
from erphub.platform.removal import ConnectionRef, Dependent, Found, RemovalStage
from erphub.platform.tasks import TimeLeft


def company_dependents(registry: CompanyRegistry) -> list[Dependent]:
    """Licences."""
    return [
        UsedLicences("licences", "Licences freed", RemovalStage.REGISTRY, ("tenants:COMPANY",), registry=registry),
    ]


@dataclass(frozen=True)
class UsedLicences(PassiveDependent):
    """The companies that the customer's licences count; a licence comes free when nobody else has its company."""

    registry: CompanyRegistry = field(kw_only=True)

    @override
    def find(self, of: ConnectionRef) -> Found:
        freed = [one for one in self.registry.list_used(of.client_id, of.id) if len(one.uses) == 1]
        fingerprint = fingerprint_of(sorted(one.id for one in freed))
        return Found(len(freed), sorted(one.name for one in freed), fingerprint=fingerprint)

    @override
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        self.registry.release(of.client_id, of.id)
        return True
