"""What the deployed gateway does before and after the functions: addresses, tokens, files, pages of other origins."""

from urllib.parse import quote

import pytest

from erphub import openapi
from erphub.platform.http.gateway import FILE_TYPES
from tests.e2e.conftest import ORIGINS
from tests.e2e.test_access import SOMETHING, filled

ROUTES = openapi.routes()
FOREIGN = "https://evil.example"


@pytest.fixture(scope="module")
def access_token(hub) -> str:
    """An access token of the administrator, signed by the pool like the ID token beside it."""
    user = hub.user("administrator")
    signed_in = hub.aws.client("cognito-idp").initiate_auth(
        ClientId=hub.outputs["UserPoolClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user["name"], "PASSWORD": user["password"]},
    )
    return signed_in["AuthenticationResult"]["AccessToken"]


@pytest.mark.parametrize("with_token", [True, False])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/no/such/place"),
        ("GET", "/"),
        ("POST", "/clients"),
        ("OPTIONS", "/no/such/place"),
        # Addresses that are served, but not so.
        ("DELETE", "/me"),
        ("PATCH", "/openapi.json"),
        ("PUT", f"/clients/{SOMETHING}/import-jobs/{SOMETHING}"),
        ("GET", f"/clients/{SOMETHING}/connections/{SOMETHING}/restore/"),
        ("GET", f"/clients/{SOMETHING}"),
    ],
)
def test_what_nobody_serves_is_not_found_with_a_token_and_without(hub, method: str, path: str, with_token: bool):
    answer = hub.call(method, path, user="administrator" if with_token else None)
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_kind_of_body_that_nobody_reads_is_refused_as_a_problem(hub):
    answer = hub.call("POST", "/no/such/place", content=b"\x89PNG", headers={"Content-Type": "image/png"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    for kind in FILE_TYPES:
        answer = hub.call("POST", "/no/such/place", content=b"\xe5", headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


def test_an_access_token_opens_what_the_id_token_of_the_same_person_does(hub, access_token: str):
    for method, path in (("GET", "/me"), ("GET", "/erp-systems")):
        by_id = hub.call(method, path).json()
        by_access = hub.call(method, path, token=access_token).json()
        changing = {"signed_in_with", "valid_until"}
        assert {name: value for name, value in by_access.items() if name not in changing} == {
            name: value for name, value in by_id.items() if name not in changing
        }


def test_an_address_with_letters_that_the_sign_in_service_refuses_is_refused(hub):
    client = hub.user("administrator")["clients"][0]["id"]
    answer = hub.call(
        "PUT", f"/clients/{client}/members/{quote('blåbær@example.com', safe='')}", json={"role": "viewer"}
    )
    assert (answer.status_code, [error["code"] for error in answer.json()["errors"]]) == (422, ["address_invalid"])


@pytest.mark.parametrize("name", ["plain", "with+plus", "50%", "c%41"])
def test_whoever_has_an_odd_address_can_be_let_in_and_out(hub, name: str):
    client = hub.user("administrator")["clients"][0]["id"]
    member = f"/clients/{client}/members/{quote(f'{name}@example.com', safe='')}"
    added = hub.call("PUT", member, json={"role": "viewer"})
    assert (added.status_code, added.json()["member"]["name"]) == (200, f"{name}@example.com")
    assert hub.call("DELETE", member).status_code == 204


def test_a_file_of_a_kind_that_the_gateway_changes_is_refused(hub):
    client = hub.user("administrator")["clients"][0]["id"]
    path = f"/clients/{client}/connections/{SOMETHING}/documents/saft-cash-register"
    refused = hub.call("POST", path, content=b"<a/>", headers={"Content-Type": "text/plain"})
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")
    api = hub.aws.client("apigateway").get_rest_api(restApiId=hub.outputs["ApiId"])
    assert set(api["binaryMediaTypes"]) == set(FILE_TYPES)


def test_a_page_of_an_allowed_origin_may_call_every_route(hub):
    names = {"client": hub.user("administrator")["clients"][0]["id"]}
    for path in {route.path: route for route in ROUTES}.values():
        methods = {route.method for route in ROUTES if route.path == path.path}
        ask = {"Origin": ORIGINS[0], "Access-Control-Request-Method": path.method}
        answer = hub.call("OPTIONS", filled(path, names), user=None, headers=ask)
        assert answer.status_code == 204, path.path
        assert answer.headers["access-control-allow-origin"] == ORIGINS[0]
        assert set(answer.headers["access-control-allow-methods"].split(", ")) == methods


def test_pages_may_read_answers_and_refusals_when_their_origin_is_allowed(hub):
    for origin in ORIGINS:
        answer = hub.call("GET", "/me", headers={"Origin": origin})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
        assert answer.headers["vary"] == "Authorization, Origin"
        refused = hub.call("GET", "/me", user=None, headers={"Origin": origin})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")
        missing = hub.call("GET", "/no/such/place", headers={"Origin": origin})
        assert (missing.status_code, missing.headers["access-control-allow-origin"]) == (404, "*")


def test_pages_of_other_origins_may_read_nothing_of_anyone(hub):
    answer = hub.call("GET", "/me", headers={"Origin": FOREIGN})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    ask = {"Origin": FOREIGN, "Access-Control-Request-Method": "GET"}
    preflight = hub.call("OPTIONS", "/me", user=None, headers=ask)
    assert "access-control-allow-origin" not in preflight.headers


def test_the_gateway_has_one_stage_and_the_routes_of_the_code(hub):
    client = hub.aws.client("apigateway")
    api = hub.outputs["ApiId"]
    assert [stage["stageName"] for stage in client.get_stages(restApiId=api)["item"]] == [hub.outputs["Stage"]]
    resources = client.get_resources(restApiId=api, limit=500)["items"]
    deployed = {
        (method, resource["path"])
        for resource in resources
        for method in resource.get("resourceMethods", {})
        if method not in {"OPTIONS", "ANY"}
    }
    assert deployed == {(route.method, route.path) for route in ROUTES}
