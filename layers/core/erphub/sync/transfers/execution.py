"""Transfers: what is due goes to the ERP, one transfer per connection at a time, by hand or by itself.

whole  ─ one call of the function: collect, send, settle. When its time runs out it hands over to the state machine,
         transfer.asl.json, which goes on with the same three tasks until nothing is left.
collect  takes the lease, opens the ERP, fetches what changed there
send     sends what is due in order, until done or out of time
settle   counts, says when the next transfer is best, tells people, gives the lease back
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from erphub.connections.models import Connection, ConnectionStatus
from erphub.connections.ports import ConnectionStore
from erphub.erp.documents import Document, DocumentKind, Settlement
from erphub.erp.posting import Posting, PostsDocuments, ReadsChanges
from erphub.platform.clock import Clock
from erphub.platform.errors import Conflict, CredentialsRefused, ErpRefused, HubError, NotFound, Unavailable
from erphub.platform.workers import Worker
from erphub.sync.changes.service import KINDS, ChangeService
from erphub.sync.documents.service import let_go, released
from erphub.sync.export_log.gaps import days_to_judge, noticed, settlements
from erphub.sync.export_log.models import BEFORE_FROM_DATE, Entry
from erphub.sync.export_log.ports import DocumentFiles, ExportLogStore
from erphub.sync.settings.models import Sync
from erphub.sync.settings.ports import Notices, SyncStore
from erphub.sync.transfers.completion import MISSING, REJECTED, absence, after, ended, refusal
from erphub.sync.transfers.models import Counts, Transfer, TransferState
from erphub.sync.transfers.sending import DocumentSender, PlannedAction, SendOutcome, TransferAborted

LEASE = timedelta(minutes=6)
"""Longer than the function can run, so that whoever lets it run out is dead."""
_SPARE = 45.0
"""Seconds of the function's time that are kept to finish properly."""
_ORDER = {DocumentKind.CUSTOMER: 1, DocumentKind.PRODUCT: 2, DocumentKind.SETTLEMENT: 3, DocumentKind.INVOICE: 4}
_BATCH = 25
_ENOUGH = 50
"""After so many documents in a row of a kind that the ERP did not take, the others of the kind wait for the next time;
those that were tried wait longer, so that every document is reached."""
type Task = Mapping[str, Any]


@dataclass(frozen=True)
class TransferExecutor:
    """Does the work of transfers."""

    syncs: SyncStore
    log: ExportLogStore
    papers: DocumentFiles
    connections: ConnectionStore
    open: Callable[[Connection], object]
    """The connected ERP of a connection."""
    refused: Callable[[Connection, HubError], None]
    """Told that the ERP no longer accepts the connection's credentials."""
    worker: Worker
    notices: Notices
    clock: Clock
    settle_time: timedelta
    render: Callable[[Settlement], bytes]
    as_problem: Callable[[HubError], dict[str, Any]]
    report: Callable[[str, Exception], None]
    """Told of what nobody foresaw, with the document's id."""

    def whole(self, task: Task, worker: str, time_left: Callable[[], float]) -> dict[str, Any]:
        """All of a transfer, or the first part of it. Raises Unavailable to be called again."""
        run = self._begin(task, worker)
        if run is None:
            return {"outcome": "finished"}
        if run.collect(time_left) or run.send(time_left):
            run.hand_over()
            return {"outcome": "handed_over"}
        return run.settle()

    def collect(self, task: Task, worker: str, time_left: Callable[[], float]) -> dict[str, Any]:
        """The machine's first step; a transfer that is finished already needs no other."""
        run = self._begin(task, worker)
        if run is None:
            return {"outcome": "finished"}
        more = run.collect(time_left)
        run.pause()
        return {"outcome": "more" if more else "collected"}

    def send(self, task: Task, worker: str, time_left: Callable[[], float]) -> dict[str, Any]:
        """The machine's second step, repeated while there is more."""
        run = self._begin(task, worker)
        if run is None:
            return {"outcome": "finished"}
        more = run.send(time_left)
        run.pause()
        return {"outcome": "more" if more else "done"}

    def settle(self, task: Task, worker: str) -> dict[str, Any]:
        """The machine's last step."""
        run = self._begin(task, worker)
        return {"outcome": "finished"} if run is None else run.settle()

    def _begin(self, task: Task, worker: str) -> "_TransferContext | None":
        """The transfer with the lease in hand; None when it has finished. Raises Unavailable while another has it."""
        client_id, connection_id, name = str(task["client_id"]), str(task["connection_id"]), str(task["transfer_id"])
        transfer = self.log.transfer(client_id, connection_id, name)
        sync = self.syncs.get(client_id, connection_id)
        if transfer is None or sync is None or transfer.finished_at is not None:
            return None
        now = self.clock()
        try:
            self.syncs.lease(client_id, connection_id, transfer.id, worker, now + LEASE, now)
        except Conflict as error:
            raise Unavailable(error.detail, code="transfer_running") from error
        run = _TransferContext(self, sync, transfer)
        if transfer.started_at is None:
            run.change(state=TransferState.RUNNING, started_at=now)
        return run

    # --- dry run -----------------------------------------------------------------------------------------------------

    def preview(self, task: Task) -> dict[str, Any]:
        """What a transfer would post, document by document, posting nothing."""
        client_id, connection_id = str(task["client_id"]), str(task["connection_id"])
        transfer = self.log.transfer(client_id, connection_id, str(task["transfer_id"]))
        sync = self.syncs.get(client_id, connection_id)
        if transfer is None or sync is None or transfer.finished_at is not None:
            return {"outcome": "finished"}
        run = _TransferContext(self, sync, transfer)
        run.change(state=TransferState.RUNNING, started_at=self.clock())
        try:
            sender = run.sender()
            for number, entry in enumerate(run.due()):
                chosen = let_go(entry, self.clock()) if transfer.documents else entry
                self.log.add_preview(transfer, number, self._shown(sender, chosen))
        except HubError as error:
            run.change(problem=self.as_problem(error), state=TransferState.FAILED, finished_at=self.clock())
        else:
            run.change(state=TransferState.SUCCEEDED, finished_at=self.clock())
        return {"outcome": "finished"}

    def _shown(self, sender: DocumentSender, entry: Entry) -> dict[str, Any]:
        shown: dict[str, Any] = {"document": entry.id, "kind": entry.kind.value, "title": entry.title}
        try:
            return shown | sender.preview(entry)
        except Unavailable as error:
            return shown | {"would": PlannedAction.WAIT.value, "problem": self.as_problem(error)}
        except HubError as error:
            return shown | {"would": PlannedAction.BE_REFUSED.value, "problem": self.as_problem(error)}


@dataclass
class _TransferContext:
    """One transfer under its lease."""

    carrier: TransferExecutor
    sync: Sync
    transfer: Transfer
    _opened: list[PostsDocuments] = field(default_factory=list[PostsDocuments])
    _unanswered: Counter[DocumentKind] = field(default_factory=Counter[DocumentKind])
    """By kind, how many documents in a row the ERP did not take though it answers."""
    _told: set[str] = field(default_factory=set[str])
    _conflicts: int = 0
    """Of records whose both sides met on the way to the ERP."""

    @property
    def keep(self) -> int:
        return self.sync.settings.retention_days

    def change(self, **changes: Any) -> None:
        self.transfer = self.carrier.log.put_transfer(self.transfer.model_copy(update=changes), self.keep)

    def system(self) -> PostsDocuments:
        """The connected ERP. Raises ErpRefused, Conflict when the connection is not one to send through now."""
        if not self._opened:
            connection = self._connection()
            system = self.carrier.open(connection)
            if not isinstance(system, PostsDocuments):
                raise ErpRefused("This ERP system takes no documents.", code="documents_not_supported")
            self._opened.append(system)
        return self._opened[0]

    def _connection(self) -> Connection:
        connection = self.carrier.connections.get(self.sync.client_id, self.sync.connection_id)
        if connection is None or connection.status in (ConnectionStatus.DELETING, ConnectionStatus.DELETED):
            raise NotFound("The connection is no longer there.", code="connection_not_found")
        if connection.status is ConnectionStatus.PAUSED:
            raise Conflict("The connection is paused. Resume it first.", code="connection_paused")
        if connection.status is ConnectionStatus.REAUTH_REQUIRED:
            raise CredentialsRefused(
                "The ERP does not accept the connection's credentials. Enter them again.", code="reauth_required"
            )
        return connection

    def collect(self, time_left: Callable[[], float]) -> bool:
        """Fetch what changed in the ERP; whether there is more of it."""
        if self.transfer.problem or self.transfer.documents:
            return False
        try:
            system = self.system()
        except HubError as error:
            self._stand_still(error)
            return False
        if not isinstance(system, ReadsChanges):
            return False
        kinds = [kind for kind in KINDS if self.sync.settings.sends(kind) and self.transfer.kind in (None, kind)]
        more = False
        for kind in kinds:
            more = self._fetched(system, kind, time_left) or more
        return more

    def _fetched(self, system: ReadsChanges, kind: DocumentKind, time_left: Callable[[], float]) -> bool:
        """Fetch one kind. A kind that cannot be read is told of, and keeps back neither the others nor the till's."""
        if self.transfer.problem or kind.value in self.transfer.not_read:
            return False
        try:
            return self._fetch(system, kind, time_left)
        except Conflict as error:
            # Somebody handed the same record in at this moment: the change is met again with the next transfer.
            self.carrier.report(kind.value, error)
        except HubError as error:
            if isinstance(error, CredentialsRefused) or "retry_after" in error.facts:
                self._stand_still(error)
            else:
                self._cannot_read(kind, error)
        except Exception as error:  # noqa: BLE001 — what the till handed over has nothing to do with it
            self.carrier.report(kind.value, error)
            self._cannot_read(kind, HubError("Something went wrong on our side.", code="internal_error"))
        return False

    def _cannot_read(self, kind: DocumentKind, error: HubError) -> None:
        problem = self.carrier.as_problem(error)
        problem["detail"] = f"Changes of {kind.value}s in the ERP could not be read: {problem['detail']}"
        self.change(not_read={**self.transfer.not_read, kind.value: problem})

    def _fetch(self, system: ReadsChanges, kind: DocumentKind, time_left: Callable[[], float]) -> bool:
        changes = ChangeService(self.carrier.log, self.carrier.clock)
        newest, counts, done = changes.fetch(self.sync, system, kind, lambda: time_left() > _SPARE)
        if newest is not None and newest != self.sync.cursors.get(kind.value):
            self._update_sync(lambda sync: {"cursors": {**sync.cursors, kind.value: newest}})
        if counts != Counts():
            self.change(counts=_sum(self.transfer.counts, counts))
        return not done

    def send(self, time_left: Callable[[], float]) -> bool:
        """Send what is due, in order; whether time ran out before all of it was tried."""
        if self.transfer.problem:
            return False
        if self.sync.judged_from is None or self.sync.settings.from_date < self.sync.judged_from:
            self._let_days_in()
        counts, arrivals = self.transfer.counts, list(self.transfer.arrivals)
        more = False
        try:
            sender = self.sender()
            for entry in self.due():
                if time_left() < _SPARE:
                    more = True
                    break
                if self._unanswered[entry.kind] >= _ENOUGH:
                    continue
                fate = self._one(sender, entry)
                if fate is not SendOutcome.LEFT:
                    counts = counts.plus(**{fate.counted: 1})
                    arrivals.append(entry.arrived_at)
        except TransferAborted as still:
            self._stand_still(still.error)
        except HubError as error:
            self._stand_still(error)
        counts = counts.plus(conflicts=self._conflicts)
        self.change(counts=counts, arrivals=tuple(_thinned(arrivals)))
        return more

    def _let_days_in(self) -> None:
        """The from date was moved back: what was left out for its day and is no longer before it goes after all."""
        ids, first = (self.sync.client_id, self.sync.connection_id), self.sync.settings.from_date
        left_out = self.carrier.log.queue(*ids, "skipped")
        names = [entry.id for entry in left_out if entry.code == BEFORE_FROM_DATE and entry.date >= first]
        for start in range(0, len(names), _BATCH):
            found = self.carrier.log.entries(*ids, names[start : start + _BATCH])
            freed = [released(entry, self.carrier.clock()) for entry in found if entry.code == BEFORE_FROM_DATE]
            self.carrier.log.put_many(freed, self.keep)
        self._update_sync(lambda current: {"judged_from": max(first, current.settings.from_date)})

    def _one(self, sender: DocumentSender, entry: Entry) -> SendOutcome:
        """One document; what goes wrong with it stops no other, unless the ERP cannot be used at all."""
        try:
            fate = sender.send(entry)
        except Conflict as error:
            # Somebody else changed it at this moment; if it went out, it is looked for before it goes again.
            self.carrier.report(entry.id, error)
            return SendOutcome.LEFT
        except (TransferAborted, HubError):
            raise
        except Exception as error:  # noqa: BLE001 — the document stays as it is and shows in the log; the others go on
            self.carrier.report(entry.id, error)
            return SendOutcome.LEFT
        if fate is SendOutcome.UNANSWERED:
            self._unanswered[entry.kind] += 1
        elif fate not in (SendOutcome.LEFT, SendOutcome.PENDING):
            self._unanswered[entry.kind] = 0
        return fate

    def sender(self) -> DocumentSender:
        carrier, changes = self.carrier, ChangeService(self.carrier.log, self.carrier.clock)
        system = self.system()
        two_way = isinstance(system, ReadsChanges)

        def meet(entry: Entry, document: Document, posting: Posting) -> tuple[Document, str] | None:
            there = system.find_matching_record(document, posting) if isinstance(system, ReadsChanges) else None
            if there is None:
                return None
            return changes.met(self.sync, entry, document, there, dry=self.transfer.dry_run), there.reference

        def agreed(entry: Entry, document: Document) -> None:
            self._conflicts += changes.agreed(self.sync, entry, document)

        return DocumentSender(
            carrier.log,
            system,
            self.sync.settings,
            carrier.papers,
            carrier.clock,
            self.transfer.by,
            self.transfer.id,
            carrier.settle_time,
            carrier.render,
            (lambda entry, document: changes.merged(self.sync, entry, document)) if two_way else None,
            meet if two_way else None,
            agreed if two_way else None,
            carrier.report,
        )

    def due(self) -> Iterable[Entry]:
        """What is to be sent now, whole, customers and products before what names them."""
        wanted = self._chosen() if self.transfer.documents else self._waiting()
        for start in range(0, len(wanted), _BATCH):
            names = [entry.id for entry in wanted[start : start + _BATCH]]
            found = self.carrier.log.entries(self.sync.client_id, self.sync.connection_id, names)
            whole = {entry.id: entry for entry in found}
            yield from (whole[name] for name in names if name in whole and whole[name].handled_by != self.transfer.id)

    def _chosen(self) -> list[Entry]:
        found = self.carrier.log.entries(self.sync.client_id, self.sync.connection_id, self.transfer.documents)
        return sorted((entry for entry in found if self.sync.settings.sends(entry.kind)), key=_order)

    def _waiting(self) -> list[Entry]:
        wanted: list[Entry] = []
        for queue in ("pending", "uncertain", "sending", "attach"):
            listed = self.carrier.log.queue(self.sync.client_id, self.sync.connection_id, queue, self.transfer.kind)
            wanted += [entry for entry in listed if self.sync.settings.sends(entry.kind)]
        return sorted(wanted, key=_order)

    def _stand_still(self, error: HubError) -> None:
        self.change(problem=self.carrier.as_problem(error))
        if isinstance(error, CredentialsRefused) and error.code != "reauth_required":
            connection = self.carrier.connections.get(self.sync.client_id, self.sync.connection_id)
            if connection is not None:
                self.carrier.refused(connection, error)

    def pause(self) -> None:
        """Let the next step in at once."""
        now = self.carrier.clock()
        ids = (self.sync.client_id, self.sync.connection_id)
        self.carrier.syncs.lease(*ids, self.transfer.id, "", now + LEASE, now)

    def hand_over(self) -> None:
        """Too much for one call: the state machine goes on."""
        self.pause()
        self.carrier.worker.ask_machine(self.transfer.id, task_of(self.transfer, "collect"))

    def settle(self) -> dict[str, Any]:
        """Count, plan, tell, and let others on."""
        now = self.carrier.clock()
        end = ended(self.transfer, now)
        waiting = [entry for queue in ("pending", "uncertain", "attach") for entry in self._queue(queue)]
        rejected = self._queue("rejected")
        judged = self._tell_gaps(now)

        def changes(sync: Sync) -> dict[str, Any]:
            planned = after(sync, end, waiting, now)
            return planned | {"told": self._tell(planned["told"], end, rejected), "gaps_judged": judged}

        self._update_sync(changes)
        self.transfer = self.carrier.log.put_transfer(end, self.keep)
        self.carrier.syncs.release(self.sync.client_id, self.sync.connection_id, end.id)
        told = sorted(self._told)
        return {"outcome": "finished", "counts": end.counts.model_dump(), "state": end.state.value, "notices": told}

    def _queue(self, queue: str) -> list[Entry]:
        listed = self.carrier.log.queue(self.sync.client_id, self.sync.connection_id, queue)
        return [entry for entry in listed if self.sync.settings.sends(entry.kind)]

    def _tell(self, told: tuple[str, ...], end: Transfer, rejected: list[Entry]) -> tuple[str, ...]:
        """Tell of refused documents, once until none is left; the answer is what stands told from now on."""
        if not rejected and not end.counts.rejected:
            return tuple(code for code in told if code != REJECTED)
        if REJECTED not in told and REJECTED not in self._told:
            self._told.add(REJECTED)
            detail, facts = refusal(end, rejected)
            self.carrier.notices.tell(end.client_id, end.connection_id, REJECTED, detail, **facts)
        return (*(code for code in told if code != REJECTED), REJECTED)

    def _tell_gaps(self, now: datetime) -> date | None:
        """Tell of Z-reports that should have come by now; the answer is up to which day people have been told.

        Up to the newest that came: what has come of no till yet is a silence, and told as that.
        """
        sync, today = self.sync, now.astimezone(ZoneInfo(self.sync.settings.time_zone)).date()
        first, last = days_to_judge(today, sync.gaps_judged, sync.settings.from_date)
        if not sync.settings.z_report or first > last:
            return sync.gaps_judged
        known = list(settlements(self.carrier.log, sync.client_id, sync.connection_id, first, last))
        last = max((entry.date for entry in known), default=date.min)
        if first > last:
            return sync.gaps_judged
        if gaps := noticed(known, first, last):
            self._told.add(MISSING)
            detail, facts = absence(gaps)
            self.carrier.notices.tell(sync.client_id, sync.connection_id, MISSING, detail, **facts)
        return last

    def _update_sync(self, changes: Callable[[Sync], dict[str, Any]]) -> None:
        """Change what is kept of the sync, on top of whatever others changed meanwhile."""
        for _ in range(5):
            current = self.carrier.syncs.get(self.sync.client_id, self.sync.connection_id)
            if current is None:
                return
            try:
                self.sync = self.carrier.syncs.put(current.model_copy(update=changes(current)))
            except Conflict:
                continue
            return
        raise Unavailable("The sync is being changed by others. Try again.", code="version_conflict")


def task_of(transfer: Transfer, task: str) -> dict[str, Any]:
    """The event that asks for a task of a transfer: names only, no document and no secret."""
    return {
        "task": task,
        "client_id": transfer.client_id,
        "connection_id": transfer.connection_id,
        "transfer_id": transfer.id,
    }


def _order(entry: Entry) -> tuple[int, Any, int, str]:
    return _ORDER[entry.kind], entry.date, entry.number, entry.id


def _sum(one: Counts, other: Counts) -> Counts:
    return one.plus(**{name: value for name, value in other.model_dump().items() if value})


def _thinned(arrivals: list[Any]) -> list[Any]:
    """A few dozen of the arrivals are as good as all of ten thousand: they are grouped anyway."""
    return sorted(arrivals)[:: max(1, len(arrivals) // 60)]
