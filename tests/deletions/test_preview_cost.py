"""A preview costs a handful of requests among 10,000 connections and 100,000 runs: it reads nothing of others."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from erphub.companies.dynamodb import company_key
from erphub.connections.dynamodb import connection_company_key, connection_key
from erphub.imports.jobs.dynamodb import job_key
from erphub.imports.runs.dynamodb.runs import run_key
from erphub.imports.runs.models import RunRef
from erphub.lake.dependents import MAX_FOLDERS
from erphub.lake.locations import company_folder, connection_folder
from erphub.platform.aws import clients
from erphub.platform.aws.removal import MAX_COUNTED
from erphub.platform.ids import derived_id
from erphub.wizards.dynamodb import wizard_key
from tests.deletions.conftest import CLIENT, CUSTOMER, MINE, Scene, fresh_scene
from tests.deletions.test_deletion import goes

pytestmark = pytest.mark.generated

CONNECTIONS, RUNS_EACH = 10_000, 10
A_HANDFUL = 40


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A scene in memory: moto takes minutes for so many items."""
    yield from fresh_scene("memory")


@pytest.fixture
def requests(scene: Scene) -> Counter[str]:
    """The requests to AWS from here on, by operation."""
    counted: Counter[str] = Counter()

    def count(event_name: str, **_: Any) -> None:
        counted[event_name.rpartition(".")[2]] += 1

    clients._session().register("after-call", count)
    return counted


def crowd(scene: Scene) -> None:
    """Ten thousand more connections of the client, each with a job, ten runs, a wizard, a company and a licence."""
    items: list[dict[str, Any]] = []
    for number in range(CONNECTIONS):
        connection, job = f"c{number:05}", f"j{number:05}"
        mine = {"connection_id": connection}
        items += [
            {**connection_key(CLIENT, connection), "version": 1},
            {**job_key(CLIENT, job), **mine, "version": 1, "body": "{}"},
            {**wizard_key(CLIENT, f"w{number:05}"), **mine, "status": "finished"},
            {**connection_company_key(CLIENT, connection, "g", "F0001"), "key": "F0001", "name": "Example AS"},
            {**company_key(CUSTOMER, f"system/{number}"), "uses": [f"{CLIENT}/{connection}"], "rev": 1},
            *({**run_key(CLIENT, job, f"r{number:05}-{run}"), **mine} for run in range(RUNS_EACH)),
        ]
    scene.table.put_many(items)


def test_a_preview_costs_a_handful_of_requests_however_many_connections_and_runs_there_are(
    scene: Scene, requests: Counter[str]
):
    scene.service.preview(scene.member(), MINE)
    alone = requests.total()
    crowd(scene)
    requests.clear()
    plan = scene.service.preview(scene.member(), MINE)
    assert requests.total() == alone <= A_HANDFUL, requests
    counts = {kind: view.count for kind, view in goes(plan).items()}
    assert (counts["runs"], counts["import_jobs"], counts["companies"], counts["licences"]) == (1, 1, 2, 1)
    assert not [kind for kind, view in goes(plan).items() if view.details.has_more]


def test_of_more_than_can_be_counted_in_time_it_says_at_least(scene: Scene, requests: Counter[str]):
    job = derived_id("job", MINE)
    runs = [{**run_key(CLIENT, job, f"r{number:06}"), "connection_id": MINE} for number in range(3 * MAX_COUNTED)]
    scene.table.put_many(runs)
    requests.clear()
    plan = scene.service.preview(scene.member(), MINE)
    view = goes(plan)["runs"]
    assert (view.count, view.details.has_more) == (MAX_COUNTED, True)
    assert requests.total() <= A_HANDFUL


def test_so_many_companies_that_their_folders_are_not_all_looked_into(scene: Scene, requests: Counter[str]):
    connection = scene.connection()
    assert connection is not None
    for number in range(2 * MAX_FOLDERS):
        key = connection_company_key(CLIENT, MINE, connection.generation, f"X{number:04}")
        scene.table.put({**key, "key": f"X{number:04}", "name": "Example AS", "attributes": "{}"})
    requests.clear()
    lake = goes(scene.service.preview(scene.member(), MINE))["lake_tables"]
    assert lake.details.has_more is True
    assert requests["ListObjectsV2"] <= MAX_FOLDERS + 5


def test_the_preview_measures_the_connections_own_folders_also_of_companies_with_odd_names(scene: Scene):
    connection, odd = scene.connection(), "Ø & Co/1"
    assert connection is not None
    before = goes(scene.service.preview(scene.member(), MINE))["lake_tables"].details.size_bytes
    key = connection_company_key(CLIENT, MINE, connection.generation, odd)
    scene.table.put({**key, "key": odd, "name": odd, "attributes": "{}"})
    scene.bucket.write(f"lake/{CLIENT}/accounts/{company_folder(odd)}/{connection_folder(MINE)}/a.parquet", b"x" * 1000)
    after = goes(scene.service.preview(scene.member(), MINE))["lake_tables"].details.size_bytes
    assert after - before == 1000
    assert before > 0


def test_a_run_that_was_counted_stays_counted_whether_it_ended_or_not(scene: Scene):
    for number, ended in enumerate((True, False)):
        scene.run(RunRef(CLIENT, derived_id("job", MINE), f"extra-{number}"), MINE, ended=ended)
        scene.run(RunRef(CLIENT, derived_id("job", MINE), f"extra-{number}"), MINE, ended=ended)
    assert goes(scene.service.preview(scene.member(), MINE))["runs"].count == 3
