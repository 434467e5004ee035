"""Conditional requests at every route: `ETag` on what is shown, 304 to whoever has it, 412 to whoever changes another
version than is there (RFC 9110). The routes are those of the API; what has no version stands here with the reason.
"""

import re
from typing import Any

import pytest

from erphub import openapi
from erphub.platform.aws.objects import Bucket
from erphub.platform.http.representations import has_entity_tag
from erphub.platform.http.router import Route
from erphub.platform.identity import AccessLevel
from tests.support.hub import ADMINISTRATOR, VIEWER, Answer, Hub
from tests.support.places import Places

ROUTES = openapi.routes()
SHOWN = {route.path: route for route in ROUTES if route.method == "GET"}
WRITES = [route for route in ROUTES if route.method != "GET"]
VERSIONED = [route for route in WRITES if route.takes_version]
(SUBMIT_RECORD,) = (route for route in WRITES if route.operation == "submit_crm_record")
ANY_TAG = re.compile(r'(W/)?"(\d+-)?[0-9a-f]{16}"')

WITHOUT_VERSION = {
    "update_customer": "What it changes is shown with the licences; nothing of the customer itself changes.",
    "set_licences": "One number, set by the platform alone; the last word counts.",
    "set_limit": "One number, set by the platform alone; the last word counts.",
    "add_administrator": "Somebody administers a customer or does not: there is nothing to overwrite.",
    "remove_administrator": "Somebody administers a customer or does not: there is nothing to overwrite.",
    "submit_document": "Judged by its content: what was sent already is told apart from what is new or changed.",
    "submit_document_pdf": "Judged by its content too: another PDF than is there takes its place with a word alone.",
}
"""PUT, PATCH and DELETE of what has no version, by operation, and why nobody's change gets lost there."""
WITHOUT_TAG = {
    "download_export_log": "A file, made anew each time.",
}
"""GETs without a tag, by operation."""


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def a_plan(places: Places) -> dict[str, str]:
    """What a deletion of the connection is asked with."""
    path = f"/clients/{places.hub.client}/connections/{places.names['connection_id']}"
    return {"plan_token": places.hub.call("POST", f"{path}/deletion-preview").json.get("plan_token", "none")}


@pytest.fixture
def versioned(places: Places, monkeypatch: pytest.MonkeyPatch) -> Places:
    """One of everything, in such a state that each can be changed."""
    for listing in ("sizes", "folders"):
        monkeypatch.setattr(Bucket, listing, lambda *_: iter(()))  # nothing of the connection lies in the lake
    hub, customer = places.hub, f"/customers/{places.hub.customer}"
    body = {"permissions": ["connections:view"]}
    assert hub.call("PUT", f"{customer}/roles/{places.names['role']}", body).status == 200
    assert places.call(SUBMIT_RECORD, places.good(SUBMIT_RECORD)).status == 200
    return places


def current(places: Places, route: Route) -> str:
    """The tag of what a route changes, as it is shown; of what is not shown by itself, one that names its version."""
    shown = SHOWN.get(route.path.partition("/steps/")[0].removesuffix("/transfer-ownership").removesuffix("/test"))
    if shown is None or shown.operation == "list_members":
        (version,) = (
            one["version"]
            for one in places.hub.call("GET", places.hub.in_client("/members")).json["items"]
            if one["member"]["id"] == VIEWER
        )
        return f'"{version}"'
    # What cannot be shown, as the ERP would have to be asked, is not there yet.
    return places.call(shown).headers.get("ETag", '"0"')


def unversioned(places: Places, route: Route) -> dict[str, Any]:
    """A body of a route that says of no version that it is made from it."""
    body = places.good(route)
    body |= {"user_id": ADMINISTRATOR} if "user_id" in body else {}
    return {name: value for name, value in body.items() if name != "version"}


def write(places: Places, route: Route, **headers: str) -> Answer:
    body = unversioned(places, route) if route.takes is not None else None
    query = a_plan(places) if route.operation == "delete_connection" else None
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return places.call(route, body, headers=sent, query=query)


def is_changed(route: Route, answer: Answer, tag: str) -> bool:
    """Whether there is another version now than the tag's, or nothing: a change to what there is already makes none."""
    return route.method == "DELETE" or answer.headers.get("ETag", tag).partition("-")[0] != tag.partition("-")[0]


def is_let_through(answer: Answer) -> bool:
    """Whether it was done, or would have been if the ERP (which is not asked here) had answered."""
    return answer.status < 300 or (answer.status, answer.code) == (409, "connection_deleting")


def test_every_change_of_what_has_a_version_takes_if_match_and_the_others_have_a_reason():
    without = {route.operation for route in WRITES if route.method != "POST" and not route.takes_version}
    assert without == set(WITHOUT_VERSION)
    shown_with_version = {
        path for path, route in SHOWN.items() if "version" in getattr(route.gives, "model_fields", ())
    }
    changed = {route.path for route in VERSIONED}
    assert shown_with_version - changed == {"/customers/{customer_id}"}
    assert {route.operation for route in ROUTES if route.method == "GET" and not has_entity_tag(route)} == set(
        WITHOUT_TAG
    )


@pytest.mark.parametrize("route", [route for route in VERSIONED if route.operation != "test_sync"], ids=named)
def test_a_change_of_another_version_than_is_there_is_refused_and_changes_nothing(versioned: Places, route: Route):
    tag = current(versioned, route)
    version = int(tag.strip('"').partition("-")[0])
    before = versioned.hub.items()
    for stale in (f'"{version + 1}-0123456789abcdef"', f'"{version + 1}"', f"W/{tag}", '"abc"', '"x", "y"', '""'):
        answer = write(versioned, route, If_Match=stale)
        assert (answer.status, answer.code, answer.json["header"]) == (412, "precondition_failed", "If-Match"), stale
    for malformed in ("7", "", "'7'", '"7', '7"', '"7" "8"', "* , *", "W/*", '"7", *', '"\u20ac"'):
        answer = write(versioned, route, If_Match=malformed)
        assert (answer.status, answer.code, answer.json["header"]) == (400, "if_match_invalid", "If-Match"), malformed
    answer = write(versioned, route, If_Match=tag, If_None_Match="*")
    assert (answer.status, answer.code) == (400, "if_none_match_invalid")
    answer = write(versioned, route, If_None_Match=tag)
    assert (answer.status, answer.code) == (400, "if_none_match_invalid")
    if version:
        answer = write(versioned, route, If_None_Match="*")
        assert (answer.status, answer.json["header"]) == (412, "If-None-Match")
    assert without_plans(versioned.hub) == [item for item in before if not is_plan(item)]


def is_plan(item: dict[str, Any]) -> bool:
    return "PLAN" in item["sk"]["S"] or "AUDIT" in item["pk"]["S"]


def without_plans(hub: Hub) -> list[dict[str, Any]]:
    return [item for item in hub.items() if not is_plan(item)]


@pytest.mark.parametrize("route", VERSIONED, ids=named)
@pytest.mark.parametrize("form", ["{tag}", '"{version}"', '"99-0000", {tag}', '"99",  "{version}-anything"', "*"])
def test_a_change_of_the_version_that_is_there_is_made(versioned: Places, route: Route, form: str):
    tag = current(versioned, route)
    sent = form.format(tag=tag, version=tag.strip('"').partition("-")[0])
    answer = write(versioned, route, If_Match=sent)
    if form == "*" and tag == '"0"':
        assert answer.status == 412, "there is none"
        return
    assert is_let_through(answer), answer.text
    shown = SHOWN.get(route.path)
    if shown is not None and answer.status < 300 and route.gives is shown.gives:
        assert answer.headers["ETag"] == current(versioned, route), "what was made is what is shown"
    if form != "*" and answer.status < 300 and is_changed(route, answer, tag):
        again = write(versioned, route, If_Match=sent)
        assert again.status in (404, 409, 410, 412), "the version is gone"


@pytest.mark.parametrize(
    "route", [one for one in VERSIONED if "version" in getattr(one.takes, "model_fields", ())], ids=named
)
def test_a_body_and_a_header_that_name_other_versions_are_told_so(versioned: Places, route: Route):
    tag = current(versioned, route)
    version = int(tag.strip('"').partition("-")[0])
    body = unversioned(versioned, route)
    answer = versioned.call(route, body | {"version": version + 1}, headers={"If-Match": tag})
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "version_disagrees")
    assert answer.json["errors"][0]["pointer"] == "/version"
    stale = versioned.call(route, body | {"version": version + 1}, headers={"If-Match": "*"})
    assert stale.status == 412 or route.operation == "test_sync", "each alone is a condition"
    assert is_let_through(versioned.call(route, body | {"version": version}, headers={"If-Match": f'{tag}, "99"'}))


@pytest.mark.parametrize("route", [route for route in WRITES if not route.takes_version], ids=named)
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_a_change_that_knows_no_versions_is_not_made_as_if_there_were_no_condition(
    places: Places, route: Route, header: str
):
    before = places.hub.items()
    is_file = route.takes is bytes
    kind = {"content-type": "application/xml"} if is_file else {}
    body = "<a/>" if is_file else places.good(route) if route.takes is not None else None
    answer = places.call(route, body, headers={header: '"7"', **kind})
    assert (answer.status, answer.code, answer.json["header"]) == (412, "no_version_here", header), answer.text
    assert places.hub.items() == before


@pytest.mark.parametrize(
    "path", ["/customers/{customer}/roles/brand-new", "/clients/{client}/members/new%40example.test"]
)
def test_what_is_to_be_made_only_if_there_is_none_is_made_once(whole: Hub, path: str):
    path = path.format(customer=whole.customer, client=whole.client)
    body = {"permissions": []} if "roles" in path else {"role": "viewer"}
    before = whole.items()
    absent = whole.call("PUT", path, body, headers={"If-Match": "*"})
    assert (absent.status, absent.code, absent.json["header"]) == (412, "precondition_failed", "If-Match")
    assert whole.items() == before, "a change of what is there makes nothing"
    made = whole.call("PUT", path, body, headers={"If-None-Match": "*"})
    assert made.status == 200, made.text
    again = whole.call("PUT", path, body, headers={"If-None-Match": "*"})
    assert (again.status, again.code, again.json["header"]) == (412, "precondition_failed", "If-None-Match")
    assert whole.call("PUT", path, body, headers={"If-Match": made.headers["ETag"]}).status == 200


COUNTED = "list_limits"
"""What is different each time that somebody looks: it counts the looking."""
SINGLE = [route for route in ROUTES if route.method == "GET" and has_entity_tag(route) and route.operation != COUNTED]


@pytest.mark.parametrize("route", SINGLE, ids=named)
def test_whoever_has_what_is_shown_gets_no_body(places: Places, route: Route):
    first = places.call(route)
    if first.status in (404, 409, 503):  # not there, would ask the ERP, or not built
        assert "ETag" not in first.headers
        return
    assert first.status == 200, first.text
    tag = first.headers["ETag"]
    assert ANY_TAG.fullmatch(tag)
    assert tag.startswith("W/") == ("next" in getattr(route.query, "model_fields", ())), (
        "only lists are alike in meaning"
    )
    for known in (tag, f'"x", {tag}', tag.removeprefix("W/"), f"W/{tag.removeprefix('W/')}", "*"):
        answer = places.call(route, headers={"if-none-match": known})
        assert (answer.status, answer.text, answer.headers["ETag"]) == (304, "", tag), known
        assert "Content-Type" not in answer.headers
    for other in ('"x"', tag[:-2] + '_"', "nonsense", "", tag.strip('"')):
        answer = places.call(route, headers={"If-None-Match": other})
        assert (answer.status, answer.headers["ETag"]) == (200, tag), other


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_nobody_between_may_keep_an_answer_and_no_callers_answer_is_anothers(places: Places, route: Route):
    body = places.good(route) if route.takes not in (None, bytes) else None
    answer = places.call(route, body)
    if "ETag" not in answer.headers or route.method != "GET":
        assert answer.headers["Cache-Control"] == "no-store"
    elif route.needs is AccessLevel.PUBLIC:
        assert answer.headers["Cache-Control"] == "no-cache"
    else:
        assert answer.headers["Cache-Control"] == "private, no-cache"
        assert answer.headers["Vary"] == "Authorization"
