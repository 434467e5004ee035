"""Companies of a customer, who uses them, and the licences they count for."""

from dataclasses import dataclass

from erphub.companies import problems
from erphub.connections.models import Company
from erphub.platform.errors import Conflict
from erphub.platform.ids import derived_id
from erphub.platform.wire import Model


class Licences(Model):
    """How many companies a customer uses and may use, and whether one may be connected more than once."""

    used: int = 0
    allowed: int | None = None
    """None: as many as are wanted."""
    allow_duplicates: bool = False


class CompanyUse(Model):
    """A connection that has a company."""

    client_id: str
    connection_id: str


class KnownCompany(Model):
    """A company of a customer: `id` is the same whatever the server was called when it was connected."""

    id: str
    erp_system: str
    key: str
    name: str
    uses: list[CompanyUse]
    """Who has it, the first one first."""
    rev: int = 0

    def is_used_by(self, connection_id: str) -> bool:
        """Whether this connection has it."""
        return any(use.connection_id == connection_id for use in self.uses)


@dataclass(frozen=True)
class CompanyTaker:
    """Who chooses companies by name, and in which client."""

    client_id: str
    user: str


@dataclass(frozen=True)
class GivenUp:
    """A company that a connection to all companies had, and another has now."""

    client_id: str
    connection_id: str
    key: str
    name: str


def used_up(licences: Licences, wanted: int) -> Conflict:
    """That there are not enough licences, with the numbers."""
    return problems.LICENCES_USED_UP(
        what="company needs a licence" if wanted == 1 else "companies need licences",
        licences_used=licences.used,
        licences_allowed=licences.allowed,
        licences_wanted=wanted,
    )


def company_identity(erp_system: str, company: Company) -> str:
    """What a company is, whoever connects it: its ERP system, the installation by its own account, and its key there.

    A system whose keys are unique by themselves (a cloud service) names no installation.
    """
    installation = str(company.attributes.get("installation") or "")
    return derived_id("company", erp_system, installation.casefold(), company.key)
