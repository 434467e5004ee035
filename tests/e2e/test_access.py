"""Every route of the deployed API as somebody who may not: refused, and nothing changed."""

from datetime import UTC, datetime, timedelta

import pytest

from erphub import capabilities, openapi
from erphub.platform.capability import Permission
from erphub.platform.identity import AccessLevel
from tests.e2e.wizard import WizardUser
from tests.support import described

ROUTES = openapi.routes()
SOMETHING = "01JCG0W1ZARD0000000000000A"


@pytest.fixture(scope="module")
def place(hub, eventually):
    """Where the callers try: a client with a connection and an import job, when nothing is going on there."""
    user = WizardUser(hub)
    page = user.call("GET", "/connections").json()["items"]
    connection = page[0]["id"] if page else user.connect("For access tests", ["F0001"])
    jobs = user.call("GET", "/import-jobs").json()["items"]
    names = {
        "client": user.client,
        "customer": hub.described["customer"]["id"],
        "connection": connection,
        "job": jobs[0]["id"],
        "role": "accountant",
        "user": hub.user("accountant")["id"],
        "step": "server",
        "dataset": "accounts",
        "system": "visma-business",
    }
    eventually(lambda: quiet(hub))
    return names


def quiet(hub):
    """True when no execution goes on that would change the table by itself."""
    client = hub.aws.client("stepfunctions")
    found = client.list_executions(stateMachineArn=hub.outputs["ImportMachineArn"], statusFilter="RUNNING")
    return None if found["executions"] else True


def filled(route, names):
    path = route.path
    for name in route.names:
        path = path.replace(f"{{{name}}}", names.get(name.removesuffix("_id"), SOMETHING))
    return path


def all_refused(hub, place, routes, status, **caller):
    before = hub.items()
    odd = []
    for route in routes:
        body = {"json": {}} if route.method in {"POST", "PUT", "PATCH"} else {}
        answer = hub.call(route.method, filled(route, place), **caller, **body)
        if answer.status_code != status or "code" not in answer.json():
            odd.append((route.method, route.path, answer.status_code, answer.text[:200]))
    assert odd == []
    assert hub.items() == before


def behind_sign_in():
    return [route for route in ROUTES if route.needs is not AccessLevel.PUBLIC]


def of_clients():
    return [route for route in ROUTES if isinstance(route.needs, Permission)]


def of_customers():
    return [
        route for route in ROUTES if route.needs in (AccessLevel.CUSTOMER_ADMINISTRATOR, AccessLevel.ANY_ADMINISTRATOR)
    ]


def test_without_a_token_nothing_opens(hub, place):
    all_refused(hub, place, behind_sign_in(), 401, user=None)


def test_with_an_expired_token_nothing_opens(hub, place):
    expired = hub.token_signed_at("administrator", datetime.now(UTC) - timedelta(days=2))
    all_refused(hub, place, behind_sign_in(), 401, token=expired)


def test_to_somebody_from_elsewhere_there_is_nothing(hub, place):
    all_refused(hub, place, of_clients() + of_customers(), 404, user="outsider")
    all_refused(hub, place, of_clients(), 404, user="neighbour")


def test_a_member_without_the_permission_is_refused(hub, place):
    role = f"/customers/{place['customer']}/roles/viewer"
    before = hub.call("GET", role).json()
    try:
        for permission in dict.fromkeys(route.needs for route in of_clients()):
            others = sorted(set(capabilities.permissions()) - {permission})
            assert hub.call("PUT", role, json={"permissions": others}).status_code == 200
            mine = [route for route in of_clients() if route.needs is permission]
            all_refused(hub, place, mine, 403, user="viewer")
    finally:
        hub.call("PUT", role, json={"permissions": before["permissions"]})


def test_a_customer_is_closed_to_members_who_do_not_administer_it(hub, place):
    all_refused(hub, place, of_customers(), 403, user="viewer")


def test_customers_are_made_by_the_platform_alone(hub, place):
    routes = [route for route in ROUTES if route.needs is AccessLevel.PLATFORM_ADMINISTRATOR]
    all_refused(hub, place, routes, 403, user="neighbour")


def test_one_client_can_neither_read_nor_change_nor_detect_another(hub, place):
    other = WizardUser(hub, "neighbour")
    before = hub.items()
    mine = {"client": other.client, "connection": place["connection"], "job": place["job"]}
    for path in ("/connections/{connection}", "/connections/{connection}/companies", "/import-jobs/{job}"):
        there = hub.call("GET", f"/clients/{{client}}{path}".format(**mine), user="neighbour")
        nowhere = hub.call(
            "GET",
            f"/clients/{{client}}{path}".format(**mine | {"connection": SOMETHING, "job": SOMETHING}),
            user="neighbour",
        )
        assert (there.status_code, there.json()) == (404, nowhere.json())
    assert hub.items() == before


def test_the_description_of_the_api_is_public_and_is_the_one_in_the_docs(hub):
    answer = hub.call("GET", "/openapi.json", user=None)
    assert answer.status_code == 200
    assert answer.json() == described.document()
