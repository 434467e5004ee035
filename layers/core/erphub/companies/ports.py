"""What the hub must remember about the companies of a customer, so that none is connected twice unawares."""

from collections.abc import Sequence
from typing import Protocol

from erphub.companies.models import CompanyUse, KnownCompany, Licences


class CompanyStore(Protocol):
    """A customer's companies by identity, who has each, and the licences they use."""

    def find(self, customer_id: str, ids: Sequence[str]) -> dict[str, KnownCompany]:
        """Those of them that some connection has."""
        ...

    def held(self, customer_id: str, connection_id: str) -> Sequence[KnownCompany]:
        """All that a connection has."""
        ...

    def take(self, customer_id: str, companies: Sequence[KnownCompany]) -> None:
        """Companies that nobody has, for the holder each names, and their licences: all of them or none (50 at most).

        Raises Conflict (`version_conflict`) when somebody has one by now, `licences_used_up` (used, allowed),
        Unavailable when too many try at once.
        """
        ...

    def put_holders(self, customer_id: str, company: KnownCompany, holders: Sequence[CompanyUse]) -> None:
        """Write who has a company over what was read; nobody frees its licence. Raises Conflict when it has changed."""
        ...

    def licences(self, customer_id: str) -> Licences:
        """Used and allowed."""
        ...

    def allow(self, customer_id: str, allowed: int | None) -> Licences:
        """Set how many are allowed; what is used already stays."""
        ...

    def allow_twice(self, customer_id: str, twice: bool) -> Licences:
        """Set whether a company may be connected more than once."""
        ...
