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
from erphub.imports.runs.models import Run, RunRef, RunStatus, Trigger
from erphub.imports.runs.units import problem_of
from erphub.platform.errors import Conflict, CredentialsRefused, ErpRefused, HubError, NotFound, Unavailable
from erphub.platform.problems import as_problem
from erphub.platform.wire import instant
from erphub.sync.transfers.models import Counts, Transfer, TransferState
from erphub.sync.transfers.notices import SyncNotices
from tests.support.aws import on_both

REFUSED = problem_of(CredentialsRefused("The server does not accept the login and password."))
SHOWN = {name: REFUSED[name] for name in ("code", "detail")}
AWAY = {"code": "server_unreachable", "detail": "The server did not answer."}


def run(house, connection, status, problem=None, about="run-1"):
    ref = RunRef(connection.client_id, "job-1", about)
    now = instant(house.clock())
    return Run(
        ref, connection.id, Trigger.SCHEDULE, status, "schedule", now, started_at=now, finished_at=now, problem=problem
    )


def transfer(house, connection, state=TransferState.SUCCEEDED, problem=None, **counts):
    now = house.clock()
    return Transfer(
        id="01JCG0W1ZARD0000000000000A",
        client_id=connection.client_id,
        connection_id=connection.id,
        by="automatic",
        state=state,
        problem=problem,
        counts=Counts(**counts),
        created_at=now,
        started_at=now,
        finished_at=now,
    )


def by_hand(house, connection, stage=None, error=None):
    """A test by hand, which that stage failed with that error."""
    outcomes = [("tcp", "passed"), ("login", "passed"), ("read", "passed")]
    probes = [
        ProbeView(stage=one, outcome="failed" if one == stage else outcome, milliseconds=1, detail="…")
        for one, outcome in outcomes
    ]
    now = house.clock()
    problem = as_problem(error) if error else None
    result = LastTest(id="t", started_at=now, finished_at=now, passed=not stage, probes=probes, problem=problem)
    house.health.tested(connection, result)


# --- refused ----------------------------------------------------------------------------------------------------------


def test_a_refused_login_stops_the_connection_and_is_told_once(house):
    connection = house.connection()
    failed = run(house, connection, RunStatus.FAILED, REFUSED)
    house.health.refused(connection.client_id, connection.id, REFUSED, house.clock())
    house.run_ended(failed)
    house.run_ended(failed)  # the machine's last task came twice
    now = house.now(connection)
    assert (now.status, now.works) == ("reauth_required", False)
    assert now.status_reason == SHOWN
    assert house.notified() == sorted(["connection.reauth_required", "import.failed"])
    assert sorted(house.on_the_bus()) == sorted(house.notified())


def every_refusal() -> list[HubError]:
    """Each way in which an ERP refuses credentials, as its own table words it, and one nobody has thought of yet."""
    known = [one.kind(one.detail, code=one.code) for one in refusals._KNOWN if issubclass(one.kind, CredentialsRefused)]
    return [*known, outcomes.credentials_refused(), CredentialsRefused("Not you.", code="of_another_erp")]


@pytest.mark.parametrize("error", every_refusal(), ids=lambda error: error.code)
def test_a_login_that_is_locked_expired_or_switched_off_stops_the_connection_as_a_wrong_password_does(house, error):
    one, other, third, fourth = (house.connection() for _ in range(4))
    house.run_met(run(house, one, RunStatus.RUNNING, problem_of(error)))
    house.run_ended(run(house, other, RunStatus.FAILED, problem_of(error)))
    house.transfer_ended(transfer(house, third, TransferState.FAILED, as_problem(error)))
    by_hand(house, fourth, "login", error)
    for connection in (one, other, third, fourth):
        now = house.now(connection)
        assert (now.status, now.works) == ("reauth_required", False)
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


def test_a_run_that_goes_on_and_met_something_else_stops_nothing(house):
    connection = house.connection()
    house.run_met(run(house, connection, RunStatus.RUNNING, AWAY))
    house.run_met(run(house, connection, RunStatus.RUNNING))
    assert house.now(connection).status == "active"


def test_a_run_that_was_not_let_in_says_nothing_new(house):
    connection = house.connection()
    house.health.refused(connection.client_id, connection.id, REFUSED, house.clock())
    not_let_in = problem_of(CredentialsRefused("Enter it again.", code="reauth_required"))
    house.run_ended(run(house, connection, RunStatus.FAILED, not_let_in, "run-2"))
    assert house.notified() == ["connection.reauth_required"]


def test_a_run_that_was_not_let_in_does_not_stop_a_connection_that_was_entered_again_meanwhile(house):
    connection = house.connection()
    not_let_in = problem_of(CredentialsRefused("Enter it again.", code="reauth_required"))
    house.run_met(run(house, connection, RunStatus.RUNNING, not_let_in))
    house.run_ended(run(house, connection, RunStatus.FAILED, not_let_in))
    assert house.now(connection).status == "active"


def test_a_refusal_met_with_the_old_password_does_not_stop_the_new_one(house):
    connection = house.connection()
    began = house.clock()
    house.health.refused(connection.client_id, connection.id, REFUSED, began)
    house.pass_time(minutes=5)
    house.health.reconnected(connection.client_id, connection.id)
    house.health.refused(connection.client_id, connection.id, REFUSED, began + timedelta(minutes=1))
    assert house.now(connection).status == "active"
    house.pass_time(minutes=5)
    house.health.refused(connection.client_id, connection.id, REFUSED, house.clock())
    assert house.now(connection).status == "reauth_required"


@on_both
def test_the_password_entered_again_goes_on_and_makes_up_for_what_was_missed(house):
    connection = house.connection()
    stopped = house.clock()
    house.health.refused(connection.client_id, connection.id, REFUSED, stopped)
    house.pass_time(days=3)
    house.health.reconnected(connection.client_id, connection.id)
    house.health.reconnected(connection.client_id, connection.id)
    assert house.now(connection).status == "active"
    assert house.caught_up == [(connection.id, stopped)]
    assert house.notified() == sorted(["connection.reauth_required", "connection.healed"])


def test_a_catch_up_that_could_not_be_started_is_started_the_next_time(house):
    connection = house.connection()
    stopped = house.clock()
    house.health.refused(connection.client_id, connection.id, REFUSED, stopped)
    house.pass_time(hours=1)
    house.catch_up_fails = True
    with pytest.raises(Unavailable):
        house.health.reconnected(connection.client_id, connection.id)
    house.catch_up_fails = False
    house.health.reconnected(connection.client_id, connection.id)
    assert house.caught_up == [(connection.id, stopped)]
    assert house.notified().count("connection.healed") == 1


def test_a_catch_up_that_was_cut_off_keeps_nobody_from_hearing_of_what_ends_later(house):
    connection = house.connection()
    stopped = house.clock()
    house.health.pause(connection)
    house.catch_up_fails = True
    with pytest.raises(Unavailable):
        house.health.resume(connection)
    with pytest.raises(Unavailable):
        house.run_ended(run(house, connection, RunStatus.SUCCEEDED))
    with pytest.raises(Unavailable):
        house.transfer_ended(transfer(house, connection, sent=1))
    assert {"import.finished", "transfer.finished"} <= set(house.notified())
    house.catch_up_fails = False
    house.run_ended(run(house, connection, RunStatus.SUCCEEDED))
    assert house.caught_up == [(connection.id, stopped)], "whoever comes next makes up for it"
    assert house.notified().count("import.finished") == 1


def test_an_edit_that_made_it_active_already_is_healed_and_made_up_for_too(house):
    connection = house.connection()
    stopped = house.clock()
    house.health.refused(connection.client_id, connection.id, REFUSED, stopped)
    key = {"pk": f"CLIENT#{connection.client_id}", "sk": f"CONNECTION#{connection.id}"}
    house.table.update(key, "SET #s = :s", names={"#s": "status"}, s="active")  # as the edit's swap does
    assert house.now(connection).status_reason is None
    house.pass_time(hours=1)
    house.health.reconnected(connection.client_id, connection.id)
    assert house.caught_up == [(connection.id, stopped)]
    assert house.notified() == sorted(["connection.reauth_required", "connection.healed"])


# --- degraded and healed ----------------------------------------------------------------------------------------------


def test_another_failure_degrades_with_its_reason_and_a_success_heals(house):
    connection = house.connection()
    house.run_ended(run(house, connection, RunStatus.FAILED, AWAY))
    degraded = house.now(connection)
    assert (degraded.status, degraded.status_reason, degraded.works) == ("degraded", AWAY, True)
    house.pass_time(days=1)
    house.run_ended(run(house, connection, RunStatus.SUCCEEDED, about="run-2"))
    healed = house.now(connection)
    assert (healed.status, healed.status_reason, healed.status_since) == ("active", None, house.clock())
    assert house.notified() == sorted(["connection.degraded", "import.failed", "connection.healed", "import.finished"])
    assert house.caught_up == []


def test_a_connection_that_stays_degraded_is_told_once_and_shows_the_newest_reason(house):
    connection = house.connection()
    house.run_ended(run(house, connection, RunStatus.FAILED, AWAY))
    since = house.now(connection).status_since
    house.pass_time(days=1)
    other = {"code": "company_gone", "detail": "F0003 is gone."}
    house.run_ended(run(house, connection, RunStatus.PARTIALLY_SUCCEEDED, other, "run-2"))
    now = house.now(connection)
    assert (now.status_reason, now.status_since) == (other, since)
    assert house.notified().count("connection.degraded") == 1


def test_a_success_is_no_proof_that_a_refused_login_is_good_again(house):
    connection = house.connection()
    house.health.refused(connection.client_id, connection.id, REFUSED, house.clock())
    house.run_ended(run(house, connection, RunStatus.SUCCEEDED, about="begun before"))
    assert house.now(connection).status == "reauth_required"


@pytest.mark.parametrize("code", ["nothing_to_import", "machine_failed", "connection_paused"])
def test_what_says_nothing_of_the_erp_leaves_the_connection_alone(house, code):
    connection = house.connection()
    house.run_ended(run(house, connection, RunStatus.FAILED, {"code": code, "detail": "…"}))
    assert house.now(connection).status == "active"


def test_a_cancelled_run_is_nobodys_news(house):
    connection = house.connection()
    house.run_ended(run(house, connection, RunStatus.CANCELLED))
    assert (house.now(connection).status, house.notified()) == ("active", [])


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
def test_a_test_by_hand_says_how_the_connection_stands(house, stage, error, status):
    connection = house.connection()
    by_hand(house, connection, stage, error)
    assert house.now(connection).status == status
    by_hand(house, connection)
    assert house.now(connection).status == "active"
    assert house.notified() == sorted([f"connection.{status}", "connection.healed"])


def test_a_test_of_a_paused_connection_leaves_it_paused(house):
    connection = house.connection()
    house.health.pause(connection)
    by_hand(house, connection, "login", CredentialsRefused("Not with this password."))
    assert house.now(connection).status == "paused"


# --- paused -----------------------------------------------------------------------------------------------------------


def test_what_was_paused_goes_on_and_makes_up_for_what_was_missed(house):
    connection = house.connection()
    stopped = house.clock()
    assert house.health.pause(connection).status == "paused"
    house.pass_time(days=2)
    assert house.health.pause(connection).status_since == stopped
    assert house.health.resume(connection).status == "active"
    assert house.caught_up == [(connection.id, stopped)]
    house.health.resume(connection)
    assert len(house.caught_up) == 1
    assert house.notified() == sorted(["connection.paused", "connection.resumed"])


def test_a_degraded_connection_is_degraded_again_after_a_pause(house):
    connection = house.connection()
    house.health.failed(connection.client_id, connection.id, AWAY)
    house.health.pause(connection)
    resumed = house.health.resume(connection)
    assert (resumed.status, resumed.status_reason) == ("degraded", AWAY)


def test_resuming_does_not_make_a_refused_login_good(house):
    connection = house.connection()
    stopped = house.clock()
    house.health.refused(connection.client_id, connection.id, REFUSED, stopped)
    house.pass_time(hours=1)
    house.health.pause(connection)
    resumed = house.health.resume(connection)
    assert (resumed.status, resumed.status_reason) == ("reauth_required", SHOWN)
    assert house.caught_up == []
    house.health.reconnected(connection.client_id, connection.id)
    assert house.caught_up == [(connection.id, stopped)]


def test_a_password_entered_while_it_is_paused_leaves_it_paused_and_counts_afterwards(house):
    connection = house.connection()
    stopped = house.clock()
    house.health.refused(connection.client_id, connection.id, REFUSED, stopped)
    house.health.pause(connection)
    house.pass_time(hours=1)
    house.health.reconnected(connection.client_id, connection.id)
    assert house.now(connection).status == "paused"
    assert house.health.resume(connection).status == "active"
    assert house.caught_up == [(connection.id, stopped)]


def test_a_connection_that_is_being_deleted_is_neither_paused_nor_changed(house):
    connection = house.connection(ConnectionStatus.DELETING)
    for change in (house.health.pause, house.health.resume):
        with pytest.raises(Conflict) as refused:
            change(connection)
        assert refused.value.code == "connection_deleting"
    house.health.refused(connection.client_id, connection.id, REFUSED, house.clock())
    assert (house.now(connection).status, house.notified()) == ("deleting", [])


def test_a_connection_that_is_not_there_is_not_paused(house):
    gone = house.connection().model_copy(update={"id": "01JCG0W1ZARD0000000000000A"})
    with pytest.raises(NotFound):
        house.health.pause(gone)
    house.health.refused(gone.client_id, gone.id, REFUSED, house.clock())


def test_of_two_that_find_the_same_at_once_one_tells(house):
    connection = house.connection()
    move, hurried = house.connections.move, []

    def meanwhile(before, to, health, told):
        if not hurried:
            hurried.append(True)
            HealthService(house.connections, house.publisher, lambda *_: None, house.clock).refused(
                connection.client_id, connection.id, REFUSED, house.clock()
            )
        return move(before, to, health, told)

    house.connections.move = meanwhile
    house.health.refused(connection.client_id, connection.id, REFUSED, house.clock())
    assert house.notified() == ["connection.reauth_required"]
    assert house.on_the_bus() == ["connection.reauth_required"]


# --- transfers --------------------------------------------------------------------------------------------------------


def test_a_transfer_whose_login_is_refused_stops_the_connection(house):
    connection = house.connection()
    ended = transfer(house, connection, TransferState.FAILED, REFUSED)
    house.transfer_ended(ended)
    house.transfer_ended(ended)
    assert house.now(connection).status == "reauth_required"
    assert house.notified() == sorted(["connection.reauth_required", "transfer.failed"])


def test_a_transfer_that_sent_something_heals_and_one_that_did_nothing_is_no_news(house):
    connection = house.connection()
    house.health.failed(connection.client_id, connection.id, AWAY)
    house.transfer_ended(transfer(house, connection))
    assert house.now(connection).status == "degraded"
    house.transfer_ended(transfer(house, connection, sent=3))
    assert house.now(connection).status == "active"
    assert house.notified() == sorted(["connection.degraded", "connection.healed", "transfer.finished"])


def test_a_refused_document_is_told_once_per_transfer(house):
    notices = SyncNotices(house.publisher, house.clock)
    for _ in range(2):
        notices.notify(
            house.member.client_id, "connection-1", "document_rejected", "The ERP refused it.", transfer="t1"
        )
    assert house.notified() == ["export.rejected"]


def test_that_somebody_would_like_access_is_told_when_it_happens_and_once_a_day(house):
    connection, requests = house.connection(), AccessRequests(house.publisher, house.clock)
    holder = CompanyUse(client_id=connection.client_id, connection_id=connection.id)

    def ask(who="kari"):
        requests.tell(holder, f"F0001 {who}", f"{who} would like to use F0001.", {"company": "F0001"})

    house.pass_time(hours=4)
    house.publisher.publish(make_event(IMPORT_FINISHED, connection.client_id, connection.id, house.clock(), "r", "…"))
    house.pass_time(hours=3)
    asked = house.clock()
    ask()
    house.pass_time(hours=1)
    ask()
    newest, *_ = house.notifications.list_notifications(house.member, NotificationQuery()).items
    assert (newest.type, newest.occurred_at) == ("company.access_requested", asked), "above what happened before it"
    assert house.notified().count("company.access_requested") == 1
    assert [one.occurred_at for one in house.bus.published if one.type == newest.type] == [asked]
    ask("ola")
    house.pass_time(days=1)
    ask()
    assert house.notified().count("company.access_requested") == 3
