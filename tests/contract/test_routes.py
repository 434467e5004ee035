"""Every route: who gets in, what is refused before anything happens, and what the documents say of it."""

import json
import re
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from erphub import app, capabilities, openapi
from erphub.openapi_responses import PossibleProblems
from erphub.platform.capability import Permission
from erphub.platform.identity import AccessLevel
from functions.connections.api import handler
from local import api_description, generated

ROOT = Path(__file__).resolve().parents[2]
ROUTES = openapi.routes()
CONNECTIONS = [route for route in ROUTES if route in handler.routes.all()]


def named(route):
    return f"{route.method} {route.path}"


def filled(hub, route):
    """The route's path in the caller's own client and customer."""
    names = {"client": hub.client, "customer": hub.customer, "role": "viewer", "user": "viewer", "step": "server"}
    path = route.path
    for name in route.names:
        path = path.replace(f"{{{name}}}", names.get(name.removesuffix("_id"), "01JCG0W1ZARD0000000000000A"))
    return path


def give_viewer(hub, permissions):
    role = hub.call("GET", f"/customers/{hub.customer}/roles/viewer").json
    body = {"permissions": permissions, "version": role["version"]}
    assert hub.call("PUT", f"/customers/{hub.customer}/roles/viewer", body).status == 200


@pytest.mark.parametrize("route", [route for route in CONNECTIONS if route.path.startswith("/clients/")], ids=named)
def test_a_foreigner_finds_nothing_and_changes_nothing(hub, route):
    before = hub.items()
    answer = hub.call(route.method, filled(hub, route), {}, user="stranger")
    assert (answer.status, answer.code) == (404, "client_not_found")
    assert hub.items() == before


@pytest.mark.parametrize("route", [route for route in CONNECTIONS if route.path.startswith("/clients/")], ids=named)
def test_a_member_without_the_permission_is_refused_and_changes_nothing(hub, route):
    give_viewer(hub, sorted(set(capabilities.permissions()) - {route.needs}))
    before = hub.items()
    answer = hub.call(route.method, filled(hub, route), {}, user="viewer")
    assert (answer.status, answer.code) == (403, "permission_missing")
    assert answer.json["permission"] == route.needs
    assert hub.items() == before


@pytest.mark.parametrize("route", [route for route in CONNECTIONS if route.path.startswith("/clients/")], ids=named)
def test_a_member_with_nothing_but_the_permission_is_let_through(hub, route):
    give_viewer(hub, [route.needs])
    answer = hub.call(route.method, filled(hub, route), {}, user="viewer")
    assert not (answer.status == 403 and answer.code == "permission_missing"), answer.text
    assert not (answer.status == 404 and answer.code in {"client_not_found", "route_not_found"}), answer.text


@pytest.mark.parametrize(
    "route",
    [
        route
        for route in CONNECTIONS
        if route.needs in (AccessLevel.CUSTOMER_ADMINISTRATOR, AccessLevel.ANY_ADMINISTRATOR)
    ],
    ids=named,
)
def test_a_customer_is_for_its_administrators(hub, route):
    before = hub.items()
    stranger = hub.call(route.method, filled(hub, route), {}, user="stranger")
    member = hub.call(route.method, filled(hub, route), {}, user="viewer")
    assert (stranger.status, stranger.code) == (404, "customer_not_found")
    assert (member.status, member.code) == (403, "customer_administrators_only")
    assert hub.items() == before


def test_only_the_platform_makes_customers(hub):
    body = {"name": "New AS", "administrator": "new@example.test"}
    refused = hub.call("POST", "/customers", body)
    assert (refused.status, refused.code) == (403, "platform_administrators_only")


@pytest.mark.parametrize("route", [route for route in CONNECTIONS if route.needs is not AccessLevel.PUBLIC], ids=named)
def test_nobody_gets_in_without_saying_who_they_are(hub, route):
    before = hub.items()
    answer = hub.call(route.method, filled(hub, route), {}, user=None)
    assert (answer.status, answer.code) == (401, "not_signed_in")
    assert hub.items() == before


def test_every_tenant_route_names_a_permission_and_no_two_routes_are_the_same():
    for route in ROUTES:
        assert isinstance(route.needs, Permission) == route.path.startswith("/clients/{client_id}"), named(route)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert len({route.operation for route in ROUTES}) == len(ROUTES)


def test_the_published_description_is_valid_and_tells_of_every_route():
    described = json.loads((ROOT / "docs/openapi.json").read_text())
    validate(described)
    assert described == api_description.document()
    assert {(method.upper(), path) for path, methods in described["paths"].items() for method in methods} == {
        (route.method, route.path) for route in ROUTES
    }


def test_the_table_by_which_a_function_finds_its_package_is_true():
    assert json.loads(app.ROUTES.read_text()) == app.route_table()


def test_every_generated_file_tells_the_truth():
    assert generated.main(["--check"]) == 0


@pytest.mark.parametrize("name", generated.FILES)
def test_a_file_that_lags_behind_is_noticed_until_it_is_written(name, tmp_path, capsys):
    assert generated.main(["--write"], tmp_path) == 0
    assert generated.main(["--check"], tmp_path) == 0
    (tmp_path / name).write_text("{}")
    assert generated.main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err == f"{name} no longer matches the code; say `make openapi`\n"
    (tmp_path / name).unlink()
    assert generated.main(["--check"], tmp_path) == 1
    assert generated.main(["--write"], tmp_path) == 0
    assert generated.main(["--check"], tmp_path) == 0


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("WebhookView", "Webhook"),
        ("NewWebhook", "CreateWebhook"),
        ("ChangedWebhook", "UpdateWebhook"),
        ("WebhookPage", "WebhookPage"),
        ("News", "News"),
        ("View", "View"),
        ("Changed", "Changed"),
    ],
)
def test_schemas_are_called_what_clients_would_call_their_classes(name, becomes):
    assert openapi.client_name(name) == becomes


def test_every_schema_that_is_pointed_at_is_there_under_its_own_name():
    described = api_description.document()
    schemas = described["components"]["schemas"]
    pointed = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert pointed <= set(schemas)
    assert not [name for name in schemas if name != openapi.client_name(name)]
    assert {name for name, schema in schemas.items() if schema.get("title", name) != name} == set()


def test_two_schemas_of_one_name_are_refused():
    from erphub.platform.http.router import Router
    from erphub.platform.identity import AccessLevel
    from erphub.platform.wire import Model

    def made(name):
        return type(name, (Model,), {"__doc__": "A thing."})

    router = Router("Things")
    for number, name in enumerate(("ThingView", "Thing")):

        def show(): ...

        show.__annotations__["return"] = made(name)
        router.get(f"/things-{number}", needs=AccessLevel.SIGNED_IN)(show)
    with pytest.raises(ValueError, match="two schemas would be called Thing"):
        openapi.document(router.routes, lambda _: PossibleProblems(()))
