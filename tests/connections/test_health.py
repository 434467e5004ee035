"""What happens to a connection when its ERP refuses the login, fails, works again; told once, and made up for."""

from datetime import timedelta

import pytest

from erphub.companies.access_requests import AccessRequests
from erphub.companies.models import CompanyUse
from erphub.connections.health import HealthService
from erphub.connections.models import ConnectionStatus, LastTest
from erphub.erp.probes import ProbeView
from erphub.erp.systems.twentyfourseven import outcomes
from erphub.erp.transports.sqlserver import errors as refusals
from erphub.events.publisher import make_event
from erphub.events.schemas import NotificationQuery
from erphub.imports.capability import IMPORT_FINISHED
from erphub.imports.runs.models import Run, RunRef, RunStatus, RunTrigger
from erphub.imports.runs.units import problem_of
from erphub.platform.errors import (
    Conflict,
    CredentialsDoubted,
    CredentialsRefused,
    ErpRefused,
    HubError,
    NotFound,
    Unavailable,
)
from erphub.platform.problem_documents import as_problem
from erphub.platform.wire import instant
from erphub.sync.transfers.models import Counts, Transfer, TransferStatus
from erphub.sync.transfers.notices import SyncNotices
from tests.support.aws import on_both

REFUSED = problem_of(CredentialsRefused("The server does not accept the login and password."))
SHOWN = {name: REFUSED[name] for name in ("code", "detail")}
AWAY = {"code": "server_unreachable", "detail": "The server did not answer."}


def run(scene, connection, status, problem=None, about="run-1"):
    ref = RunRef(connection.client_id, "job-1", about)
    now = instant(scene.clock())
    return Run(
        ref,
        connection.id,
        RunTrigger.SCHEDULE,
        status,
        "schedule",
        now,
        started_at=now,
        finished_at=now,
        problem=problem,
    )


def transfer(scene, connection, status=TransferStatus.SUCCEEDED, problem=None, **counts):
    now = scene.clock()
    return Transfer(
        id="01JCG0W1ZARD0000000000000A",
        client_id=connection.client_id,
        connection_id=connection.id,
        started_by="hub",
        status=status,
        problem=problem,
        counts=Counts(**counts),
        created_at=now,
        started_at=now,
        finished_at=now,
    )


def by_hand(scene, connection, stage=None, error=None):
    """A test by hand, which that stage failed with that error."""
    outcomes = [("tcp", "passed"), ("login", "passed"), ("read", "passed")]
    probes = [
        ProbeView(stage=one, outcome="failed" if one == stage else outcome, duration_ms=1, detail="…")
        for one, outcome in outcomes
    ]
    now = scene.clock()
    problem = as_problem(error) if error else None
    result = LastTest(id="t", started_at=now, finished_at=now, has_passed=not stage, probes=probes, problem=problem)
    scene.health.report_test(connection, result)


# --- refused ----------------------------------------------------------------------------------------------------------


def test_a_refused_login_stops_the_connection_and_is_told_once(scene):
    connection = scene.connection()
    failed = run(scene, connection, RunStatus.FAILED, REFUSED)
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, scene.clock())
    scene.run_ended(failed)
    scene.run_ended(failed)  # the machine's last task came twice
    now = scene.now(connection)
    assert (now.status, now.is_operational) == ("reauth_required", False)
    assert now.status_reason == SHOWN
    assert scene.notified() == sorted(["connection.reauth_required", "import.failed"])
    assert sorted(scene.on_the_bus()) == sorted(scene.notified())


def every_refusal() -> list[HubError]:
    """Each way in which an ERP refuses credentials, as its own table words it, and one nobody has thought of yet."""
    known = [one.problem() for one in refusals._KNOWN if issubclass(one.problem.kind, CredentialsRefused)]
    return [*known, outcomes.credentials_refused(), CredentialsRefused("Not you.", code="of_another_erp")]


@pytest.mark.parametrize("error", every_refusal(), ids=lambda error: error.code)
def test_a_login_that_is_locked_expired_or_switched_off_stops_the_connection_as_a_wrong_password_does(scene, error):
    one, other, third, fourth = (scene.connection() for _ in range(4))
    scene.run_progressed(run(scene, one, RunStatus.RUNNING, problem_of(error)))
    scene.run_ended(run(scene, other, RunStatus.FAILED, problem_of(error)))
    scene.transfer_ended(transfer(scene, third, TransferStatus.FAILED, as_problem(error)))
    by_hand(scene, fourth, "login", error)
    told_at_once = (fourth,) if isinstance(error, CredentialsDoubted) else (one, other, third, fourth)
    for connection in (one, other, third, fourth):
        if connection not in told_at_once:
            assert scene.now(connection).status == "degraded", "it may pass by itself, and is tried once more"
            assert scene.now(connection).status_reason == {"code": error.code, "detail": error.detail}
    for connection in told_at_once:
        now = scene.now(connection)
        assert (now.status, now.is_operational) == ("reauth_required", False)
        assert now.status_reason == {"code": error.code, "detail": error.detail}


def test_every_sql_server_refusal_of_a_login_is_among_those_tried_here():
    codes = {error.code for error in every_refusal()}
    assert codes >= {
        "login_locked",
        "password_expired",
        "login_disabled",
        "password_must_change",
        "credentials_refused",
    }


def test_a_run_that_goes_on_and_met_something_else_stops_nothing(scene):
    connection = scene.connection()
    scene.run_progressed(run(scene, connection, RunStatus.RUNNING, AWAY))
    scene.run_progressed(run(scene, connection, RunStatus.RUNNING))
    assert scene.now(connection).status == "active"


def test_a_run_that_was_not_let_in_says_nothing_new(scene):
    connection = scene.connection()
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, scene.clock())
    not_let_in = problem_of(CredentialsRefused("Enter it again.", code="reauth_required"))
    scene.run_ended(run(scene, connection, RunStatus.FAILED, not_let_in, "run-2"))
    assert scene.notified() == ["connection.reauth_required"]


def test_a_run_that_was_not_let_in_does_not_stop_a_connection_that_was_entered_again_meanwhile(scene):
    connection = scene.connection()
    not_let_in = problem_of(CredentialsRefused("Enter it again.", code="reauth_required"))
    scene.run_progressed(run(scene, connection, RunStatus.RUNNING, not_let_in))
    scene.run_ended(run(scene, connection, RunStatus.FAILED, not_let_in))
    assert scene.now(connection).status == "active"


def test_a_refusal_met_with_the_old_password_does_not_stop_the_new_one(scene):
    connection = scene.connection()
    began = scene.clock()
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, began)
    scene.pass_time(minutes=5)
    scene.health.reconnected(connection.client_id, connection.id)
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, began + timedelta(minutes=1))
    assert scene.now(connection).status == "active"
    scene.pass_time(minutes=5)
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, scene.clock())
    assert scene.now(connection).status == "reauth_required"


@on_both
def test_the_password_entered_again_goes_on_and_makes_up_for_what_was_missed(scene):
    connection = scene.connection()
    stopped = scene.clock()
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, stopped)
    scene.pass_time(days=3)
    scene.health.reconnected(connection.client_id, connection.id)
    scene.health.reconnected(connection.client_id, connection.id)
    assert scene.now(connection).status == "active"
    assert scene.caught_up == [(connection.id, stopped)]
    assert scene.notified() == sorted(["connection.reauth_required", "connection.healed"])


def test_a_catch_up_that_could_not_be_started_is_started_the_next_time(scene):
    connection = scene.connection()
    stopped = scene.clock()
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, stopped)
    scene.pass_time(hours=1)
    scene.catch_up_fails = True
    with pytest.raises(Unavailable):
        scene.health.reconnected(connection.client_id, connection.id)
    scene.catch_up_fails = False
    scene.health.reconnected(connection.client_id, connection.id)
    assert scene.caught_up == [(connection.id, stopped)]
    assert scene.notified().count("connection.healed") == 1


def test_a_catch_up_that_was_cut_off_keeps_nobody_from_hearing_of_what_ends_later(scene):
    connection = scene.connection()
    stopped = scene.clock()
    scene.health.pause(connection)
    scene.catch_up_fails = True
    with pytest.raises(Unavailable):
        scene.health.resume(connection)
    with pytest.raises(Unavailable):
        scene.run_ended(run(scene, connection, RunStatus.SUCCEEDED))
    with pytest.raises(Unavailable):
        scene.transfer_ended(transfer(scene, connection, sent=1))
    assert {"import.finished", "transfer.finished"} <= set(scene.notified())
    scene.catch_up_fails = False
    scene.run_ended(run(scene, connection, RunStatus.SUCCEEDED))
    assert scene.caught_up == [(connection.id, stopped)], "whoever comes next makes up for it"
    assert scene.notified().count("import.finished") == 1


def test_an_edit_that_made_it_active_already_is_healed_and_made_up_for_too(scene):
    connection = scene.connection()
    stopped = scene.clock()
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, stopped)
    key = {"pk": f"CLIENT#{connection.client_id}", "sk": f"CONNECTION#{connection.id}"}
    scene.table.update(key, "SET #s = :s", names={"#s": "status"}, s="active")  # as the edit's swap does
    assert scene.now(connection).status_reason is None
    scene.pass_time(hours=1)
    scene.health.reconnected(connection.client_id, connection.id)
    assert scene.caught_up == [(connection.id, stopped)]
    assert scene.notified() == sorted(["connection.reauth_required", "connection.healed"])


# --- degraded and healed ----------------------------------------------------------------------------------------------


def test_another_failure_degrades_with_its_reason_and_a_success_heals(scene):
    connection = scene.connection()
    scene.run_ended(run(scene, connection, RunStatus.FAILED, AWAY))
    degraded = scene.now(connection)
    assert (degraded.status, degraded.status_reason, degraded.is_operational) == ("degraded", AWAY, True)
    scene.pass_time(days=1)
    scene.run_ended(run(scene, connection, RunStatus.SUCCEEDED, about="run-2"))
    healed = scene.now(connection)
    assert (healed.status, healed.status_reason, healed.status_since) == ("active", None, scene.clock())
    assert scene.notified() == sorted(["connection.degraded", "import.failed", "connection.healed", "import.finished"])
    assert scene.caught_up == []


def test_a_connection_that_stays_degraded_is_told_once_and_shows_the_newest_reason(scene):
    connection = scene.connection()
    scene.run_ended(run(scene, connection, RunStatus.FAILED, AWAY))
    since = scene.now(connection).status_since
    scene.pass_time(days=1)
    other = {"code": "company_gone", "detail": "F0003 is gone."}
    scene.run_ended(run(scene, connection, RunStatus.PARTIALLY_SUCCEEDED, other, "run-2"))
    now = scene.now(connection)
    assert (now.status_reason, now.status_since) == (other, since)
    assert scene.notified().count("connection.degraded") == 1


def test_a_success_is_no_proof_that_a_refused_login_is_good_again(scene):
    connection = scene.connection()
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, scene.clock())
    scene.run_ended(run(scene, connection, RunStatus.SUCCEEDED, about="begun before"))
    assert scene.now(connection).status == "reauth_required"


@pytest.mark.parametrize("code", ["nothing_to_import", "machine_failed", "connection_paused"])
def test_what_says_nothing_of_the_erp_leaves_the_connection_alone(scene, code):
    connection = scene.connection()
    scene.run_ended(run(scene, connection, RunStatus.FAILED, {"code": code, "detail": "…"}))
    assert scene.now(connection).status == "active"


def test_a_cancelled_run_is_nobodys_news(scene):
    connection = scene.connection()
    scene.run_ended(run(scene, connection, RunStatus.CANCELLED))
    assert (scene.now(connection).status, scene.notified()) == ("active", [])


# --- tests ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "error", "status"),
    [
        ("login", CredentialsRefused("Not with this password."), "reauth_required"),
        ("login", Unavailable("The server is too busy.", code="server_busy"), "degraded"),
        ("login", ErpRefused("The firewall does not let the hub in.", code="firewall"), "degraded"),
        ("tcp", Unavailable("It does not answer.", code="server_unreachable"), "degraded"),
        ("read", ErpRefused("Nothing to read.", code="table_missing"), "degraded"),
    ],
    ids=["refused", "busy", "firewall", "away", "unreadable"],
)
def test_a_test_by_hand_says_how_the_connection_stands(scene, stage, error, status):
    connection = scene.connection()
    by_hand(scene, connection, stage, error)
    assert scene.now(connection).status == status
    by_hand(scene, connection)
    assert scene.now(connection).status == "active"
    assert scene.notified() == sorted([f"connection.{status}", "connection.healed"])


def test_a_test_of_a_paused_connection_leaves_it_paused(scene):
    connection = scene.connection()
    scene.health.pause(connection)
    by_hand(scene, connection, "login", CredentialsRefused("Not with this password."))
    assert scene.now(connection).status == "paused"


# --- paused -----------------------------------------------------------------------------------------------------------


def test_what_was_paused_goes_on_and_makes_up_for_what_was_missed(scene):
    connection = scene.connection()
    stopped = scene.clock()
    assert scene.health.pause(connection).status == "paused"
    scene.pass_time(days=2)
    assert scene.health.pause(connection).status_since == stopped
    assert scene.health.resume(connection).status == "active"
    assert scene.caught_up == [(connection.id, stopped)]
    scene.health.resume(connection)
    assert len(scene.caught_up) == 1
    assert scene.notified() == sorted(["connection.paused", "connection.resumed"])


def test_a_degraded_connection_is_degraded_again_after_a_pause(scene):
    connection = scene.connection()
    scene.health.report_failure(connection.client_id, connection.id, AWAY)
    scene.health.pause(connection)
    resumed = scene.health.resume(connection)
    assert (resumed.status, resumed.status_reason) == ("degraded", AWAY)


def test_resuming_does_not_make_a_refused_login_good(scene):
    connection = scene.connection()
    stopped = scene.clock()
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, stopped)
    scene.pass_time(hours=1)
    scene.health.pause(connection)
    resumed = scene.health.resume(connection)
    assert (resumed.status, resumed.status_reason) == ("reauth_required", SHOWN)
    assert scene.caught_up == []
    scene.health.reconnected(connection.client_id, connection.id)
    assert scene.caught_up == [(connection.id, stopped)]


def test_a_password_entered_while_it_is_paused_leaves_it_paused_and_counts_afterwards(scene):
    connection = scene.connection()
    stopped = scene.clock()
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, stopped)
    scene.health.pause(connection)
    scene.pass_time(hours=1)
    scene.health.reconnected(connection.client_id, connection.id)
    assert scene.now(connection).status == "paused"
    assert scene.health.resume(connection).status == "active"
    assert scene.caught_up == [(connection.id, stopped)]


def test_a_connection_that_is_being_deleted_is_neither_paused_nor_changed(scene):
    connection = scene.connection(ConnectionStatus.DELETING)
    for change in (scene.health.pause, scene.health.resume):
        with pytest.raises(Conflict) as refused:
            change(connection)
        assert refused.value.code == "connection_deleting"
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, scene.clock())
    assert (scene.now(connection).status, scene.notified()) == ("deleting", [])


def test_a_connection_that_is_not_there_is_not_paused(scene):
    gone = scene.connection().model_copy(update={"id": "01JCG0W1ZARD0000000000000A"})
    with pytest.raises(NotFound):
        scene.health.pause(gone)
    scene.health.report_refusal(gone.client_id, gone.id, REFUSED, scene.clock())


def test_of_two_that_find_the_same_at_once_one_tells(scene):
    connection = scene.connection()
    change_status, hurried = scene.connections.change_status, []

    def meanwhile(before, to, health, told):
        if not hurried:
            hurried.append(True)
            HealthService(scene.connections, scene.publisher, scene, scene.clock).report_refusal(
                connection.client_id, connection.id, REFUSED, scene.clock()
            )
        return change_status(before, to, health, told)

    scene.connections.change_status = meanwhile
    scene.health.report_refusal(connection.client_id, connection.id, REFUSED, scene.clock())
    assert scene.notified() == ["connection.reauth_required"]
    assert scene.on_the_bus() == ["connection.reauth_required"]


# --- transfers --------------------------------------------------------------------------------------------------------


def test_a_transfer_whose_login_is_refused_stops_the_connection(scene):
    connection = scene.connection()
    ended = transfer(scene, connection, TransferStatus.FAILED, REFUSED)
    scene.transfer_ended(ended)
    scene.transfer_ended(ended)
    assert scene.now(connection).status == "reauth_required"
    assert scene.notified() == sorted(["connection.reauth_required", "transfer.failed"])


def test_a_transfer_that_sent_something_heals_and_one_that_did_nothing_is_no_news(scene):
    connection = scene.connection()
    scene.health.report_failure(connection.client_id, connection.id, AWAY)
    scene.transfer_ended(transfer(scene, connection))
    assert scene.now(connection).status == "degraded"
    scene.transfer_ended(transfer(scene, connection, sent=3))
    assert scene.now(connection).status == "active"
    assert scene.notified() == sorted(["connection.degraded", "connection.healed", "transfer.finished"])


def test_a_refused_document_is_told_once_per_transfer(scene):
    notices = SyncNotices(scene.publisher, scene.clock)
    for _ in range(2):
        notices.notify(
            scene.member.client_id, "connection-1", "document_rejected", "The ERP refused it.", transfer="t1"
        )
    assert scene.notified() == ["export.rejected"]


def test_that_somebody_would_like_access_is_told_when_it_happens_and_once_a_day(scene):
    connection, requests = scene.connection(), AccessRequests(scene.publisher, scene.clock)
    use = CompanyUse(client_id=connection.client_id, connection_id=connection.id)

    def ask(who="kari"):
        requests.request_access(use, f"F0001 {who}", f"{who} would like to use F0001.", {"company": "F0001"})

    scene.pass_time(hours=4)
    scene.publisher.publish(make_event(IMPORT_FINISHED, connection.client_id, connection.id, scene.clock(), "r", "…"))
    scene.pass_time(hours=3)
    asked = scene.clock()
    ask()
    scene.pass_time(hours=1)
    ask()
    newest, *_ = scene.notifications.list_notifications(scene.member, NotificationQuery()).items
    assert (newest.type, newest.occurred_at) == ("company.access_requested", asked), "above what happened before it"
    assert scene.notified().count("company.access_requested") == 1
    assert [one.occurred_at for one in scene.bus.published if one.type == newest.type] == [asked]
    ask("ola")
    scene.pass_time(days=1)
    ask()
    assert scene.notified().count("company.access_requested") == 3
