"""The settings of a connection's sync, saved once the ERP has everything that they name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from erphub.connections.access import require_active
from erphub.connections.erp_access import ErpAccess
from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.erp.documents import DocumentKind, Product
from erphub.erp.posting import ListsSetup, Posting, PostsDocuments, Setup
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, FieldError, Unavailable
from erphub.platform.outbound import deadlines
from erphub.platform.versions import is_wanted
from erphub.sync import problems
from erphub.sync.canonical import entry_id, posting_key
from erphub.sync.locations.models import Department
from erphub.sync.settings.located import RECORDS, settings_of
from erphub.sync.settings.models import AUTOMATIC_IS_OFF, SettlementTarget, Sync, SyncInput, SyncSettings
from erphub.sync.settings.pacing import plan_next
from erphub.sync.settings.ports import DocumentHistory, SyncStore, TransferLeases
from erphub.sync.settings.validation import (
    company_fixed,
    shop_fixed,
    with_the_only_company,
    wrong_locations,
    wrong_settings,
)
from erphub.tenancy.problems import CONNECTION_NOT_FOUND

MAX_DEPARTMENTS = 1000
"""How many of a company's departments are remembered."""


@runtime_checkable
class SetupSource(ListsSetup, PostsDocuments, Protocol):
    """An ERP that takes documents and says what their settings can choose from."""


@dataclass(frozen=True)
class SyncService:
    """Settings of syncs, for the API."""

    syncs: SyncStore
    leases: TransferLeases
    documents: DocumentHistory
    connections: ConnectionStore
    erp: ErpAccess
    clock: Clock

    def get(self, client_id: str, connection_id: str) -> Sync:
        """The sync. Raises NotFound (`connection_not_found`, `sync_not_set_up`)."""
        self.get_connection(client_id, connection_id)
        sync = self.syncs.get(client_id, connection_id)
        if sync is None:
            raise problems.SYNC_NOT_SET_UP()
        return sync

    def next_transfer(self, sync: Sync) -> tuple[datetime | None, str]:
        """When the next transfer is, and why then or why there is none: none of a connection that is not in use."""
        match self.get_connection(sync.client_id, sync.connection_id).status:
            case ConnectionStatus.PAUSED:
                return None, "The connection is paused."
            case ConnectionStatus.REAUTH_REQUIRED:
                return None, "The ERP does not accept the connection's credentials: enter them again."
            case ConnectionStatus.DELETING:
                return None, "The connection is being deleted."
            case _:
                return sync.next_at, sync.next_reason

    def running_transfer(self, sync: Sync) -> str | None:
        """The id of the transfer that is under way."""
        return self.leases.holder(sync.client_id, sync.connection_id, self.clock())

    def save(self, client_id: str, connection_id: str, by: str, wanted: SyncInput) -> Sync:
        """Keep the settings, once the ERP has everything they name.

        Raises Invalid with all that is wrong, Conflict (`version_conflict`), and what the ERP raises.
        """
        before = self.syncs.get(client_id, connection_id)
        if not is_wanted(wanted.version, before.version if before else None):
            raise problems.SETTINGS_CHANGED()
        errors, settings, setup = self._look_up(client_id, connection_id, wanted)
        if errors:
            raise problems.SETTINGS_INVALID(errors=errors)
        now = self.clock()
        had = before.settings.model_dump(mode="json") if before else {}
        describe_act(
            old=_other(had, settings.model_dump(mode="json")), new=_other(settings.model_dump(mode="json"), had)
        )
        if before is None:
            fresh = Sync(
                client_id=client_id,
                connection_id=connection_id,
                settings=settings,
                departments=_departments(setup),
                applied_from_date=settings.first_date,
                saved_at=now,
                saved_by=by,
            )
        else:
            changes = {"settings": settings, "version": before.version + 1, "saved_at": now, "saved_by": by}
            changes |= {"cursors": _cursors(before, settings), "departments": _departments(setup)}
            changes |= {"applied_from_date": _applied_from_date(before, settings)}
            fresh = before.model_copy(update=changes)
        return self.syncs.save(self._planned(fresh, now))

    def check(self, client_id: str, connection_id: str, wanted: SyncInput) -> tuple[list[FieldError], Setup]:
        """Everything that is wrong with the settings, and what the ERP has to choose from; nothing is saved."""
        errors, _, setup = self._look_up(client_id, connection_id, wanted)
        return errors, setup

    @deadlines.at_most(deadlines.LOOK_UP_SECONDS)
    def refresh(self, client_id: str, connection_id: str, company: str) -> Setup:
        """Ask the ERP again what a company has to choose from; the settings' own when none is named.

        Its departments are kept: a document that names one goes there. Raises NotFound, Conflict, what the ERP raises.
        """
        sync = self.get(client_id, connection_id)
        own = sync.settings.company
        setup = self.setup_source(client_id, connection_id).setup(company or own)
        if company in ("", own):
            self._keep_departments(sync, _departments(setup))
        return setup

    def _keep_departments(self, sync: Sync, departments: tuple[Department, ...]) -> None:
        current: Sync | None = sync
        for is_last in (False, False, True):
            if current is None or current.departments == departments:
                return
            try:
                self.syncs.save(current.model_copy(update={"departments": departments}))
            except Conflict:
                if is_last:
                    raise
                current = self.syncs.get(sync.client_id, sync.connection_id)
            else:
                return

    def setup_source(self, client_id: str, connection_id: str) -> SetupSource:
        """The connected ERP. Raises NotFound, Conflict, ErpRefused (`documents_not_supported`)."""
        connection = self.get_connection(client_id, connection_id)
        require_active(connection)
        adapter = self.erp.connected(connection)
        if not isinstance(adapter, SetupSource):
            raise problems.DOCUMENTS_NOT_SUPPORTED()
        return adapter

    @deadlines.at_most(deadlines.LOOK_UP_SECONDS)
    def _look_up(
        self, client_id: str, connection_id: str, wanted: SyncInput
    ) -> tuple[list[FieldError], SyncSettings, Setup]:
        """What is wrong, the settings as they would be saved, and what there is to choose from."""
        adapter = self.setup_source(client_id, connection_id)
        setup = adapter.setup(wanted.company)
        settings = with_the_only_company(wanted.settings(), setup)
        before = self.syncs.get(client_id, connection_id)
        if before is not None and self._has_another_company(before, settings):
            return [company_fixed(before.settings.company)], settings, setup
        confirmed = wanted.confirm_ledger or _was_ledger(before)
        has_product = _product_finder(adapter, connection_id, settings)
        wrong = wrong_settings(settings, setup, has_product, ledger_confirmed=confirmed)
        wrong += wrong_locations(settings, _Setups(adapter, {settings.company: setup}))
        return wrong + list(self._moved_shops(before, settings)), settings, setup

    def _moved_shops(self, before: Sync | None, settings: SyncSettings) -> Iterator[FieldError]:
        """Locations whose documents, by whichever of their words, went to another company than they would go to now."""
        if before is None or before.settings.locations == settings.locations:
            return
        after = before.model_copy(update={"settings": settings})
        for place in sorted(self.documents.places_in_erp(before.client_id, before.connection_id)):
            try:
                now = settings_of(after, place.kind, place.department, place.till).company
            except Unavailable:
                continue  # it waits
            if now != place.company:
                yield shop_fixed(place.company, settings, place.department, place.till)

    def _has_another_company(self, before: Sync, settings: SyncSettings) -> bool:
        """Whether another company is wanted than the one that has, or may have, something of this sync."""
        company = before.settings.company
        if not company or not settings.company or company == settings.company:
            return False
        is_only = len(before.settings.companies()) == 1
        sent = (is_only and before.history.last_sent_at) or any(kind.value in before.cursors for kind in RECORDS)
        return bool(sent) or self.documents.may_be_in_erp(before.client_id, before.connection_id, company)

    def _planned(self, sync: Sync, now: datetime) -> Sync:
        """The sync with its next transfer: soon after it is switched on, never when it is by hand."""
        if not sync.settings.is_automatic:
            return sync.model_copy(update={"next_at": None, "next_reason": AUTOMATIC_IS_OFF})
        freed = sync.applied_from_date is not None and sync.settings.first_date < sync.applied_from_date
        if sync.next_at is not None and not freed:
            return sync
        waiting_since = self.documents.waiting_since(sync.client_id, sync.connection_id)
        best = plan_next(sync, now, waiting=1 if waiting_since or freed else 0, oldest=waiting_since or now)
        if sync.next_at is not None and sync.next_at <= best.at:
            return sync
        return sync.model_copy(update={"next_at": best.at, "next_reason": best.reason})

    def get_connection(self, client_id: str, connection_id: str) -> Connection:
        """The connection that a sync is of. Raises NotFound (`connection_not_found`)."""
        connection = self.connections.get(client_id, connection_id)
        if connection is None or connection.status is ConnectionStatus.DELETED:
            raise CONNECTION_NOT_FOUND()
        return connection


@dataclass(frozen=True)
class _Setups:
    """What each company of an ERP has to choose from, asked for once."""

    erp: ListsSetup
    known: dict[str, Setup]

    def __call__(self, company: str) -> Setup:
        if company not in self.known:
            self.known[company] = self.erp.setup(company)
        return self.known[company]


def _other(values: Mapping[str, Any], than: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not the same there."""
    return {name: value for name, value in values.items() if name not in than or than[name] != value}


def _product_finder(adapter: PostsDocuments, connection_id: str, settings: SyncSettings) -> Callable[[str], bool]:
    """Looks a product number up in the ERP."""

    def has_product(number: str) -> bool:
        product = Product(number=number, name=number, price=Decimal(0))
        key = posting_key(entry_id(connection_id, DocumentKind.PRODUCT, number))
        return adapter.find(DocumentKind.PRODUCT, Posting(key, settings.routing()), product) is not None

    return has_product


def _was_ledger(before: Sync | None) -> bool:
    return (
        before is not None and before.settings.z_report and before.settings.settlement_target is SettlementTarget.LEDGER
    )


def _applied_from_date(before: Sync, settings: SyncSettings) -> date | None:
    """What comes in from now on is left out by the new from date; what came before, perhaps by a later one."""
    if {one.name: one.from_date for one in before.settings.locations} != {
        one.name: one.from_date for one in settings.locations
    }:
        return date.max  # which were left out by which date is looked at entry by entry
    return before.applied_from_date and max(before.applied_from_date, settings.first_date)


def _cursors(before: Sync, settings: SyncSettings) -> dict[str, datetime]:
    """A kind whose master changes is looked at from the beginning: what was nobody's business now is."""
    same = {kind.value for kind in RECORDS if before.settings.master(kind) is settings.master(kind)}
    return {name: at for name, at in before.cursors.items() if name.partition("@")[0] in same}


def _departments(setup: Setup) -> tuple[Department, ...]:
    return tuple(Department(key=one.key, name=one.title) for one in setup.departments[:MAX_DEPARTMENTS])
