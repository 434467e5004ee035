"""What the hub must remember about the companies of a customer, so that none is connected twice unawares."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from erphub.companies.models import CompanyUse, KnownCompany, Licences


class CompanyStore(Protocol):
    """A customer's companies by identity, who has each, and the licences they use."""

    def find(self, customer_id: str, ids: Sequence[str]) -> dict[str, KnownCompany]:
        """Those of them that some connection has."""
        ...

    def list_used(self, customer_id: str, connection_id: str) -> Sequence[KnownCompany]:
        """All that a connection uses."""
        ...

    def claim(self, customer_id: str, companies: Sequence[KnownCompany]) -> None:
        """Companies that nobody has, for the connection each names, with their licences: all or none (50 at most).

        Raises Conflict (`version_conflict`) when somebody has one by now, `licences_used_up` (used, allowed),
        Unavailable when too many try at once.
        """
        ...

    def replace_uses(self, customer_id: str, company: KnownCompany, uses: Sequence[CompanyUse]) -> None:
        """Write who has a company over what was read; nobody frees its licence. Raises Conflict when it has changed."""
        ...

    def licences(self, customer_id: str) -> Licences:
        """Used and allowed."""
        ...

    def set_allowed(self, customer_id: str, allowed: int | None) -> Licences:
        """Set how many are allowed; what is used already stays."""
        ...

    def set_allow_duplicates(self, customer_id: str, allow: bool) -> Licences:
        """Set whether a company may be connected more than once."""
        ...


class OwnerNotices(Protocol):
    """Notifies the people of a connection."""

    def request_access(self, use: CompanyUse, request_key: str, detail: str, details: Mapping[str, Any]) -> None:
        """Somebody would like to use their company; of the same `request_key` they are notified once a day."""
        ...
