"""Of a connection that is being deleted nothing begins, nobody sees anything, and the machine is served."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from erphub.connections.access import require_active
from erphub.connections.dynamodb import ConnectionTable
from erphub.deletions.tasks import DeletionTasks
from erphub.lake.ports import RowPage
from erphub.lake.rows.schemas import RowsQuery
from erphub.lake.rows.service import RowService
from erphub.platform.aws.limits import LimitTable
from erphub.platform.errors import Conflict
from erphub.platform.ids import derived_id
from erphub.platform.limits import Limits
from erphub.platform.tasks import TaskFailed
from erphub.sync.documents.service import DocumentService, read_incoming
from erphub.sync.export_log.dynamodb import EntryTable, IdentityTable
from erphub.sync.settings.dynamodb import SyncTable
from erphub.sync.settings.planning import TransferPlanner
from erphub.wizards.dynamodb import WizardTable
from tests.deletions.conftest import CLIENT, MINE, OTHER, Scene
from tests.support import services
from tests.support.imports import run_service

ROOT = Path(__file__).resolve().parents[2]


def require_alive(scene: Scene):
    return lambda client_id, connection_id: require_active(scene.connections.get(client_id, connection_id))


def test_no_import_is_started_by_hand(scene: Scene):
    runs = run_service(scene.table, scene.imports, scene.clock, scene.connections)
    scene.ask()
    with pytest.raises(Conflict) as refused:
        runs.start(CLIENT, derived_id("job", MINE), "owner")
    assert refused.value.code == "connection_deleting"
    assert scene.imports.running == {}
    assert runs.start(CLIENT, derived_id("job", OTHER), "owner").status == "queued"


def test_no_document_is_taken_in(scene: Scene):
    syncs, entries = SyncTable(scene.table), EntryTable(scene.exports)
    planner = TransferPlanner(syncs, scene.clock)
    limits = Limits(LimitTable(scene.table), tuple, {}, scene.clock)
    identities = IdentityTable(scene.exports)
    documents = DocumentService(
        scene.connections,
        syncs,
        entries,
        identities,
        None,  # type: ignore[arg-type]
        planner,
        scene.clock,
        limits,
    )
    scene.ask()
    coming = read_incoming("customer", "K-1", {"name": "Kari"})
    with pytest.raises(Conflict) as refused:
        documents.submit(CLIENT, MINE, "owner", coming)
    assert refused.value.code == "connection_deleting"
    assert documents.submit(CLIENT, OTHER, "owner", coming).outcome == "created"


def test_nobody_sees_its_rows_until_it_is_restored(scene: Scene):
    asked = []

    class Lake:
        def page(self, client_id, dataset, query):
            asked.append(list(query.hidden))
            return RowPage([], None)

    rows = RowService(Lake(), [SimpleNamespace(hidden=scene.store.list_scheduled)])
    rows.list_rows(CLIENT, "accounts", RowsQuery())
    scene.ask()
    rows.list_rows(CLIENT, "accounts", RowsQuery())
    scene.service.restore(scene.member(), MINE)
    rows.list_rows(CLIENT, "accounts", RowsQuery())
    assert asked == [[], [MINE], []]


def test_an_edit_in_progress_is_ended_and_cannot_take_its_place(scene: Scene):
    wizard = scene.draft(MINE)
    before = scene.connection()
    scene.ask()
    entry = scene.audit.entry("owner", "connection.edited")
    _, ended = WizardTable(scene.table).replacing(wizard)
    with pytest.raises(Conflict):
        ConnectionTable(scene.table).swap(before, before, None, entry, [ended])
    assert scene.connection().status == "deleting"


def test_the_door_does_what_the_machine_asks(scene: Scene, monkeypatch):
    spec = importlib.util.spec_from_file_location("door_deletion", ROOT / "functions/connections/deletion.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    services.use(monkeypatch, {DeletionTasks: scene.tasks})
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "erphub")

    class Context:
        aws_request_id = "request"

        def get_remaining_time_in_millis(self) -> int:
            return 900_000

    event = json.loads((ROOT / "events/connections/deletion.json").read_text())
    assert module.handler(event, Context()) == {"next": "done"}, "a deletion nobody knows is none"
    scene.ask()
    mine = event | {"client_id": CLIENT, "connection_id": MINE, "deletion_id": scene.store.get(CLIENT, MINE).id}
    assert module.handler(mine | {"task": "schedule"}, Context()) == {"next": "stop_work"}
    waits = module.handler(mine, Context())
    assert waits == {"next": "wait", "until": "2026-12-22T08:00:00Z"}
    scene.now = scene.store.get(CLIENT, MINE).restorable_until
    assert module.handler(mine | {"task": "remove"}, Context())["next"] == "done"
    assert scene.connection() is None
    with pytest.raises(TaskFailed):
        module.handler(mine | {"task": "nothing"}, Context())
