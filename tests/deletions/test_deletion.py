"""Deleting a connection: nothing that was not shown, nothing without a way back, nothing left after."""

from datetime import timedelta

import pytest

from erphub.connections.models import ConnectionStatus, Health
from erphub.deletions.capability import CONNECTION_DELETING, CONNECTION_RESTORED
from erphub.deletions.models import KindDetails
from erphub.events.dynamodb import EventTable
from erphub.events.publisher import make_event
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.models import RunRef, RunStatus
from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict, Forbidden, Gone, NotFound, Unavailable
from erphub.platform.ids import new_id
from erphub.platform.wire import PageQuery
from erphub.sync.settings.dynamodb import SyncTable, TransferLeaseTable
from tests.deletions.conftest import CLIENT, COLLEAGUE, CUSTOMER, MINE, NAME, OTHER, Scene
from tests.support.aws import on_both


def goes(plan):
    return {view.kind: view for view in plan.deleted}


# --- the preview ----------------------------------------------------------------------------


def test_the_preview_names_everything_that_goes(scene: Scene):
    scene.draft(MINE)
    plan = scene.service.preview(scene.member(), MINE)
    shown = goes(plan)
    assert (shown["companies"].count, shown["companies"].names) == (2, ["Nord AS", "Sør AS"])
    assert (shown["licences"].count, shown["licences"].names) == (1, ["Nord AS"]), "the other connection keeps Sør AS"
    assert (shown["import_jobs"].count, shown["import_jobs"].names) == (1, ["Last 40 days"])
    assert shown["import_jobs"].details.model_dump(exclude_defaults=True) == {"scheduled_count": 1}
    assert shown["runs"].count == 1
    assert (shown["lake_tables"].count, shown["lake_tables"].names) == (1, ["accounts"])
    assert shown["lake_tables"].details.size_bytes == len(b"rows" + MINE.encode())
    assert (shown["sync"].count, shown["sync"].details.is_automatic) == (1, True)
    assert shown["documents"].count == 3
    assert shown["documents"].details.model_dump(exclude_defaults=True) == {
        "documents_by_status": {"pending": 2, "sent": 1},
        "transfer_count": 1,
    }
    assert shown["document_files"].count == 2
    assert shown["wizards"].count == 1
    assert shown["secrets"].count == 1
    assert {stays.kind for stays in plan.kept} >= {"audit", "erp"}
    assert plan.grace_seconds == 30 * 86400


def test_a_preview_changes_nothing_but_remembers_what_it_showed(scene: Scene):
    before = scene.items()
    scene.service.preview(scene.member(), MINE)
    new = [item["sk"]["S"] for table, item in scene.items() if (table, item) not in before]
    assert [sk.split("#")[0] for sk in new] == ["DELETION-PLAN"]


def test_without_a_plan_nothing_is_deleted(scene: Scene):
    for token in ("never-made", scene.service.preview(scene.member(), OTHER).plan_token):
        with pytest.raises(Gone) as refused:
            scene.service.delete(scene.member(), MINE, token)
        assert refused.value.code == "plan_expired"
    assert scene.connection().status is ConnectionStatus.ACTIVE
    assert not scene.machine.running


def test_a_plan_expires(scene: Scene):
    token = scene.service.preview(scene.member(), MINE).plan_token
    scene.now += timedelta(hours=1)
    with pytest.raises(Gone):
        scene.ask(token)


def test_a_plan_that_no_longer_matches_is_refused_with_the_difference(scene: Scene):
    token = scene.service.preview(scene.member(), MINE).plan_token
    scene.run(RunRef(CLIENT, new_id(), new_id()), MINE, ended=True)
    with pytest.raises(Conflict) as refused:
        scene.ask(token)
    assert refused.value.code == "plan_changed"
    assert refused.value.members["difference"] == [
        {
            "kind": "runs",
            "title": "Import runs",
            "was": {"count": 1, "names": [], "details": KindDetails().model_dump()},
            "is": {"count": 2, "names": [], "details": KindDetails().model_dump()},
        }
    ]
    assert scene.connection().status is ConnectionStatus.ACTIVE


def test_as_many_of_something_else_is_a_difference_too(scene: Scene):
    token = scene.service.preview(scene.member(), MINE).plan_token
    before = scene.connection()
    renamed = before.model_copy(update={"name": "Anything else"})
    scene.connections.replace(renamed, before, [])
    with pytest.raises(Conflict) as refused:
        scene.ask(token)
    assert [one["kind"] for one in refused.value.members["difference"]] == ["connection"]


def test_what_somebody_else_changes_in_the_last_moment_is_not_deleted(scene: Scene, monkeypatch):
    def meddle(name, input):
        before = scene.connection()
        scene.connections.replace(before.model_copy(update={"name": "Changed"}), before, [])
        return scene.machine.execution(name)

    monkeypatch.setattr(scene.machine, "start", meddle)
    with pytest.raises(Conflict) as refused:
        scene.ask()
    assert refused.value.code == "plan_changed"
    assert scene.connection().status is ConnectionStatus.ACTIVE
    scene.machine.running["delete:x"] = {
        "client_id": CLIENT,
        "connection_id": MINE,
        "deletion_id": scene.store.get(CLIENT, MINE).id,
    }
    assert scene.walk() == ["done"], "the machine finds nothing to do either"
    assert scene.connection().status is ConnectionStatus.ACTIVE


def test_a_run_that_fails_in_the_last_moment_is_no_reason_not_to_delete(scene: Scene, monkeypatch):
    start = scene.machine.start

    def meanwhile(name, input):
        before = scene.connection()
        degraded = ConnectionStatus.DEGRADED
        scene.connections.change_status(before, degraded, Health(of=degraded, since=scene.now), None)
        return start(name, input)

    monkeypatch.setattr(scene.machine, "start", meanwhile)
    assert scene.ask().status == "scheduled"
    assert scene.connection().status is ConnectionStatus.DELETING
    scene.service.restore(scene.member(), MINE)
    assert scene.connection().health.paused_from is ConnectionStatus.DEGRADED, "as it was when it went"


def test_a_connection_that_never_stands_still_is_asked_for_again_and_not_called_changed(scene: Scene, monkeypatch):
    schedule = scene.store.schedule

    def meanwhile(deletion, connection, *more):
        status = connection.status
        scene.connections.change_status(connection, status, Health(of=status, since=scene.now), None)
        return schedule(deletion, connection, *more)

    monkeypatch.setattr(scene.store, "schedule", meanwhile)
    with pytest.raises(Unavailable):
        scene.ask()
    assert scene.connection().status is ConnectionStatus.ACTIVE


def test_somebody_who_may_not_edit_may_not_delete(scene: Scene):
    for act in (
        lambda: scene.service.preview(scene.member(COLLEAGUE), MINE),
        lambda: scene.service.delete(scene.member(COLLEAGUE), MINE, "token"),
        lambda: scene.service.restore(scene.member(COLLEAGUE), MINE),
    ):
        with pytest.raises(Forbidden):
            act()
    with pytest.raises(NotFound):
        scene.service.preview(scene.member(), new_id())


def test_a_colleague_may_delete_and_restore_what_is_shared(scene: Scene):
    before = scene.connection()
    scene.connections.replace(before.model_copy(update={"is_shared": True}), before, [])
    colleague = scene.member(COLLEAGUE)
    answer = scene.service.delete(colleague, MINE, scene.service.preview(colleague, MINE).plan_token)
    assert answer.requested_by.id == COLLEAGUE
    scene.service.restore(colleague, MINE)
    assert scene.connection().status is ConnectionStatus.PAUSED


def test_of_two_who_delete_at_the_same_moment_one_wins(scene: Scene, monkeypatch):
    first = scene.service.preview(scene.member(), MINE).plan_token
    scene.now += timedelta(seconds=1)
    second = scene.service.preview(scene.member(), MINE).plan_token
    assert first != second
    start = scene.machine.start
    answers = []

    def meanwhile(name, input):
        monkeypatch.setattr(scene.machine, "start", start)
        start(name, input)
        answers.append(scene.ask(second))
        return scene.machine.execution(name)

    monkeypatch.setattr(scene.machine, "start", meanwhile)
    with pytest.raises(Conflict):
        scene.ask(first)
    assert scene.store.get(CLIENT, MINE).id == answers[0].id
    assert sorted(scene.walk()) == ["done", "done", "stop_work", "wait"], "the loser's machine finds nothing to do"
    assert scene.connection() is None


# --- unusable in one step ----------------------------------------------------------------------------


def test_a_deleted_connection_is_unusable_at_once_and_all_of_it_is_still_there(scene: Scene):
    before = len(scene.traces(MINE))
    answer = scene.ask()
    assert answer.status == "scheduled"
    assert answer.restorable_until == scene.now + timedelta(days=30)
    found = scene.connection()
    assert found.status is ConnectionStatus.DELETING
    assert not found.is_operational
    assert found.status_reason["restorable_until"] == "2026-12-22T08:00:00Z", "whoever looks sees how long there is"
    assert scene.store.list_scheduled(CLIENT) == [MINE]
    assert len(scene.traces(MINE)) >= before


def test_the_same_delete_again_is_the_same_deletion(scene: Scene):
    token = scene.service.preview(scene.member(), MINE).plan_token
    first = scene.ask(token)
    assert scene.ask(token) == first
    assert len(scene.machine.running) == 1
    entries = scene.audit.list_entries(scene.member(), MINE, PageQuery()).items
    assert [entry.action for entry in entries] == ["connection.deleted", "connection.created"]
    assert (entries[0].actor.id, entries[0].source, entries[0].new["status"]) == ("owner", "192.0.2.7", "deleting")


def test_a_delete_again_sees_to_it_that_the_machine_goes_on(scene: Scene):
    token = scene.service.preview(scene.member(), MINE).plan_token
    scene.ask(token)
    scene.machine.running.clear()
    scene.ask(token)
    scene.walk()
    assert scene.connection() is None


def test_what_is_being_deleted_cannot_be_deleted_again(scene: Scene):
    scene.ask()
    for act in (lambda: scene.service.preview(scene.member(), MINE), lambda: scene.ask("another")):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "connection_deleting"


@on_both
def test_what_goes_on_is_ended(scene: Scene):
    ref = RunRef(CLIENT, new_id(), new_id())
    scene.run(ref, MINE, ended=False)
    scene.imports.start(ref.run_id, {})
    draft = scene.draft(MINE)
    scene.ask()
    names = next(iter(scene.machine.running.values()))
    ids = names["client_id"], names["connection_id"], names["deletion_id"]
    assert scene.tasks.stop(*ids) == {"next": "still_running"}, "the run is asked to stop and may still be writing"
    assert RunTable(scene.table).get(ref).cancel_requested
    assert scene.connect.stopped == [draft.execution]
    assert SyncTable(scene.table).get(CLIENT, MINE).next_at is None
    assert SyncTable(scene.table).get(CLIENT, OTHER).next_at is not None
    scene.imports.running.clear()
    assert scene.tasks.stop(*ids)["next"] == "wait"
    assert RunTable(scene.table).get(ref).status is RunStatus.CANCELLED


def test_a_run_that_does_not_end_is_ended_from_outside(scene: Scene):
    ref = RunRef(CLIENT, new_id(), new_id())
    scene.run(ref, MINE, ended=False)
    scene.imports.start(ref.run_id, {})
    scene.ask()
    scene.now += timedelta(minutes=21)
    assert scene.walk()[:2] == ["stop_work", "wait"]
    assert scene.imports.stopped == [scene.imports.execution(ref.run_id)]


def test_a_transfer_under_way_comes_to_its_end_first(scene: Scene):
    TransferLeaseTable(scene.table).acquire(CLIENT, MINE, "t", "w", scene.now + timedelta(minutes=6), scene.now)
    scene.ask()
    names = next(iter(scene.machine.running.values()))
    ids = names["client_id"], names["connection_id"], names["deletion_id"]
    assert scene.tasks.stop(*ids) == {"next": "still_running"}
    scene.now += timedelta(minutes=7)
    assert scene.tasks.stop(*ids)["next"] == "wait"


# --- grace and restore ----------------------------------------------------------------------------


def test_nothing_is_removed_before_its_time(scene: Scene):
    scene.ask()
    names = next(iter(scene.machine.running.values()))
    scene.now += timedelta(days=30) - timedelta(seconds=1)
    before = scene.traces(MINE)
    assert scene.tasks.remove(CLIENT, MINE, names["deletion_id"], lambda: 900.0)["next"] == "wait"
    assert scene.traces(MINE) == before


def test_the_machine_does_not_wake_before_the_time_is_over(scene: Scene):
    scene.now += timedelta(milliseconds=250)
    until = scene.ask().restorable_until
    assert until == scene.now.replace(microsecond=0) + timedelta(days=30, seconds=1)
    names = next(iter(scene.machine.running.values()))
    answer = scene.tasks.stop(names["client_id"], names["connection_id"], names["deletion_id"])
    assert answer["until"] == f"{until:%Y-%m-%dT%H:%M:%SZ}"


@on_both
def test_within_the_grace_time_everything_comes_back_paused(scene: Scene):
    def kept():
        skip = ("DELETION", "DELETION-PLAN", "ENTRY", "SYNC", "CONNECTION")
        return [one for one in scene.traces(MINE) if one.split(" ")[-1].split("#")[0] not in skip]

    before = kept()
    scene.ask()
    execution, names = next(iter(scene.machine.running.items()))
    scene.tasks.stop(CLIENT, MINE, names["deletion_id"])
    scene.now += timedelta(days=29)
    scene.service.restore(scene.member(), MINE)
    found = scene.connection()
    assert found.status is ConnectionStatus.PAUSED
    assert found.health.paused_from is ConnectionStatus.ACTIVE
    assert found.health.catch_up_from is not None, "what was missed is made up for when it is resumed"
    assert found.status_reason is None
    assert set(before) <= set(kept())
    new = {one.split(" ")[-1].split("#")[0] for one in set(kept()) - set(before)}
    assert new == {"EVENT"}, "that it was deleted and restored"
    assert scene.store.list_scheduled(CLIENT) == []
    assert scene.machine.stopped == [execution]
    actions = [entry.action for entry in scene.audit.list_entries(scene.member(), MINE, PageQuery()).items]
    assert actions == ["connection.restored", "connection.deleted", "connection.created"]


def test_a_restored_syncs_next_transfer_waits_for_the_connection_and_speaks_of_no_deletion(scene: Scene):
    scene.ask()
    names = next(iter(scene.machine.running.values()))
    scene.tasks.stop(CLIENT, MINE, names["deletion_id"])
    scene.service.restore(scene.member(), MINE)
    sync = SyncTable(scene.table).get(CLIENT, MINE)
    assert (sync.next_at, sync.next_reason) == (None, "It waits until the connection works again.")
    assert sync.settings.is_automatic


def test_a_wizard_whose_machine_never_began_is_nobodys_work(scene: Scene):
    draft = scene.draft(MINE)
    assert goes(scene.service.preview(scene.member(), MINE))["wizards"].count == 1
    scene.connect.running.pop(draft.execution)
    assert goes(scene.service.preview(scene.member(), MINE))["wizards"].count == 0


def test_what_waited_for_its_password_waits_for_it_again_once_it_is_resumed(scene: Scene):
    before = scene.connection()
    since = scene.now - timedelta(days=3)
    waits = ConnectionStatus.REAUTH_REQUIRED
    assert scene.connections.change_status(before, waits, Health(of=waits, since=since, catch_up_from=since), None)
    scene.ask()
    scene.service.restore(scene.member(), MINE)
    health = scene.connection().health
    assert (health.paused_from, health.catch_up_from) == (waits, since)


def test_a_machine_that_wakes_after_a_restore_removes_nothing(scene: Scene):
    scene.ask()
    names = next(iter(scene.machine.running.values()))
    scene.service.restore(scene.member(), MINE)
    before = scene.traces(MINE)
    scene.now += timedelta(days=31)
    for _ in range(2):
        assert scene.tasks.remove(CLIENT, MINE, names["deletion_id"], lambda: 900.0) == {"next": "done"}
    assert scene.traces(MINE) == before
    assert scene.connection().status is ConnectionStatus.PAUSED


def test_a_connection_is_not_restored_after_its_time_or_when_it_was_never_deleted(scene: Scene):
    with pytest.raises(Conflict) as refused:
        scene.service.restore(scene.member(), MINE)
    assert refused.value.code == "not_deleting"
    scene.ask()
    scene.now += timedelta(days=30)
    with pytest.raises(Gone) as late:
        scene.service.restore(scene.member(), MINE)
    assert late.value.code == "too_late"


def test_of_a_restore_and_a_removal_at_the_same_moment_one_wins(scene: Scene):
    scene.ask()
    deletion = scene.store.get(CLIENT, MINE)
    entry = scene.audit.entry("owner", "connection.restored")
    assert scene.store.begin_removal(deletion) is not None
    told = make_event(CONNECTION_RESTORED, CLIENT, MINE, scene.now, deletion.id, "It was restored.")
    with pytest.raises(Conflict):
        scene.store.cancel(deletion, scene.connection(), entry, told, scene.now)
    assert scene.connection().status is ConnectionStatus.DELETING
    assert scene.store.get(CLIENT, MINE).status == "removing"


def test_a_restored_connection_can_be_deleted_again(scene: Scene):
    scene.ask()
    scene.service.restore(scene.member(), MINE)
    scene.machine.running.clear()
    scene.ask()
    scene.walk()
    assert scene.connection() is None


def test_a_plan_counts_once_after_a_restore_one_looks_anew(scene: Scene):
    token = scene.service.preview(scene.member(), MINE).plan_token
    scene.ask(token)
    scene.service.restore(scene.member(), MINE)
    with pytest.raises(Gone) as refused:
        scene.ask(token)
    assert refused.value.code == "plan_expired"
    assert scene.connection().status is ConnectionStatus.PAUSED
    scene.now += timedelta(seconds=1)
    scene.ask()
    scene.walk()
    assert scene.connection() is None


def test_a_deletion_whose_machine_had_ended_before_anything_was_done_gets_another(scene: Scene, monkeypatch):
    token = scene.service.preview(scene.member(), MINE).plan_token
    with monkeypatch.context() as patch:
        patch.setattr(scene.table, "transact", _dies_at_the_second())
        with pytest.raises(Unavailable):
            scene.ask(token)
    scene.machine.running.clear()
    scene.ask(token)
    scene.walk()
    assert scene.connection() is None


def _dies_at_the_second():
    real, calls = Table.transact, []

    def transact(writes):
        calls.append(writes)
        if len(calls) == 2:
            raise Unavailable("The table is busy.")
        return real(Table("tenants"), writes)

    return transact


# --- told ----------------------------------------------------------------------------


def told(scene: Scene):
    """What waits to be published of the connection, in the order in which it happened."""
    waiting = [kept.read() for kept in EventTable(scene.table).find_unpublished(scene.now)]
    return [(one.type, one.data["status"], one.data["by"]["name"]) for one in waiting if one.connection_id == MINE]


def test_everybody_is_told_that_it_is_being_deleted_and_that_it_was_restored(scene: Scene):
    token = scene.service.preview(scene.member(), MINE).plan_token
    scene.ask(token)
    scene.ask(token)
    deleting = (CONNECTION_DELETING, "deleting", "owner@example.test")
    assert told(scene) == [deleting]
    for names in scene.machine.running.values():
        scene.tasks.schedule(names["client_id"], names["connection_id"], names["deletion_id"])
    assert told(scene) == [deleting], "once, however often it is asked for"
    scene.now += timedelta(days=1)
    scene.service.restore(scene.member(), MINE)
    assert told(scene) == [deleting, (CONNECTION_RESTORED, "paused", "owner@example.test")]


# --- afterwards ----------------------------------------------------------------------------


@on_both
def test_afterwards_a_search_of_every_store_finds_nothing_but_the_audit_trail(scene: Scene):
    scene.draft(MINE)
    others = scene.others()
    scene.ask()
    assert scene.walk() == ["stop_work", "wait", "done"]
    for word in (MINE, NAME, "Nord AS", "Vest AS"):
        assert [trace for trace in scene.traces(word) if "#AUDIT#" not in trace] == [], word
    assert [entry.action for entry in scene.audit.list_entries(scene.member(), MINE, PageQuery()).items] == [
        "connection.removed",
        "connection.deleted",
        "connection.created",
    ]
    assert scene.others() == others, "the other connection has everything it had"
    assert scene.companies.licences(CUSTOMER).licences_used == 1


def test_its_name_and_its_companies_can_be_used_again(scene: Scene):
    scene.ask()
    assert scene.connections.is_taken(CLIENT, NAME), "while it can be brought back, its name is kept for it"
    assert len(scene.companies.list_used(CLIENT, MINE)) == 2
    scene.walk()
    assert not scene.connections.is_taken(CLIENT, NAME)
    assert scene.companies.list_used(CLIENT, MINE) == []


def test_with_no_time_of_grace_it_goes_at_once(scene: Scene):
    scene.grace = timedelta()
    scene.ask()
    assert scene.walk() == ["stop_work", "remove", "done"]
    assert scene.connection() is None


def test_removal_that_runs_out_of_time_goes_on_where_it_was(scene: Scene):
    scene.grace = timedelta()
    scene.ask()
    names = next(iter(scene.machine.running.values()))
    ids = names["client_id"], names["connection_id"], names["deletion_id"]
    scene.tasks.stop(*ids)
    rounds = 0
    while True:
        left = iter([900.0] * (rounds + 1))
        if scene.tasks.remove(*ids, lambda left=left: next(left, 0.0))["next"] == "done":
            break
        rounds += 1
    assert rounds > 5
    assert scene.connection() is None
