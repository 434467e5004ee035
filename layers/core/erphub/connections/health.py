"""How connections are doing: what a run, a transfer or a test met changes their status, and one event says so.

    active ── login refused ──► reauth_required ── entered again, or a test passes ──► active
    active ── login refused, which may pass ──► degraded ── refused once more ──► reauth_required
                                                         ── let in ──► active
    active ── fails ──► degraded ── succeeds ──► active
    any of them ── paused by hand ──► paused ── resumed ──► what it was

Nothing is tried with credentials that were refused: schedules stop, and only a person's own test signs in again. What
may pass by itself (`CredentialsDoubted`) is tried once more, `SECOND_TRY_AFTER` later, by one alone (`background.py`).
The status and the event that tells of it are written in one step, so neither is there without the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from erphub.audit.service import AuditLog
from erphub.connections import problems
from erphub.connections.access import ConnectionAccess
from erphub.connections.capability import (
    CONNECTION_DEGRADED,
    CONNECTION_HEALED,
    CONNECTION_PAUSED,
    CONNECTION_REAUTH_REQUIRED,
    CONNECTION_RESUMED,
)
from erphub.connections.models import Connection, ConnectionStatus, Health, LastTest
from erphub.connections.ports import ConnectionHooks, ConnectionStore
from erphub.events.models import Event
from erphub.events.publisher import EventPublisher, make_event
from erphub.platform.capability import EventType
from erphub.platform.clock import Clock
from erphub.platform.errors import refuses_credentials, refuses_for_good
from erphub.platform.identity import Member
from erphub.platform.wire import JsonObject, instant
from erphub.tenancy.problems import CONNECTION_NOT_FOUND

LOGIN_DOUBTED = problems.LOGIN_DOUBTED.code
"""Work is put off, since the credentials were refused once and it is not yet time for the second try."""
_INCONCLUSIVE = frozenset(
    {
        "reauth_required",
        LOGIN_DOUBTED,
        "connection_paused",
        "connection_deleting",
        "connection_deleted",
        "connection_not_found",
        "overlapping_run",
        "nothing_to_import",
        "not_started",
        "machine_failed",
        "not_finished",
        "worker_lost",
        "secrets_busy",
        "storage_busy",
        "table_busy",
        "lake_busy",
        "lake_unavailable",
    }
)
"""Ends that tell nothing of the ERP: it was not asked, or the fault was ours."""
_MAX_ATTEMPTS = 8
SECOND_TRY_AFTER = timedelta(seconds=30)
"""Between two tries with credentials that are in doubt: a server that starts or hands over has mostly done so by then,
and people learn soon that their password is wrong. Servers lock a login out from five wrong passwords on, or ten: two
lock nobody out."""
_STATUS = ConnectionStatus

type StatusRule = Callable[[Connection], "StatusChange | None"]


@dataclass(frozen=True)
class StatusChange:
    """What changes: the status, why, and the event that tells of it."""

    to: ConnectionStatus
    reason: JsonObject | None = None
    event_type: EventType | None = None
    detail: str = ""
    pauses: bool = False
    renewed: bool = False
    """Whether its credentials were entered anew."""
    doubts: bool = False
    """Whether its credentials were refused once, in a way that may pass."""


@dataclass(frozen=True)
class Outcome:
    """What a run, a transfer or whoever else uses a connection met there."""

    client_id: str
    connection_id: str
    began_at: datetime
    """When it began: credentials that were entered later are not what was refused."""
    problem: Mapping[str, Any]
    succeeded: bool = False
    """Whether something went through."""
    conclusive: bool = True
    """Whether its problem says how the connection is doing; what was cancelled or goes on tells of refusals only."""
    event: Event | None = None
    """What people and programs learn of it."""


@dataclass(frozen=True)
class HealthService:
    """Changes the status of connections; the one place that does, besides an edit's end and a deletion."""

    connections: ConnectionStore
    publisher: EventPublisher
    hooks: ConnectionHooks
    clock: Clock

    # --- what happened ------------------------------------------------------------------------------------------------

    def report_refusal(
        self, client_id: str, connection_id: str, problem: Mapping[str, Any], began: datetime, *, is_final: bool = False
    ) -> None:
        """The ERP refused the credentials that somebody used who began at that instant.

        `is_final`: it is the last word, also when it could pass: met by a person's test, or by the second try.
        """
        decides = is_final or refuses_for_good(problem)
        self._apply(client_id, connection_id, lambda known: _refused(known, problem, began, is_final=decides))

    def claim_sign_in(self, connection: Connection) -> bool:
        """Whether the caller, and nobody else, may sign in now with credentials that are in doubt."""
        now, allowed_from = self.clock(), connection.sign_in_from
        if connection.health is None or allowed_from is None or now < allowed_from:
            return False
        claimed = connection.health.model_copy(update={"sign_in_from": now + SECOND_TRY_AFTER})
        return self.connections.change_status(connection, connection.status, claimed, None) is not None

    def report_signed_in(self, client_id: str, connection_id: str) -> None:
        """Credentials that were in doubt are good: whoever claimed the second try was let in."""
        self._apply(client_id, connection_id, _signed_in)

    def report_failure(self, client_id: str, connection_id: str, problem: Mapping[str, Any]) -> None:
        """The ERP could not be used, for another reason than its credentials."""
        self._apply(client_id, connection_id, lambda known: _failed(known, problem))

    def report_success(self, client_id: str, connection_id: str) -> None:
        """Something went through: a degraded connection has recovered. Of new credentials it is no proof."""
        self._apply(client_id, connection_id, _succeeded)

    def report_test(self, connection: Connection, result: LastTest) -> None:
        """What a test by hand showed: a passed one also shows that the credentials are good again."""
        ids = connection.client_id, connection.id
        if result.has_passed:
            self.reconnected(*ids)
        elif refuses_credentials(result.problem):
            self.report_refusal(*ids, result.problem or {}, result.started_at, is_final=True)
        else:
            self.report_failure(*ids, result.problem or {})

    def reconnected(self, client_id: str, connection_id: str) -> None:
        """Its credentials were entered again and tested, or turned out to be good: go on, catch up on what was missed.

        May be called again after it was cut off anywhere; also of a connection that an edit has made active already.
        """
        self._apply(client_id, connection_id, _reconnected)

    def report(self, outcome: Outcome) -> None:
        """What work on a connection came to: its event is published, then the connection stands as it shows.

        Published first, so that nothing that stands in the connection's way keeps the news. Again is fine. Raises
        Unavailable.
        """
        ids, problem = (outcome.client_id, outcome.connection_id), outcome.problem
        code = str(problem.get("code", ""))
        if outcome.event is not None:
            self.publisher.publish(outcome.event)
        if _is_refusal(problem):
            self.report_refusal(*ids, problem, outcome.began_at)
        elif outcome.succeeded:
            self.report_success(*ids)
        elif outcome.conclusive and code and code not in _INCONCLUSIVE:
            self.report_failure(*ids, problem)

    # --- by hand -----------------------------------------------------------------------------------------------------

    def pause(self, connection: Connection) -> Connection:
        """Stop its schedules until somebody resumes it; again is fine. Raises Conflict, NotFound."""
        return self._by_hand(connection, _paused)

    def resume(self, connection: Connection) -> Connection:
        """Go on where it was paused, and catch up on what was missed; again is fine. Raises Conflict, NotFound."""
        return self._by_hand(connection, _resumed)

    def _by_hand(self, connection: Connection, rule: StatusRule) -> Connection:
        if connection.is_being_deleted:
            raise problems.BEING_DELETED()
        after = self._apply(connection.client_id, connection.id, rule)
        if after is None:
            raise CONNECTION_NOT_FOUND()
        return after

    # --- one step ----------------------------------------------------------------------------------------------------

    def _apply(self, client_id: str, connection_id: str, rule: StatusRule) -> Connection | None:
        """Let the rule change the connection as it is now, whoever else changes it meanwhile."""
        for _ in range(_MAX_ATTEMPTS):
            known = self.connections.get(client_id, connection_id)
            if known is None or known.is_being_deleted:
                return known
            change = rule(known)
            if change is not None and not self._change_status(known, change):
                continue
            return self._catch_up(client_id, connection_id)
        raise problems.CONNECTION_BUSY()

    def _change_status(self, known: Connection, change: StatusChange) -> bool:
        now = self.clock()
        notice = None
        if change.event_type is not None:
            reason = {"reason": change.reason} if change.reason else {}
            about = f"{change.to.value} {instant(now)}"
            notice = make_event(
                change.event_type,
                known.client_id,
                known.id,
                now,
                about,
                f"{known.name}: {change.detail}",
                status=change.to,
                **reason,
            )
        if self.connections.change_status(known, change.to, _health(known, change, now), notice) is None:
            return False
        if notice is not None:
            self.publisher.publish_stored(notice)
        return True

    def _catch_up(self, client_id: str, connection_id: str) -> Connection | None:
        """Start what was missed while the schedules stood still, once they go on."""
        known = self.connections.get(client_id, connection_id)
        health = known.health if known else None
        if known is None or not known.is_operational or health is None or health.of is not known.status:
            return known
        if health.catch_up_from is None:
            return known
        self.hooks.reconnected(known, health.catch_up_from)
        done = health.model_copy(update={"catch_up_from": None})
        return self.connections.change_status(known, known.status, done, None) or self.connections.get(
            client_id, connection_id
        )


@dataclass(frozen=True)
class PauseService:
    """Connections paused and resumed by hand, by whoever may edit them."""

    access: ConnectionAccess
    health: HealthService
    audit: AuditLog

    def pause(self, member: Member, connection_id: str) -> None:
        """Stop a connection's imports and transfers. Raises NotFound, Forbidden, Conflict."""
        before = self.access.connection(member, connection_id)
        self._record(member, "connection.paused", before, self.health.pause(before))

    def resume(self, member: Member, connection_id: str) -> None:
        """Let them go on. Raises NotFound, Forbidden, Conflict."""
        before = self.access.connection(member, connection_id)
        self._record(member, "connection.resumed", before, self.health.resume(before))

    def _record(self, member: Member, action: str, before: Connection, after: Connection) -> None:
        self.audit.record(
            member.client_id,
            before.id,
            member.user,
            action,
            {"status": before.status.value},
            {"status": after.status.value},
            member.source,
            email=member.email,
            event_key=f"{action} {instant(after.status_since)}",
        )


# --- rules: what each means for a connection that stands as it does now -------------------------------------------


def _refused(known: Connection, problem: Mapping[str, Any], began: datetime, *, is_final: bool) -> StatusChange | None:
    entered = known.health.credentials_at if known.health else None
    if not known.is_operational or (entered is not None and began < entered):
        return None
    if not is_final:
        return _doubted(known, problem)
    return StatusChange(
        _STATUS.REAUTH_REQUIRED,
        _reason(problem),
        CONNECTION_REAUTH_REQUIRED,
        "The ERP no longer accepts its login. Nothing runs until somebody enters it again.",
    )


def _doubted(known: Connection, problem: Mapping[str, Any]) -> StatusChange | None:
    """Refused once. Others who were on their way then tell nothing new: only who claims the second try does."""
    if known.sign_in_from is not None:
        return None
    detail = "The ERP refused its login. That can pass by itself, so it is tried again once, half a minute later."
    is_news = known.status is _STATUS.ACTIVE
    return StatusChange(
        _STATUS.DEGRADED, _reason(problem), CONNECTION_DEGRADED if is_news else None, detail, doubts=True
    )


def _signed_in(known: Connection) -> StatusChange | None:
    if known.sign_in_from is None:
        return None
    return StatusChange(_STATUS.ACTIVE, None, CONNECTION_HEALED, "It works again.")


def _failed(known: Connection, problem: Mapping[str, Any]) -> StatusChange | None:
    reason = _reason(problem)
    if known.status is _STATUS.DEGRADED and known.status_reason != reason:
        return StatusChange(_STATUS.DEGRADED, reason)
    if known.status is not _STATUS.ACTIVE:
        return None
    return StatusChange(_STATUS.DEGRADED, reason, CONNECTION_DEGRADED, str(reason["detail"]))


def _succeeded(known: Connection) -> StatusChange | None:
    # What was let in before its credentials came into doubt proves nothing for them.
    if known.status is not _STATUS.DEGRADED or known.sign_in_from is not None:
        return None
    return StatusChange(_STATUS.ACTIVE, None, CONNECTION_HEALED, "It works again.")


def _reconnected(known: Connection) -> StatusChange | None:
    was = known.health.of if known.health else known.status
    if known.status is _STATUS.PAUSED:
        paused_from = known.health.paused_from if known.health else None
        return StatusChange(_STATUS.PAUSED, None, renewed=True) if paused_from in _UNHEALTHY else None
    if known.status in _UNHEALTHY or (known.status is _STATUS.ACTIVE and was in _UNHEALTHY):
        return StatusChange(_STATUS.ACTIVE, None, CONNECTION_HEALED, "It works again.", renewed=True)
    return None


_UNHEALTHY = (_STATUS.REAUTH_REQUIRED, _STATUS.DEGRADED)


def _paused(known: Connection) -> StatusChange | None:
    if known.status is _STATUS.PAUSED:
        return None
    return StatusChange(_STATUS.PAUSED, None, CONNECTION_PAUSED, "It was paused.", pauses=True)


def _resumed(known: Connection) -> StatusChange | None:
    if known.status is not _STATUS.PAUSED:
        return None
    before = known.health.paused_from if known.health else None
    return StatusChange(before or _STATUS.ACTIVE, known.status_reason, CONNECTION_RESUMED, "It was resumed.")


def _health(known: Connection, change: StatusChange, now: datetime) -> Health:
    before = known.health or Health(of=known.status, since=known.status_since)
    same = known.status is change.to
    paused_from, reason = None, change.reason
    if change.to is _STATUS.PAUSED:
        paused_from = known.status if change.pauses else _STATUS.ACTIVE
        reason = known.status_reason if change.pauses else None
    stops = change.to not in (_STATUS.ACTIVE, _STATUS.DEGRADED)
    return Health(
        of=change.to,
        since=known.status_since if same and before.of is change.to else now,
        reason=reason,
        paused_from=paused_from,
        catch_up_from=before.catch_up_from or (now if stops else None),
        credentials_at=now if change.renewed else before.credentials_at,
        sign_in_from=_sign_in_from(before, change, now),
        rev=before.rev,
    )


def _sign_in_from(before: Health, change: StatusChange, now: datetime) -> datetime | None:
    """A pause settles no doubt, nor does another failure."""
    if change.doubts:
        return now + SECOND_TRY_AFTER
    if change.renewed or change.to in (_STATUS.ACTIVE, _STATUS.REAUTH_REQUIRED):
        return None
    return before.sign_in_from


def _is_refusal(problem: Mapping[str, Any]) -> bool:
    """Whether the ERP itself has just refused the credentials, for whatever reason."""
    return refuses_credentials(problem) and problem.get("code") not in _INCONCLUSIVE


def _reason(problem: Mapping[str, Any]) -> JsonObject:
    code = str(problem.get("code") or "failed")
    return {"code": code, "detail": str(problem.get("detail") or "It could not be used.")}
