"""The end of a wizard: the connection is made, or what was edited takes the place of what was, in one step.

Whatever comes before that step is undone when the wizard ends without it, and whatever comes after it is repeated until
it is done: the old password and the companies no longer used go when the new ones are in use, never earlier.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from erphub.audit.models import AuditEntry
from erphub.audit.service import AuditTrail
from erphub.companies.service import CompanyRegistry, identity, kept
from erphub.connections.models import Company, Connection
from erphub.connections.ports import ConnectionStore
from erphub.erp.catalogue import describe
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, Gone
from erphub.platform.secrets import Secrets
from erphub.platform.wire import JsonObject
from erphub.wizards.choices import chosen
from erphub.wizards.drafts import answers, applied, changed_meanwhile, differences, made, opened, short, tested
from erphub.wizards.models import Wizard, WizardStatus
from erphub.wizards.ports import WizardStore

type Edited = Callable[[Connection, Connection], None]
"""Told of an edit that passed a test and is in use (before, after), perhaps more than once."""
_ATTEMPTS = 5


@dataclass(frozen=True)
class WizardCompletion:
    """Ends wizards."""

    store: WizardStore
    connections: ConnectionStore
    secrets: Secrets
    identities: CompanyRegistry
    audit: AuditTrail
    clock: Clock
    new_connection: Callable[[str, str, str], None]
    edited: Edited

    def finish(self, wizard: Wizard) -> None:
        """Put what was answered in use. Raises Conflict (`name_taken`, `company_connected`, `connection_changed` …)."""
        finished = self._swap(wizard) if wizard.edit else self._create(wizard)
        self.after(finished)

    def _create(self, wizard: Wizard) -> Wizard:
        connection = made(wizard, self.clock())
        companies = [kept(one) for one in chosen(self.store.all_companies(wizard), wizard.settings.get("companies"))]
        self._claim(wizard, connection, companies)
        finished = wizard.model_copy(update={"status": WizardStatus.FINISHED, "problem": None})
        keys = short([company.key for company in companies])
        new = {"name": connection.name, "erp_system": connection.erp_system, "companies": keys}
        try:
            entry = self._entry(wizard, "connection.created", None, new)
            after, write = self.store.replacing(finished)
            self.connections.create(connection, companies, entry, [write])
        except Conflict:
            if self.connections.get(wizard.client_id, wizard.connection_id) is None:
                self._release(wizard)
            raise
        return after

    def _swap(self, wizard: Wizard) -> Wizard:
        for _ in range(_ATTEMPTS):
            before = self.connections.get(wizard.client_id, wizard.connection_id)
            if before is None or before.is_being_deleted:
                raise Gone("The connection is being deleted. Restore it first.", code="connection_deleting")
            had = self.connections.companies(wizard.client_id, wizard.connection_id)
            if wizard.edit is None or before.version != wizard.edit.version:
                raise changed_meanwhile(wizard, before, had, describe(wizard.erp_system))
            companies = self._companies(wizard, had)
            after = applied(before, wizard, self.clock(), new_companies=companies is not None)
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
                self._release_but(wizard, before, had)
                now = self.store.get(wizard.client_id, wizard.id)
                if error.code != "version_conflict" or now is None or now.version != wizard.version:
                    raise
            else:
                return ended
        raise Conflict("The connection changes faster than it can be edited. Try again.", code="version_conflict")

    def _companies(self, wizard: Wizard, had: Sequence[Company]) -> list[Company] | None:
        """The companies after an edit; None when nothing about them was looked at."""
        choice = wizard.settings.get("companies")
        if wizard.edit is None or not wizard.edit.listed:
            return None
        found = [kept(one) for one in chosen(self.store.all_companies(wizard), choice)]
        there = {company.key for company in found}
        return found + [one for one in had if one.key not in there and isinstance(choice, list) and one.key in choice]

    def _claim(self, wizard: Wizard, connection: Connection, companies: Sequence[Company]) -> None:
        knowingly = bool(wizard.settings.get("connected_elsewhere"))
        self.identities.claim(wizard.customer_id, connection, companies, knowingly=knowingly)

    def _release(self, wizard: Wizard, keep: Sequence[str] = ()) -> None:
        self.identities.release(wizard.client_id, wizard.connection_id, keep, wizard.customer_id)

    def _release_but(self, wizard: Wizard, connection: Connection, companies: Sequence[Company]) -> None:
        self._release(wizard, [identity(connection.erp_system, company) for company in companies])

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
        then = opened(answers(before, [one.key for one in had], about))
        keys = [one.key for one in (had if companies is None else companies)]
        changed = differences(then, opened(answers(after, keys, about)))
        old: dict[str, Any] = {one["field"]: one["before"] for one in changed}
        new: dict[str, Any] = {one["field"]: one["now"] for one in changed}
        if after.secret_name != before.secret_name:
            new |= dict.fromkeys(about.secrets(after.settings), "replaced")
        return self._entry(wizard, "connection.edited", old, new)

    def after(self, wizard: Wizard) -> None:
        """What follows when it is in use; done again from the start when it was cut off."""
        if wizard.edit and wizard.edit.before:
            before = Connection.model_validate(wizard.edit.before)
            now = self.connections.get(wizard.client_id, wizard.connection_id)
            if now is not None:
                self._tidy(wizard, before, now)
                if tested(wizard, self.clock()) is not None:
                    self.edited(before, now)
        else:
            self.new_connection(wizard.client_id, wizard.connection_id, wizard.owner)
        self.store.clean_up(wizard)
        self.store.tidied(wizard)

    def _tidy(self, wizard: Wizard, before: Connection, now: Connection) -> None:
        """Remove what the edit has replaced: the old password, the companies no longer used."""
        for name in {before.secret_name, wizard.secret_name} - {now.secret_name}:
            self.secrets.delete(name)
        if before.generation != now.generation:
            self.connections.forget_companies(wizard.client_id, wizard.connection_id, before.generation, soon=True)
            companies = self.connections.companies(wizard.client_id, wizard.connection_id)
            self._release_but(wizard, now, companies)

    def undo(self, wizard: Wizard) -> None:
        """A wizard ended without its connection: forget its password, its companies, and what it held."""
        self.secrets.delete(wizard.secret_name)
        live = self.connections.get(wizard.client_id, wizard.connection_id) if wizard.edit else None
        used = self.connections.companies(wizard.client_id, wizard.connection_id) if live else ()
        self._release(wizard, [identity(wizard.erp_system, company) for company in used])
        if live is None or live.generation != wizard.id:
            self.connections.forget_companies(wizard.client_id, wizard.connection_id, wizard.id, soon=False)
