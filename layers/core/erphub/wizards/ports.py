"""What the hub must remember about wizards in progress."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from erphub.erp.system import FoundChoice, FoundCompany
from erphub.platform.wire import JsonObject
from erphub.platform.writes import Write
from erphub.wizards.models import Wizard


class WizardStore(Protocol):
    """Wizards, and what resumes the machine of each."""

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
        """Wizards (client, id) past their end, of which nobody is known to have cleaned up; a moment behind."""
        ...

    def of_connection(self, client_id: str, connection_id: str) -> Sequence[str]:
        """The ids of the wizards that make or edit a connection; a moment behind."""
        ...

    def mark_cleaned_up(self, wizard: Wizard) -> None:
        """Remember that nothing the wizard leaves behind is there any more; again is fine."""
        ...

    def token(self, wizard: Wizard) -> str | None:
        """What resumes the machine where it waits; the machine writes it when it begins to wait."""
        ...


class ListedOptions(Protocol):
    """What an ERP listed for a wizard to choose from: companies, and for each field its choices."""

    def put_companies(self, wizard: Wizard, companies: Sequence[FoundCompany]) -> None:
        """Keep these companies, and only these."""
        ...

    def search_companies(
        self, wizard: Wizard, search: str, limit: int, cursor: str | None
    ) -> tuple[Sequence[FoundCompany], str | None]:
        """A page of them whose name or key holds the words."""
        ...

    def companies(self, wizard: Wizard) -> Sequence[FoundCompany]:
        """All of them."""
        ...

    def put_choices(self, wizard: Wizard, field: str, choices: Sequence[FoundChoice]) -> None:
        """Keep these as what a field can be chosen from, and only these."""
        ...

    def search_choices(
        self, wizard: Wizard, field: str, search: str, limit: int, cursor: str | None
    ) -> tuple[Sequence[FoundChoice], str | None]:
        """A page of them whose name, key or company holds the words."""
        ...

    def choices(self, wizard: Wizard, field: str) -> Sequence[FoundChoice]:
        """All of them."""
        ...

    def delete(self, wizard: Wizard) -> None:
        """Remove what was listed, and what resumes the machine; again is fine."""
        ...


class FinishesWizards(Protocol):
    """Whoever writes down that a wizard's machine has ended."""

    def finish(self, client_id: str, wizard_id: str, reason: str) -> JsonObject:
        """End a wizard for a reason (`expired`, `failed`), unless it has ended, and clean up after it."""
        ...
