"""Import jobs as people make and change them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from erphub.imports.hooks import ImportHooks
from erphub.imports.jobs.dynamodb import JobTable, job_key
from erphub.imports.jobs.schemas import ChangedJob, NewJob
from erphub.imports.runs.dynamodb.runs import RunTable
from erphub.imports.runs.models import RunRef
from erphub.imports.runs.service import NOT_STARTED_AFTER
from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict, Invalid, NotFound, Unavailable
from erphub.platform.ids import new_id
from erphub.platform.wire import ID, PageQuery
from tests.support.aws import on_both
from tests.support.imports import CLIENT, CONNECTION, Connections, RecordingMachine, job_service, run_service

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


class Office:
    """Jobs and runs of one client, whose only connection is CONNECTION."""

    def __init__(self, table: Table) -> None:
        self.machine, self.now = RecordingMachine(), NOW
        self.store, self.runs = JobTable(table), RunTable(table)
        self.run_service = run_service(table, self.machine, lambda: self.now)
        self.connections = Connections()
        self.jobs = job_service(table, lambda: NOW, self.connections)
        self.hooks = ImportHooks(self.store, self.runs, self.run_service, lambda: NOW)


@pytest.fixture
def office(table: Table) -> Office:
    return Office(table)


def new(**values: Any) -> NewJob:
    known = {"name": "Ledger", "connection_id": CONNECTION, "period": {"kind": "everything"}}
    return NewJob.model_validate_json(__import__("json").dumps(known | values), strict=True)


NIGHTLY = {"run_time": "02:30", "time_zone": "Europe/Oslo"}


def test_a_job_is_kept_as_it_was_made(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(company_keys=["F0001"], dataset_ids=["accounts"], description="d"), "u")
    assert ID.fullmatch(made.id)
    assert office.jobs.get(CLIENT, made.id) == made
    assert (made.company_keys, made.dataset_ids, made.next_run_at) == (("F0001",), ("accounts",), None)
    assert [job.id for job in office.jobs.list_jobs(CLIENT, PageQuery()).items] == [made.id]


def test_a_company_that_the_connection_does_not_have_is_refused_when_the_job_is_saved(office: Office) -> None:
    with pytest.raises(Invalid) as refused:
        office.jobs.create(CLIENT, new(company_keys=["F0001", "F9", "f0001"]), "u")
    assert [(one.pointer, one.code) for one in refused.value.errors] == [
        ("/company_keys/1", "company_unknown"),
        ("/company_keys/2", "company_unknown"),
    ]
    made = office.jobs.create(CLIENT, new(company_keys=["F0001"]), "u")
    with pytest.raises(Invalid):
        office.jobs.update(CLIENT, made.id, ChangedJob.model_validate({"company_keys": ["F9"], "version": 1}))
    renamed = office.jobs.update(CLIENT, made.id, ChangedJob(version=1, name="Another"))
    assert renamed.company_keys == ("F0001",)


def test_a_dataset_that_the_connection_does_not_have_is_refused_when_the_job_is_saved(office: Office) -> None:
    mapped = {"accounts": {"table": "A", "columns": {"account_no": "No"}}}
    office.connections.settings, office.connections.erp_system = {"mapping": mapped}, "sqlserver-generic"
    with pytest.raises(Invalid) as refused:
        office.jobs.create(CLIENT, new(dataset_ids=["accounts", "gl_transactions"]), "u")
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/dataset_ids/1", "dataset_not_offered")]
    made = office.jobs.create(CLIENT, new(dataset_ids=["accounts"]), "u")
    change = {"dataset_ids": ["gl_transactions"], "version": 1}
    with pytest.raises(Invalid):
        office.jobs.update(CLIENT, made.id, ChangedJob.model_validate(change))
    mapped["gl_transactions"] = mapped["accounts"]
    assert office.jobs.update(CLIENT, made.id, ChangedJob.model_validate(change)).dataset_ids == ("gl_transactions",)


def test_null_leaves_each_field_as_it_is_and_a_schedule_is_taken_away_by_its_own_word(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(period={"kind": "days", "days": 40}, schedule=NIGHTLY), "u")
    form = {"name": "Nightly", "company_keys": None, "dataset_ids": None, "period": None, "schedule": None}
    kept = office.jobs.update(CLIENT, made.id, ChangedJob.model_validate(form | {"version": 1}))
    assert (kept.name, kept.company_keys, kept.period, kept.schedule) == (
        "Nightly",
        made.company_keys,
        made.period,
        made.schedule,
    )
    assert kept.next_run_at == made.next_run_at
    off = office.jobs.update(CLIENT, made.id, ChangedJob.model_validate({"schedule": "by_hand", "version": 2}))
    assert (off.schedule, off.next_run_at) == (None, None)


def test_a_scheduled_job_says_when_it_runs_next(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(period={"kind": "days", "days": 40}, schedule=NIGHTLY), "u")
    assert made.next_run_at == "2026-01-11T01:30:00Z"


def test_a_fixed_period_is_written_with_its_first_and_last_day(office: Office) -> None:
    made = office.jobs.create(
        CLIENT, new(period={"kind": "range", "from_date": "2025-01-01", "to_date": "2025-12-31"}), "u"
    )
    assert '"period":{"kind":"range","from_date":"2025-01-01","to_date":"2025-12-31"}' in made.model_dump_json()


@pytest.mark.parametrize("period", [{"kind": "everything"}, {"kind": "this_year"}])
def test_only_rolling_windows_can_be_scheduled(office: Office, period: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        office.jobs.create(CLIENT, new(period=period, schedule=NIGHTLY), "u")
    assert refused.value.errors[0].code == "schedule_needs_days"


@pytest.mark.parametrize(
    "wrong",
    [
        {"period": {"kind": "days", "days": 101}},
        {"period": {"kind": "days", "days": -1}},
        {"period": {"kind": "days", "days": "40"}},
        {"period": {"kind": "sometimes"}},
        {"period": {"kind": "range", "from_date": "2025-02-01", "to_date": "2025-01-01"}},
        {"period": {"kind": "range", "from_date": "2025-02-30", "to_date": "2025-03-01"}},
        {"company_keys": []},
        {"company_keys": "some"},
        {"name": "\u202eevil"},
        {"name": " "},
        {"connection_id": "'; DROP TABLE"},
        {"schedule": {"run_time": "24:00", "time_zone": "Europe/Oslo"}},
        {"schedule": {"run_time": "02:30", "time_zone": "Mars/Olympus"}},
        {"schedule": {"run_time": "02:30", "time_zone": "localtime"}},
        {"schedule": {"run_time": "02:30", "time_zone": "Factory"}},
        {"schedule": {"run_time": "02:30", "time_zone": "UTC", "weekdays": []}},
        {"unheard": "of"},
    ],
)
def test_a_job_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        new(**wrong)


def test_an_unknown_dataset_and_a_foreign_connection_are_refused(office: Office, table: Table) -> None:
    with pytest.raises(Invalid) as refused:
        office.jobs.create(CLIENT, new(dataset_ids=["accounts", "secrets"]), "u")
    assert (refused.value.errors[0].pointer, refused.value.errors[0].code) == ("/dataset_ids/1", "dataset_unknown")
    jobs = job_service(table, lambda: NOW, Connections(missing={"01HZZZZZZZZZZZZZZZZZZZZZZ9"}))
    with pytest.raises(Invalid) as refused:
        jobs.create(CLIENT, new(connection_id="01HZZZZZZZZZZZZZZZZZZZZZZ9"), "u")
    assert refused.value.errors[0].code == "connection_not_found"


def test_a_job_of_a_zone_that_is_no_more_is_still_shown_and_can_be_given_another(office: Office, table: Table) -> None:
    made = office.jobs.create(CLIENT, new(period={"kind": "days", "days": 1}, schedule=NIGHTLY), "u")
    item = table.get(job_key(CLIENT, made.id)) or {}
    table.put(item | {"body": item["body"].replace("Europe/Oslo", "US/Pacific-New")})
    (shown,) = office.jobs.list_jobs(CLIENT, PageQuery()).items
    assert shown.schedule is not None
    assert shown.schedule.time_zone == "US/Pacific-New"
    with pytest.raises(ValidationError):
        ChangedJob.model_validate({"version": 1, "schedule": shown.schedule.model_dump()})
    changed = office.jobs.update(CLIENT, made.id, ChangedJob.model_validate({"version": 1, "schedule": NIGHTLY}))
    assert changed.next_run_at == "2026-01-11T01:30:00Z"


def test_two_changes_of_the_same_version_do_not_overwrite_each_other(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(), "u")
    changed = office.jobs.update(CLIENT, made.id, ChangedJob(version=1, name="Other"))
    assert (changed.name, changed.version) == ("Other", 2)
    with pytest.raises(Conflict) as refused:
        office.jobs.update(CLIENT, made.id, ChangedJob(version=1, name="Third"))
    assert refused.value.code == "version_conflict"


@on_both
def test_a_schedule_can_be_given_and_taken_away(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(period={"kind": "days", "days": 1}), "u")
    given = office.jobs.update(
        CLIENT,
        made.id,
        ChangedJob.model_validate_json(f'{{"version":1,"schedule":{__import__("json").dumps(NIGHTLY)}}}'),
    )
    assert given.next_run_at is not None
    taken = office.jobs.update(CLIENT, made.id, ChangedJob.model_validate_json('{"version":2,"schedule":"by_hand"}'))
    assert (taken.schedule, taken.next_run_at) == (None, None)
    assert list(office.store.due(datetime(2030, 1, 1, tzinfo=UTC))) == []


def test_a_change_cannot_make_a_job_that_could_not_be_made(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(period={"kind": "days", "days": 1}, schedule=NIGHTLY), "u")
    with pytest.raises(Invalid):
        office.jobs.update(
            CLIENT, made.id, ChangedJob.model_validate_json('{"version":1,"period":{"kind":"everything"}}')
        )


def test_a_deleted_job_is_gone_and_no_longer_due(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(period={"kind": "days", "days": 1}, schedule=NIGHTLY), "u")
    office.jobs.delete(CLIENT, made.id)
    for again in (office.jobs.get, office.jobs.delete):
        with pytest.raises(NotFound):
            again(CLIENT, made.id)
    assert list(office.store.due(datetime(2030, 1, 1, tzinfo=UTC))) == []


def test_another_client_sees_nothing(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(), "u")
    with pytest.raises(NotFound):
        office.jobs.get(new_id(), made.id)


@on_both
def test_a_new_connection_gets_three_jobs_and_the_first_runs_once(office: Office) -> None:
    for _ in range(2):  # the wizard's last task may be tried again
        office.hooks.created(CLIENT, CONNECTION, "owner")
    jobs = {job.name: job for job in office.jobs.list_jobs(CLIENT, PageQuery()).items}
    assert set(jobs) == {"Everything", "This year", "Last 40 days"}
    assert all(ID.fullmatch(job.id) for job in jobs.values())
    assert len(office.machine.started) == 1
    assert [
        run.ref.run_id for run in office.runs.page(CLIENT, jobs["Everything"].id, 9, None).items
    ] == office.machine.started
    nightly = jobs["Last 40 days"]
    assert nightly.schedule is not None
    assert "01:00" <= nightly.schedule.run_time < "05:00"
    assert nightly.next_run_at is not None
    assert jobs["This year"].schedule is None


def test_default_jobs_of_many_connections_do_not_all_start_in_the_same_minute(office: Office) -> None:
    for _ in range(12):
        office.hooks.created(CLIENT, new_id(), "owner")
    times = {job.schedule.run_time for job in office.jobs.list_jobs(CLIENT, PageQuery(limit=100)).items if job.schedule}
    assert len(times) >= 8


def test_a_run_that_has_ended_cannot_be_cancelled(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(), "u")
    office.machine.refuses = 1
    with pytest.raises(Exception, match="could not be started"):
        office.run_service.start(CLIENT, made.id, "u")
    run = office.runs.page(CLIENT, made.id, 9, None).items[0]
    assert run.problem is not None
    assert run.problem["code"] == "not_started"
    with pytest.raises(Conflict) as refused:
        office.run_service.cancel(run.ref)
    assert refused.value.code == "run_ended"


def test_a_run_that_nobody_began_does_not_stay_queued(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(period={"kind": "days", "days": 1}, schedule=NIGHTLY), "u")
    job = office.store.get(CLIENT, made.id)
    office.machine.refuses = 1
    with pytest.raises(Unavailable):
        office.run_service.start_due(job, NOW)
    office.jobs.update(
        CLIENT, made.id, ChangedJob.model_validate({"version": 1, "schedule": "by_hand"})
    )  # no tick comes back
    (shown,) = office.run_service.list_runs(CLIENT, made.id, PageQuery()).items
    assert shown.status == "queued", "the next tick may still start it"
    office.now += NOT_STARTED_AFTER
    (shown,) = office.run_service.list_runs(CLIENT, made.id, PageQuery()).items
    assert shown.problem is not None
    assert (shown.status, shown.problem["code"]) == ("failed", "not_started")
    assert office.run_service.get(RunRef(CLIENT, made.id, shown.id)).status == "failed"


def test_a_run_that_waits_long_for_its_first_worker_stays_queued(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(), "u")
    started = office.run_service.start(CLIENT, made.id, "u")
    office.now += 4 * NOT_STARTED_AFTER
    assert office.run_service.get(RunRef(CLIENT, made.id, started.id)).status == "queued"


def test_a_run_shows_what_it_cost(office: Office) -> None:
    made = office.jobs.create(CLIENT, new(), "u")
    started = office.run_service.start(CLIENT, made.id, "u")
    run = office.runs.page(CLIENT, made.id, 9, None).items[0]
    office.runs.add_cost(run.ref, {"dynamodb.PutItem": 3, "s3.CopyObject": 2}, 1500)
    office.runs.add_cost(run.ref, {"dynamodb.PutItem": 1}, 500)
    shown = office.run_service.get(run.ref)
    assert shown.id == started.id
    assert shown.cost.aws_calls == {"dynamodb.PutItem": 4, "s3.CopyObject": 2}
    assert (shown.cost.task_count, shown.cost.lambda_duration_ms) == (2, 2000)
    assert float(shown.cost.estimated_usd) > 0
