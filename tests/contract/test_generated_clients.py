"""A client that a published generator makes of the description: nothing dropped, no warning, and it works."""

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from erphub import openapi
from erphub.openapi_examples import BODIES
from tests.support import described
from tests.support.hub import Hub
from tests.support.integration import integration
from tests.support.receiver import HOST
from tests.support.sockets import served

PACKAGE = "generated_erphub_client"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("client")
    config = Config.from_sources(
        ConfigFile(post_hooks=[]), MetaType.NONE, described.FILE, "utf-8", overwrite=False, output_path=folder / PACKAGE
    )
    complaints = [f"{one.header}: {one.detail}" for one in generate(config=config)]
    assert complaints == []
    sys.path.insert(0, str(folder))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
@integration
def client(package: ModuleType, whole: Hub) -> Iterator[Any]:
    with served(whole) as address, package.AuthenticatedClient(base_url=address, token="token") as made:
        yield made


def operation(name: str) -> ModuleType:
    (found,) = [one for one in modules("api") if one.rpartition(".")[2] == name]
    return importlib.import_module(found)


def model(name: str, body: Any) -> Any:
    return getattr(importlib.import_module(f"{PACKAGE}.models"), name).from_dict(body)


def modules(below: str) -> list[str]:
    within = importlib.import_module(f"{PACKAGE}.{below}")
    return [one.name for one in pkgutil.walk_packages(within.__path__, f"{within.__name__}.")]


def test_every_operation_has_its_function_and_every_module_can_be_imported(package: ModuleType) -> None:
    made = [name for name in modules("api") if len(Path(name.replace(".", "/")).parts) == 4]
    assert sorted(name.rpartition(".")[2] for name in made) == sorted(route.operation for route in openapi.routes())
    for name in (*made, *modules("models")):
        assert importlib.import_module(name)


def test_a_list_is_read_page_by_page(client: Any, whole: Hub) -> None:
    create, read = operation("create_webhook"), operation("list_webhooks")
    for number in range(3):
        body = model(
            "CreateWebhook",
            BODIES["create_webhook"]["Told of failed imports"]
            | {"url": f"https://{HOST}/hook", "description": str(number)},
        )
        assert create.sync(whole.client, client=client, body=body).description == str(number)
    first = read.sync(whole.client, client=client, limit=2)
    second = read.sync(whole.client, client=client, limit=2, next_=first.next_)
    assert [len(first.items), len(second.items), second.next_] == [2, 1, None]


@pytest.mark.parametrize("kind", ["settlement", "invoice", "customer", "product"])
def test_documents_of_each_kind_are_handed_in_and_read_back(
    client: Any, whole: Hub, connection: str, kind: str
) -> None:
    body = model(f"{kind.capitalize()}Document", BODIES["submit_document"][kind.capitalize()])
    where = (whole.client, connection, kind, "D1")
    submitted = operation("submit_document").sync_detailed(*where, client=client, body=body)
    assert submitted.status_code == 200, submitted.content
    found = operation("get_document").sync(*where, client=client)
    assert (found.kind, found.external_id) == (kind, "D1")


def test_a_wizard_is_answered(client: Any, whole: Hub) -> None:
    wizard = operation("start_wizard").sync(
        whole.client, client=client, body=model("StartWizard", {"erp_system": "visma-business"})
    )
    body = model("ServerAnswerOfVismaBusiness", BODIES["answer_step"]["Server of a Visma Business"])
    answered = operation("answer_step").sync_detailed(whole.client, wizard.id, "server", client=client, body=body)
    assert answered.status_code == 202, answered.content


def test_a_problem_is_read_as_one(client: Any, whole: Hub) -> None:
    body = model("CreateClient", {"name": " "})
    refused = operation("create_client").sync(whole.customer, client=client, body=body)
    assert (type(refused).__name__, refused.status) == ("Problem", 422)
    missing = operation("get_webhook").sync(whole.client, "01JCG0W1ZARD0000000000000A", client=client)
    assert (type(missing).__name__, missing.status) == ("Problem", 404)
    assert json.loads(json.dumps(missing.to_dict()))["code"] == missing.code
