"""Signing in to the stand-in: tokens by organisation, sessions by cookie, and a choice among companies."""

from datetime import timedelta

import httpx
import pytest

from local.erps.twentyfourseven import App, seed
from tests.standins.twentyfourseven.conftest import REST, TOKEN, sign_in
from tests.standins.twentyfourseven.soap_client import Fault, Soap


def test_a_token_opens_the_organisation_it_was_asked_for(http: httpx.Client) -> None:
    given = sign_in(http, seed.CAFE).json()
    assert given["token_type"] == "Bearer"
    assert given["expires_in"] == 3600
    found = http.get(f"{REST}/organization/information", headers={"Authorization": f"Bearer {given['access_token']}"})
    assert found.json()["name"] == "Kystkaffe AS"
    assert found.headers["X-Trace-Id"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [({"client_secret": "wrong"}, 401), ({"login_organization": str(seed.UNCONNECTED)}, 403),
    ({"login_organization": "x"}, 403),
     ({"audience": "elsewhere"}, 403), ({"grant_type": "password"}, 400)],
)  # fmt: skip
def test_a_wrong_request_gets_no_token(http: httpx.Client, changed: dict[str, str], status: int) -> None:
    right = {"grant_type": "client_credentials", "client_id": seed.CLIENT_ID, "client_secret": seed.CLIENT_SECRET,
             "login_organization": str(seed.SHOP), "audience": "https://api.24sevenoffice.com"}  # fmt: skip
    answer = http.post(TOKEN, data=right | changed)
    assert answer.status_code == status
    assert "access_token" not in answer.json()


def test_a_token_ends_after_its_hour(app: App, rest: httpx.Client) -> None:
    now = app.world.now()
    app.world.clock = lambda: now + timedelta(hours=1, seconds=1)
    refused = rest.get("/accounts")
    assert refused.status_code == 401
    assert refused.json()["error"]["name"] == "UnauthorizedError"
    assert refused.json()["trackingId"] == refused.headers["X-Trace-Id"]


def test_a_token_without_the_scope_may_not(app: App, http: httpx.Client) -> None:
    app.world.applications[seed.CLIENT_ID].scopes = frozenset({"api.accounting.account:read"})
    headers = {"Authorization": f"Bearer {sign_in(http).json()['access_token']}"}
    assert http.get(f"{REST}/accounts", headers=headers).status_code == 200
    assert http.get(f"{REST}/customers", headers=headers).status_code == 403


def test_a_wrong_password_gets_an_empty_session(http: httpx.Client) -> None:
    assert Soap(http).login(seed.USER, "wrong") == ""


def test_an_unknown_application_gets_an_empty_session(app: App, http: httpx.Client) -> None:
    app.world.application_ids.clear()
    assert Soap(http).login(seed.USER, seed.PASSWORD) == ""


def test_a_session_lasts_while_it_is_used(app: App, soap: Soap) -> None:
    assert soap("Authenticate", "HasSession") == "true"
    now = app.world.now()
    app.world.clock = lambda: now + timedelta(minutes=29)
    assert soap("Authenticate", "HasSession") == "true"
    app.world.clock = lambda: now + timedelta(minutes=58)
    assert soap("Authenticate", "HasSession") == "true"
    app.world.clock = lambda: now + timedelta(minutes=89)
    assert soap("Authenticate", "HasSession") == "false"
    with pytest.raises(Fault, match="Not authenticated"):
        soap("Client", "GetClientInformation")


def test_a_user_of_two_companies_chooses(soap: Soap) -> None:
    assert soap("Client", "GetClientInformation")["Name"] == "Fjellbutikken AS"
    places = soap("Authenticate", "GetIdentities")
    assert [p["Client"]["Name"] for p in places] == ["Fjellbutikken AS", "Kystkaffe AS"]
    assert soap("Authenticate", "SetIdentityById", [("identityId", places[1]["Id"])]) == "true"
    assert soap("Client", "GetClientInformation")["Name"] == "Kystkaffe AS"
    assert soap("Authenticate", "GetIdentity")["IsCurrent"] == "true"


def test_the_companies_are_listed_without_signing_in(http: httpx.Client) -> None:
    credential = [("ApplicationId", seed.APPLICATION_ID), ("Password", seed.PASSWORD), ("Username", seed.USER)]
    client = Soap(http)
    places = client("Authenticate", "GetIdentitiesWithCredential", [("credential", credential)])
    assert len(places) == 2
    assert client.login(seed.USER, seed.PASSWORD, places[1]["Id"])
    assert client("Client", "GetClientInformation")["UserId"] == str(seed.CAFE)


def test_a_blocked_identity_cannot_be_used(app: App, soap: Soap) -> None:
    for identity in app.world.identities.values():
        identity.blocked = identity.organisation == seed.SHOP
    with pytest.raises(Fault, match="The provided IdentityId is blocked"):
        soap("Client", "GetDepartmentList")
    with pytest.raises(Fault, match="The provided IdentityId is blocked"):
        soap.login(seed.USER, seed.PASSWORD)


def test_one_company_is_never_seen_from_another(app: App, soap: Soap, rest: httpx.Client) -> None:
    seed.add_customer(app.world.organisation(seed.CAFE), "Bare kafeens", app.world.now())
    assert "Bare kafeens" not in rest.get("/customers").text
    found = soap("Company", "GetCompanies", [("searchParams", []), ("returnProperties", [("string", "Name")])])
    assert "Bare kafeens" not in [company["Name"] for company in found]
