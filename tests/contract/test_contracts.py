"""Handlers are thin: they ask the app for a service, and know neither AWS nor an ERP system nor each other.

And every capability's wiring tells the truth: what a provider says it makes is what comes of it.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from erphub import capabilities
from erphub.capabilities import CAPABILITIES
from erphub.connections.ports import ConnectionHooks
from erphub.imports.hooks import ImportHooks
from erphub.lake.ports import HiddenConnections
from erphub.platform.services import Services, provided_by
from erphub.sync.hooks import SyncHooks

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = sorted((ROOT / "functions").glob("*/*.py"))
NOT_FOR_HANDLERS = ("boto3", "botocore", "functions", "os")
NOT_FOR_HANDLERS_OF_ERPHUB = {"aws", "dynamodb", "wiring", "dependents", "delta", "transports", "systems", "catalogue"}
"""Parts of the names of modules that hold stores, engines and adapters."""


def imports(source: str) -> set[str]:
    """Every module that a handler imports, at its top or inside a function."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{one.name}" for one in node.names}
    return found


def strangers(source: str, neighbours: set[str]) -> list[str]:
    """What a handler imports and should not."""
    forbidden = (*NOT_FOR_HANDLERS, *neighbours)
    return sorted(
        name
        for name in imports(source)
        if any(name == one or name.startswith(f"{one}.") for one in forbidden)
        or (name.startswith("erphub.") and NOT_FOR_HANDLERS_OF_ERPHUB & set(name.split(".")))
    )


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_handler_knows_neither_a_store_nor_an_erp_nor_another_handler(handler: Path):
    neighbours = {path.stem for path in handler.parent.glob("*.py")} - {handler.stem}
    assert strangers(handler.read_text(), neighbours) == []


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_handler_gets_its_services_from_the_app(handler: Path):
    assert "erphub.app" in imports(handler.read_text())


def test_a_handler_of_routes_knows_nothing_but_the_app():
    for handler in HANDLERS:
        if "app.api(" in (source := handler.read_text()):
            assert imports(source) == {"erphub", "erphub.app"}, handler


def test_a_handler_that_reaches_for_a_store_would_be_noticed():
    assert strangers("from erphub.platform import aws", set()) == ["erphub.platform.aws"]
    assert "erphub.wizards.dynamodb" in strangers("from erphub.wizards.dynamodb import WizardTable", set())
    assert strangers("def handler(e, c):\n    import botocore.session", set()) == ["botocore.session"]
    assert strangers("import api", {"api"}) == ["api"]
    assert strangers("from erphub import app\nfrom erphub.wizards.tasks import WizardTasks", set()) == []


def wiring(capability: str) -> Any:
    return import_module(f"erphub.{capability}.wiring")


def test_the_list_of_capabilities_is_whole():
    packages = {path.parent.name for path in (ROOT / "layers/core/erphub").glob("*/wiring.py")}
    assert packages == set(CAPABILITIES)
    folder = ROOT / "layers/core/erphub"
    apis = {".".join(path.relative_to(folder).parent.parts) for path in folder.rglob("api.py")}
    assert apis == set(capabilities.api_packages())


@pytest.fixture
def services(aws: None, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Every capability's, made as in a function whose environment is empty."""
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    return Services(CAPABILITIES)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_what_a_provider_says_it_makes_is_what_comes_of_it(capability: str, services: Services):
    names: list[str] = []
    for provider in wiring(capability).PROVIDES:
        made = provider(services)
        assert type(made).__name__ == provided_by(provider)
        assert type(made).__module__.split(".")[1] == capability, "a service is found by the package of its class"
        assert services.get(type(made)) is services.get(type(made)), "it is made once"
        names.append(provided_by(provider))
    assert len(set(names)) == len(names)


def test_whoever_takes_part_in_what_happens_to_a_connection_is_found_the_uppermost_first(services: Services):
    assert [type(one) for one in services.all(ConnectionHooks)] == [SyncHooks, ImportHooks]
    assert len(services.all(HiddenConnections)) == 1


def test_what_nobody_provides_is_said(services: Services):
    with pytest.raises(LookupError, match="ImportHooks"):
        services.get(ImportHooks)


def test_a_fake_that_is_given_is_used_in_place_of_what_the_wiring_makes():
    from erphub.audit.service import AuditLog

    fake: Any = object()
    assert Services(CAPABILITIES, given={AuditLog: fake}).get(AuditLog) is fake
