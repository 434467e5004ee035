"""Notes on a connection, from the API to the deletion. Copied with the package, as tests/notes/test_api.py."""

import pytest

from erphub import app
from erphub.events.dynamodb import EventTable
from erphub.events.publisher import EventPublisher
from erphub.platform.aws.table import Table
from erphub.platform.removal import Dependent
from tests.support import services
from tests.support.hub import Hub
from tests.wizards.test_service import Wizard


@pytest.fixture
def notes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the notes of a connection."""
    publisher = EventPublisher(EventTable(Table(hub.table)), hub.bus, lambda: hub.time[0])
    services.use(monkeypatch, {EventPublisher: publisher})
    return hub.in_client(f"/connections/{Wizard(hub).until('finish').get()['connection_id']}/notes")


def test_a_note_is_written_read_and_deleted_and_the_audit_log_says_by_whom(hub: Hub, notes: str):
    made = hub.call("POST", notes, {"text": "The password changes in May."})
    assert made.status == 201
    assert hub.call("GET", notes).json == {"items": [made.json], "next": None}
    address = f"{notes}/{made.json['id']}"
    assert hub.call("DELETE", address).status == 204
    assert hub.call("DELETE", address).code == "note_not_found"
    assert hub.call("GET", notes).json["items"] == []
    actions = [one["action"] for one in hub.call("GET", notes.replace("/notes", "/audit")).json["items"]]
    assert actions[:2] == ["note.deleted", "note.created"]


def test_whoever_lacks_the_permission_is_refused_and_writes_nothing(hub: Hub, notes: str):
    before = hub.items()
    refused = hub.call("POST", notes, {"text": "?"}, user="viewer")
    assert (refused.code, refused.json["permission"]) == ("permission_missing", "notes:manage")
    assert hub.items() == before


def test_a_note_is_news(hub: Hub, notes: str):
    hub.call("POST", notes, {"text": "Look at this."})
    assert [event.type for event in hub.bus.published] == ["note.created"]
    (shown,) = hub.call("GET", hub.in_client("/notifications")).json["items"]
    assert (shown["type"], shown["level"]) == ("note.created", "info")


def test_notes_go_with_their_connection(hub: Hub, notes: str):
    class Connection:
        client_id, id, secret_name, generation = hub.client, notes.split("/")[-2], "", ""

    for text in ("one", "two"):
        hub.call("POST", notes, {"text": text})
    (dependent,) = [one for one in app.services().all(Dependent) if one.kind == "notes"]
    assert dependent.find(Connection()).count == 2
    assert dependent.remove(Connection(), lambda: 60.0)
    assert dependent.find(Connection()).count == 0
    assert hub.call("GET", notes).json["items"] == []
