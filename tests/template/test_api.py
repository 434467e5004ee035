"""What API Gateway is told (api.json): the routes of the code and nothing else, closed unless one says otherwise."""

import json
import re
from importlib import import_module
from typing import Any, cast

import botocore.session
import pytest

from erphub import app, capabilities, openapi
from erphub.openapi_responses import PROBLEM_SCHEMA
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.http.gateway import FILE_TYPES
from erphub.platform.http.router import RawJson
from erphub.platform.identity import AccessLevel
from local import api_definition, generated, problem_catalogue, template
from local.emulator import ROOT

TEMPLATE = template.load()
DEFINITION = api_definition.read()
FUNCTIONS = template.of_type(TEMPLATE, "AWS::Serverless::Function")
PERMISSIONS = template.of_type(TEMPLATE, "AWS::Lambda::Permission")
RESPONSES: dict[str, Any] = DEFINITION[api_definition.GATEWAY_RESPONSES]
UNKNOWN = [DEFINITION["paths"][path][api_definition.ANY_METHOD] for path in api_definition.UNKNOWN_PATHS]
POLICY_LIMIT = 20_480
"""Bytes that AWS lets a function's resource policy have."""


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation that a method name opens, by method and path."""
    return {
        (method.upper(), path): operation
        for path, item in DEFINITION["paths"].items()
        for method, operation in item.items()
        if method != api_definition.ANY_METHOD
    }


def function(operation: dict[str, Any]) -> str:
    """The logical name of the function behind an operation."""
    found = re.search(
        rf"\$\{{(\w+){api_definition.ALIAS}\}}/invocations$", operation[api_definition.INTEGRATION]["uri"]["Fn::Sub"]
    )
    assert found
    return found[1]


def routes() -> dict[tuple[str, str], str]:
    return {asked: function(operation) for asked, operation in operations().items() if asked[0] != "OPTIONS"}


def test_the_gateway_the_routers_and_the_published_description_have_the_same_routes():
    routers = {(route.method, route.path) for route in openapi.routes()}
    described = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    assert set(routes()) == routers
    assert {(method.upper(), path) for path, item in described.items() for method in item} == routers


def test_each_route_leads_to_the_function_whose_router_has_it():
    for module in api_definition.MODULES:
        served = api_definition.served_by(TEMPLATE)[module]
        for route in api_definition.dispatcher(module).routes.all():
            assert routes()[route.method, route.path] == served, (route.method, route.path)


def test_every_router_in_the_functions_is_known():
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.glob("functions/*/*.py")}
    routers = {name for name in modules if isinstance(getattr(import_module(name), "handler", None), Dispatcher)}
    assert routers == set(api_definition.MODULES)


def test_every_package_with_routes_is_served_by_one_function():
    served = [one for module in api_definition.MODULES for one in api_definition.dispatcher(module).routes.packages]
    assert sorted(served) == sorted(capabilities.api_packages())


def test_the_template_includes_the_definition_and_opens_no_route_beside_it():
    api = TEMPLATE["Resources"]["Api"]["Properties"]
    location = api["DefinitionBody"]["Fn::Transform"]["Parameters"]["Location"]
    assert ROOT / location == api_definition.FILE
    assert not set(api) & {"Auth", "Cors", "GatewayResponses", "BinaryMediaTypes"}, "SAM takes none of them beside it"
    assert not [
        name for name, one in FUNCTIONS.items() for event in one.get("Events", {}).values() if event["Type"] == "Api"
    ]


@pytest.mark.parametrize("change", ["a route was added", "a route is served by another function"])
def test_a_definition_that_lags_behind_is_noticed(
    change: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert generated.main(["--check"]) == 0
    monkeypatch.setattr(generated, "texts", generated.texts.__wrapped__)  # made once otherwise, as code does not change
    if change == "a route was added":
        router = app.router_of("about")
        monkeypatch.setattr(router, "routes", list(router.routes))

        def new_route() -> RawJson:
            """Show what is new."""
            raise NotImplementedError

        router.get("/new-route", needs=AccessLevel.SIGNED_IN)(new_route)
    else:
        moved = api_definition.served_by(TEMPLATE) | {api_definition.MODULES[0]: "SyncApi"}
        monkeypatch.setattr(api_definition, "served_by", lambda _: moved)
    assert generated.main(["--check"]) == 1
    assert "api.json no longer matches" in capsys.readouterr().err


def test_every_route_asks_for_a_sign_in_but_the_public_ones():
    public = {(route.method, route.path) for route in openapi.routes() if route.needs is AccessLevel.PUBLIC}
    assert public == {("GET", "/openapi.json"), ("GET", "/problems"), ("GET", "/problems/{code}")}
    for asked, operation in operations().items():
        closed = [{api_definition.AUTHORIZER: []}]
        assert operation.get("security") == (None if asked in public or asked[0] == "OPTIONS" else closed), asked
    scheme = DEFINITION["components"]["securitySchemes"][api_definition.AUTHORIZER]
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert (authorizer["type"], authorizer["identitySource"]) == ("request", "method.request.header.Authorization")
    assert 0 < authorizer["authorizerResultTtlInSeconds"] <= 60, "what ends is let in no longer than a minute"
    assert scheme["x-amazon-apigateway-authtype"] == "custom"
    assert authorizer["authorizerUri"]["Fn::Sub"].endswith(f"/${{SignIn{api_definition.ALIAS}}}/invocations")


def test_every_path_answers_a_browser_that_asks_first():
    paths = {route.path for route in openapi.routes()}
    asked = {path: function(operation) for (method, path), operation in operations().items() if method == "OPTIONS"}
    assert set(asked) == paths
    served = {path: {name for (_, one), name in routes().items() if one == path} for path in paths}
    assert served == {path: {name} for path, name in asked.items()}, "one function knows all methods of a path"


def test_functions_that_the_gateway_calls_are_those_it_may_call():
    for end, called in (
        (":${Api}/*/*/*", {function(operation) for operation in operations().values()}),
        (":${Api}/authorizers/*", {"SignIn"}),
    ):
        allowed = [
            one["FunctionName"]["Ref"].removesuffix(".Alias")
            for one in PERMISSIONS.values()
            if one["SourceArn"]["Fn::Sub"].endswith(end)
        ]
        assert sorted(allowed) == sorted(called)
    for permission in PERMISSIONS.values():
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert permission["Action"] == "lambda:InvokeFunction"


@pytest.mark.parametrize("stack", ["erphub-dev", "a-company-with-a-very-long-name-erphub-production"])
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_what_may_call_a_function_stays_far_below_the_limit(name: str, stack: str):
    assert len(json.dumps(resource_policy(name, stack), separators=(",", ":"))) < POLICY_LIMIT / 10


def resource_policy(name: str, stack: str) -> dict[str, Any]:
    """A function's resource policy as AWS writes it: a statement for each permission and each event source."""
    arn = f"arn:aws:lambda:eu-north-1:123456789012:function:{stack}-{name}-AbCdEfGhIjKl"
    sources = [
        ("apigateway", "arn:aws:execute-api:eu-north-1:123456789012:abcdef1234/*/*/*")
        for permission in PERMISSIONS.values()
        if permission["FunctionName"]["Ref"] == f"{name}.Alias"
    ]
    sources += [
        ("events", f"arn:aws:events:eu-north-1:123456789012:rule/{stack}-{name}{event}-AbCdEfGhIjKl")
        for event in FUNCTIONS[name].get("Events", {})
    ]
    return {"Version": "2012-10-17", "Id": "default", "Statement": [_statement(arn, *source) for source in sources]}


def _statement(arn: str, service: str, source: str) -> dict[str, Any]:
    return {
        "Sid": f"{arn.rsplit(':', 1)[1]}-Permission-AbCdEfGhIjKl",
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
        "Condition": {"ArnLike": {"AWS:SourceArn": source}},
    }


@pytest.mark.parametrize("kind", sorted(RESPONSES))
def test_what_the_gateway_answers_by_itself_has_the_shape_of_every_other_problem(kind: str):
    response = RESPONSES[kind]
    said = json.loads(response["responseTemplates"]["application/json"])
    assert set(PROBLEM_SCHEMA["required"]) <= set(said)
    assert (said["type"], str(said["status"])) == (f"/problems/{said['code']}", response["statusCode"])
    headers = response["responseParameters"]
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert ("gatewayresponse.header.WWW-Authenticate" in headers) == (said["status"] == 401)
    assert ("gatewayresponse.header.Retry-After" in headers) == (said["status"] in (429, 503))


@pytest.mark.parametrize("kind", sorted(RESPONSES))
def test_what_the_gateway_answers_by_itself_is_in_the_catalogue(kind: str):
    said = json.loads(RESPONSES[kind]["responseTemplates"]["application/json"])
    entry = next(one for one in problem_catalogue.entries() if one["code"] == said["code"])
    assert said["status"] in entry["statuses"]
    assert said["title"] == entry["title"]
    assert [one for one in entry["sentences"] if said["detail"].startswith(one)]
    assert said["correlation_id"] == "$context.requestId"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("UNAUTHORIZED", 401),
        ("EXPIRED_TOKEN", 401),
        # Our authorizer denies whom it did not recognise; what somebody may do, functions decide.
        ("ACCESS_DENIED", 401),
        ("AUTHORIZER_FAILURE", 503),
        ("INVALID_SIGNATURE", 403),
        ("WAF_FILTERED", 403),
        ("BAD_REQUEST_BODY", 400),
        ("BAD_REQUEST_PARAMETERS", 400),
        ("UNSUPPORTED_MEDIA_TYPE", 415),
        ("REQUEST_TOO_LARGE", 413),
        ("THROTTLED", 429),
        ("INTEGRATION_TIMEOUT", 504),
        ("DEFAULT_4XX", 400),
        ("DEFAULT_5XX", 500),
    ],
)
def test_each_way_in_which_the_gateway_refuses_has_its_status(kind: str, status: int):
    assert RESPONSES[kind]["statusCode"] == str(status)


def test_every_answer_that_aws_knows_is_worded_or_one_of_our_own_errors():
    """What is not named falls back on DEFAULT_5XX, whose status is right for it; no refusal falls back on another's."""
    model = botocore.session.get_session().get_service_model("apigateway")
    known = set(cast(Any, model.shape_for("GatewayResponseType")).enum)
    assert known - set(RESPONSES) == {"API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR"}
    assert set(RESPONSES) <= known


@pytest.mark.parametrize("operation", UNKNOWN)
def test_an_address_nobody_serves_is_answered_without_asking_who_calls(operation: dict[str, Any]):
    assert "security" not in operation
    mock = operation[api_definition.INTEGRATION]
    answer = mock["responses"]["default"]
    assert mock["type"] == "mock"
    assert {json.loads(text)["statusCode"] for text in mock["requestTemplates"].values()} == {404}
    assert {"application/json", *FILE_TYPES} <= set(mock["requestTemplates"])
    assert answer["statusCode"] == "404"
    assert json.loads(answer["responseTemplates"]["application/json"])["code"] == "route_not_found"
    declared = {name.removeprefix("method.response.header.") for name in answer["responseParameters"]}
    assert declared <= set(operation["responses"]["404"]["headers"]), "AWS passes on no header that is not declared"


def test_pages_of_other_origins_may_read_what_the_gateway_says_only_where_origins_are_allowed():
    answers = [one["responseParameters"] for one in RESPONSES.values()]
    answers += [one[api_definition.INTEGRATION]["responses"]["default"]["responseParameters"] for one in UNKNOWN]
    for headers in answers:
        (allowed,) = [value for name, value in headers.items() if name.endswith(".Access-Control-Allow-Origin")]
        assert allowed == {"Fn::If": ["AnyOrigins", "'*'", {"Ref": "AWS::NoValue"}]}
    assert TEMPLATE["Conditions"]["AnyOrigins"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AllowedOrigins"}, ""]}]}
    assert TEMPLATE["Parameters"]["AllowedOrigins"]["Default"] == ""
    assert TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["ALLOWED_ORIGINS"] == {"Ref": "AllowedOrigins"}


@pytest.mark.parametrize(
    ("origins", "accepted"),
    [
        ("", True),
        ("https://app.example.com", True),
        ("https://app.example.com,http://localhost:3000", True),
        ("*", False),
        ("https://app.example.com/", False),
        ("https://app.example.com, https://other.example.com", False),
        ("app.example.com", False),
        ("https://a'b.example.com", False),
    ],
)
def test_origins_are_given_exactly_as_browsers_send_them(origins: str, accepted: bool):
    assert bool(re.fullmatch(TEMPLATE["Parameters"]["AllowedOrigins"]["AllowedPattern"], origins)) == accepted


def test_files_arrive_byte_for_byte_and_json_as_text():
    bodies = [
        operation["requestBody"]
        for item in json.loads((ROOT / "docs/openapi.json").read_text())["paths"].values()
        for operation in item.values()
        if "requestBody" in operation
    ]
    files = [body for body in bodies if "application/json" not in body["content"]]
    assert set(DEFINITION[api_definition.BINARY_TYPES]) == set(FILE_TYPES)
    assert files
    for body in files:
        # Each type is named, and one listed: generators of clients warn of those they cannot send.
        assert set(re.findall(r"`(\w+/[\w-]+)`", body["description"])) == set(FILE_TYPES)
        assert set(body["content"]) < set(FILE_TYPES)


def test_the_definition_fits_a_template():
    assert api_definition.FILE.stat().st_size < 200_000
