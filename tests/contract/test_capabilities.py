"""The manifests: what each capability says about itself is true, and is where it belongs."""

import copy
import pickle
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from erphub import app, capabilities
from erphub.capabilities import CAPABILITIES
from erphub.events.models import DeclaredType
from erphub.platform.capability import Capability, EventType, Level, Permission
from erphub.tenancy.capability import CONNECTIONS_VIEW
from erphub.tenancy.schemas import DeclaredPermission

EVENT_TYPES = {
    "api_key.created": "info",
    "api_key.network_refused": "warning",
    "api_key.revoked": "info",
    "api_key.rotated": "info",
    "company.access_requested": "warning",
    "connection.attempts_slowed": "warning",
    "connection.degraded": "warning",
    "connection.deleting": "warning",
    "connection.healed": "info",
    "connection.paused": "info",
    "connection.reauth_required": "error",
    "connection.restored": "info",
    "connection.resumed": "info",
    "export.approved": "info",
    "export.discarded": "warning",
    "export.gaps": "warning",
    "export.rejected": "error",
    "export.silent": "warning",
    "export.unapproved": "warning",
    "import.failed": "error",
    "import.finished": "info",
    "transfer.failed": "error",
    "transfer.finished": "info",
    "webhook.failing": "warning",
}
"""What was published stays: these words are a contract."""


@pytest.mark.parametrize("name", CAPABILITIES)
def test_a_manifest_speaks_of_its_own_package(name: str):
    (manifest,) = [one for one in capabilities.manifests() if one.name == name]
    assert manifest.title
    assert all(package.split(".")[0] == name for package in manifest.packages)
    assert all(one.summary and one.summary[0].isupper() for one in (*manifest.permissions, *manifest.events))


def test_the_published_types_of_events_are_all_there_with_their_levels():
    declared = {str(one): str(one.level) for one in capabilities.event_types().values()}
    assert {name: declared.get(name) for name in EVENT_TYPES} == EVENT_TYPES


def test_every_permission_that_a_route_needs_is_declared():
    needed = {route.needs for _, route in app.all_routes() if isinstance(route.needs, Permission)}
    assert needed <= set(capabilities.permissions().values())
    assert needed


def test_what_two_capabilities_declare_is_refused(monkeypatch: pytest.MonkeyPatch):
    twice = tuple(Capability(name, name, permissions=(Permission("a:b", "Do b"),)) for name in ("one", "two"))
    monkeypatch.setattr(capabilities, "manifests", lambda: twice)
    capabilities.permissions.cache_clear()
    with pytest.raises(ValueError, match="two capabilities declare a:b"):
        capabilities.permissions()


def test_a_permission_is_its_text_and_knows_who_has_it():
    permission = Permission("notes:view", "See notes", {"viewer"})
    assert permission == "notes:view"
    assert permission.roles == {"viewer", "administrator"}
    for same in (copy.deepcopy(permission), pickle.loads(pickle.dumps(permission))):
        assert (same, same.summary, same.roles) == (permission, permission.summary, permission.roles)


def test_a_type_of_event_is_its_text_and_knows_how_much_it_matters():
    told = EventType("note.written", "Somebody wrote a note", Level.WARNING)
    for same in (told, copy.deepcopy(told), pickle.loads(pickle.dumps(told))):
        assert (same, same.level, same.summary) == ("note.written", "warning", "Somebody wrote a note")


def test_what_comes_over_the_wire_is_one_of_what_is_declared():
    read = TypeAdapter(DeclaredPermission).validate_json('"connections:view"')
    assert read is CONNECTIONS_VIEW
    assert TypeAdapter(DeclaredPermission).dump_json(read) == b'"connections:view"'
    assert TypeAdapter(DeclaredType).validate_python("import.failed").level is Level.ERROR
    for adapter in (TypeAdapter(DeclaredPermission), TypeAdapter(DeclaredType)):
        with pytest.raises(ValidationError):
            adapter.validate_json('"nothing:like-it"')


def test_every_limit_stands_in_the_page_on_security_with_its_number():
    page = (Path(__file__).resolve().parents[2] / "docs/security.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| `")]
    for limit in capabilities.limits().values():
        (line,) = [line for line in lines if line.startswith(f"| `{limit.name}` |")]
        assert f"| {limit.summary} | {limit.maximum:,} " in line
        assert line.endswith(f"| {limit.scope} |")
