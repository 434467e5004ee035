"""The end of a wizard: the connection is made, or what was edited takes the place of what was, in one step.

Whatever comes before that step is undone when the wizard ends without it, and whatever comes after it is repeated until
it is done: the old password and the companies no longer used go when the new ones are in use, never earlier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from erphub.audit.models import AuditEntry
from erphub.audit.service import AuditLog
from erphub.companies.models import CompanyTaker
from erphub.companies.service import CompanyRegistry, as_company
from erphub.connections.capability import CONNECTIONS
from erphub.connections.models import Company, Connection
from erphub.connections.ports import ConnectionStore
from erphub.connections.problems import CONNECTION_DELETING
from erphub.erp.catalogue import describe
from erphub.platform.capability import LimitScope
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict
from erphub.platform.limits import Limits, Owner
from erphub.platform.wire import JsonObject
from erphub.wizards import problems
from erphub.wizards.cleanup import WizardCleanup
from erphub.wizards.drafts import (
    abbreviate,
    abbreviated,
    answers_of,
    connection_changed,
    differences,
    edited_connection,
    new_connection,
)
from erphub.wizards.models import Wizard, WizardStatus
from erphub.wizards.options import WizardCompanies
from erphub.wizards.ports import WizardStore

_MAX_ATTEMPTS = 5


@dataclass(frozen=True)
class WizardCompletion:
    """Puts what was answered in use."""

    store: WizardStore
    connections: ConnectionStore
    companies: WizardCompanies
    registry: CompanyRegistry
    audit: AuditLog
    clock: Clock
    cleanup: WizardCleanup
    limits: Limits

    def complete(self, wizard: Wizard) -> None:
        """Put what was answered in use. Raises Conflict (`name_taken`, `company_connected`, `connection_changed` …)."""
        finished = self._swap(wizard) if wizard.edit else self._create(wizard)
        self.cleanup.after(finished)

    def _create(self, wizard: Wizard) -> Wizard:
        connection = new_connection(wizard, self.clock())
        companies = [as_company(one) for one in self.companies.selected(wizard)]
        self._claim(wizard, connection, companies)
        finished = wizard.model_copy(update={"status": WizardStatus.FINISHED, "problem": None})
        keys = abbreviate([company.key for company in companies])
        new = {"name": connection.name, "erp_system": connection.erp_system, "companies": keys}
        try:
            entry = self._entry(wizard, "connection.created", None, new)
            after, write = self.store.replacing(finished)
            with self.limits.hold(CONNECTIONS, Owner(LimitScope.CLIENT, wizard.client_id)):
                self.connections.create(connection, companies, entry, [write])
        except Conflict:
            if self.connections.get(wizard.client_id, wizard.connection_id) is None:
                self.cleanup.release_companies(wizard, ())
            raise
        return after

    def _swap(self, wizard: Wizard) -> Wizard:
        for _ in range(_MAX_ATTEMPTS):
            before = self.connections.get(wizard.client_id, wizard.connection_id)
            if before is None or before.is_being_deleted:
                raise CONNECTION_DELETING()
            had = self.companies.connected(wizard)
            if wizard.edit is None or before.version != wizard.edit.version:
                raise connection_changed(wizard, before, had, describe(wizard.erp_system))
            companies = self._selected_companies(wizard, had)
            after = edited_connection(before, wizard, self.clock(), new_companies=companies is not None)
            if companies is not None:
                self._claim(wizard, after, companies)
            replaced = before.model_copy(update={"settings": {}}).model_dump(mode="json")
            edit = wizard.edit.model_copy(update={"before": replaced})
            finished = wizard.model_copy(update={"status": WizardStatus.FINISHED, "problem": None, "edit": edit})
            try:
                entry = self._edit_entry(wizard, before, had, after, companies)
                ended, write = self.store.replacing(finished)
                self.connections.swap(after, before, companies, entry, [write])
            except Conflict as error:
                self.cleanup.release_companies(wizard, had)
                now = self.store.get(wizard.client_id, wizard.id)
                if error.code != "version_conflict" or now is None or now.version != wizard.version:
                    raise
            else:
                return ended
        raise problems.CONNECTION_CHANGES_TOO_FAST()

    def _selected_companies(self, wizard: Wizard, had: Sequence[Company]) -> list[Company] | None:
        """The companies after an edit; None when nothing about them was looked at."""
        choice = wizard.settings.get("companies")
        if wizard.edit is None or not wizard.edit.companies_listed:
            return None
        found = [as_company(one) for one in self.companies.selected(wizard)]
        there = {company.key for company in found}
        return found + [one for one in had if one.key not in there and isinstance(choice, list) and one.key in choice]

    def _claim(self, wizard: Wizard, connection: Connection, companies: Sequence[Company]) -> None:
        allow_duplicates = bool(wizard.settings.get("confirm_duplicates"))
        by_name = isinstance(wizard.settings.get("companies"), list)
        user = wizard.answered_by.user if wizard.answered_by else wizard.owner
        given_up = self.registry.claim(
            wizard.customer_id,
            connection,
            companies,
            allow_duplicates=allow_duplicates,
            taker=CompanyTaker(wizard.client_id, user) if by_name else None,
        )
        for one in given_up:
            new = {"company": one.key, "name": one.name, "to_connection_id": connection.id}
            event_key = f"given up {one.key} {wizard.id}"
            self.audit.record(one.client_id, one.connection_id, user, "company.given_up", new=new, event_key=event_key)

    def _entry(self, wizard: Wizard, action: str, old: JsonObject | None, new: JsonObject | None) -> AuditEntry:
        by = wizard.answered_by
        actor = by.user if by else wizard.owner
        return self.audit.entry(actor, action, old, new, by.source if by else None, email=by.email if by else None)

    def _edit_entry(
        self,
        wizard: Wizard,
        before: Connection,
        had: Sequence[Company],
        after: Connection,
        companies: Sequence[Company] | None,
    ) -> AuditEntry:
        about = describe(wizard.erp_system)
        then = abbreviated(answers_of(before, [one.key for one in had], about))
        keys = [one.key for one in (had if companies is None else companies)]
        changed = differences(then, abbreviated(answers_of(after, keys, about)))
        old: dict[str, Any] = {one["field"]: one["before"] for one in changed}
        new: dict[str, Any] = {one["field"]: one["now"] for one in changed}
        if after.secret_name != before.secret_name:
            new |= dict.fromkeys(about.secrets(after.settings), "replaced")
        return self._entry(wizard, "connection.edited", old, new)
