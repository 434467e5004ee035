"""What the hub must remember about wizards in progress."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from erphub.erp.system import FoundChoice, FoundCompany
from erphub.platform.writes import Write
from erphub.wizards.models import Wizard


class WizardStore(Protocol):
    """Wizards, the word that resumes each one's machine, the companies each has found, and their choices."""

    def create(self, wizard: Wizard) -> None:
        """Write a new wizard."""
        ...

    def get(self, client_id: str, wizard_id: str) -> Wizard | None:
        """The wizard as it is now."""
        ...

    def replacing(self, wizard: Wizard) -> tuple[Wizard, Write]:
        """The wizard one version further, and the write that puts it over the version it was read as.

        For whoever must write something else in the same step.
        """
        ...

    def replace(self, wizard: Wizard) -> Wizard:
        """Write it over the version it was read as, one version further. Raises Conflict when that one is gone."""
        ...

    def overdue(self, now: datetime) -> Iterator[tuple[str, str]]:
        """Wizards (client, id) past their end whose leavings nobody is known to have removed; a moment behind."""
        ...

    def of_connection(self, client_id: str, connection_id: str) -> Sequence[str]:
        """The ids of the wizards that make or edit a connection; a moment behind."""
        ...

    def tidied(self, wizard: Wizard) -> None:
        """Remember that nothing the wizard leaves behind is there any more; again is fine."""
        ...

    def token(self, wizard: Wizard) -> str | None:
        """What resumes the machine where it waits; the machine writes it when it begins to wait."""
        ...

    def put_companies(self, wizard: Wizard, companies: Sequence[FoundCompany]) -> None:
        """Keep these companies, and only these."""
        ...

    def companies(
        self, wizard: Wizard, search: str, limit: int, next: str | None
    ) -> tuple[Sequence[FoundCompany], str | None]:
        """A page of them whose name or key holds the words."""
        ...

    def all_companies(self, wizard: Wizard) -> Sequence[FoundCompany]:
        """All of them."""
        ...

    def put_choices(self, wizard: Wizard, field: str, choices: Sequence[FoundChoice]) -> None:
        """Keep these as what a field can be chosen from, and only these."""
        ...

    def choices(
        self, wizard: Wizard, field: str, search: str, limit: int, next: str | None
    ) -> tuple[Sequence[FoundChoice], str | None]:
        """A page of them whose name, key or company holds the words."""
        ...

    def all_choices(self, wizard: Wizard, field: str) -> Sequence[FoundChoice]:
        """All of them."""
        ...

    def clean_up(self, wizard: Wizard) -> None:
        """Remove the token and what was found; again is fine."""
        ...
