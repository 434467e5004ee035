"""The first people of a local stack: a customer with two clients, and users who may do different things in them."""

import contextlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
from botocore.exceptions import ClientError

from local.emulator import Aws
from local.processes import StartupError

ADMINISTRATOR = "administrator@example.test"
CUSTOMER = "Nordlys Gruppen"
CLIENTS = ("Nordlys Drift", "Nordlys Eiendom")


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in, with the role in each of the two clients, in their order; None: no member there."""

    name: str
    roles: tuple[str | None, str | None]


PEOPLE = (
    # Administers the platform and the customer; makes the clients.
    Person(ADMINISTRATOR, ("administrator", "administrator")),
    # May look and start imports, and change nothing.
    Person("accountant@example.test", ("accountant", None)),
    # May look only.
    Person("viewer@example.test", ("viewer", None)),
    # At home in the other client.
    Person("neighbour@example.test", (None, "administrator")),
    # Signed in, and at home nowhere.
    Person("outsider@example.test", (None, None)),
)


def plant(aws: Aws, described: dict[str, Any], kept: Path) -> dict[str, Any]:
    """Make the people, the customer and its clients if they are not there; returns their part of stack.json.

    Passwords are drawn once and kept in `kept`; tokens are fresh each time. Raises StartupError when the user pool or
    the API refuses.
    """
    passwords = cast(dict[str, str], json.loads(kept.read_text())) if kept.exists() else {}
    for person in PEOPLE:
        passwords.setdefault(person.name, f"Hub-{secrets.token_urlsafe(9)}-7a")
    kept.write_text(json.dumps(passwords))
    kept.chmod(0o600)
    pool, client_id = described["outputs"]["UserPoolId"], described["outputs"]["UserPoolClientId"]
    tokens: dict[str, str] = {}
    for person in PEOPLE:
        _make_user(aws, pool, person.name, passwords[person.name])
        tokens[person.name] = sign_in(aws, client_id, person.name, passwords[person.name])
    with httpx.Client(base_url=described["api_url"], timeout=40) as http:
        customer, clients = _tenancy(http, tokens[ADMINISTRATOR])
        _members(http, tokens, clients)
        users = [_described(http, person, passwords[person.name], tokens[person.name]) for person in PEOPLE]
    return {"customer": customer, "clients": clients, "users": users}


def _make_user(aws: Aws, pool: str, name: str, password: str) -> None:
    """Make the user with this password, or give an existing one (the first administrator) this password."""
    client = aws.client("cognito-idp")
    attributes: Any = [{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}]
    try:
        with contextlib.suppress(client.exceptions.UsernameExistsException):
            client.admin_create_user(
                UserPoolId=pool, Username=name, MessageAction="SUPPRESS", UserAttributes=attributes
            )
        client.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    except ClientError as error:
        raise StartupError(f"the user pool would not take {name}: {error}") from error


def sign_in(aws: Aws, client_id: str, name: str, password: str) -> str:
    """An id token for this user. Raises StartupError when signing in fails."""
    parameters = {"USERNAME": name, "PASSWORD": password}
    try:
        answer = aws.client("cognito-idp").initiate_auth(
            ClientId=client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
        )
    except ClientError as error:
        raise StartupError(f"{name} cannot sign in: {error}") from error
    return answer.get("AuthenticationResult", {}).get("IdToken", "")


def _call(http: httpx.Client, token: str, method: str, path: str, body: object = None) -> dict[str, Any]:
    answer = http.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
    if not answer.is_success:
        raise StartupError(f"{method} {path} was answered with {answer.status_code}: {answer.text[:500]}")
    return cast(dict[str, Any], answer.json())


def _tenancy(http: httpx.Client, token: str) -> tuple[dict[str, str], list[dict[str, str]]]:
    """The customer and its two clients, made through the API unless the administrator sees them already."""
    me = _call(http, token, "GET", "/me")
    customers = {one["name"]: one["id"] for one in me["customers"]}
    if CUSTOMER not in customers:
        body = {"name": CUSTOMER, "administrator": ADMINISTRATOR}
        customers[CUSTOMER] = _call(http, token, "POST", "/customers", body)["id"]
    there = {one["name"]: one["id"] for one in me["clients"]}
    for name in CLIENTS:
        if name not in there:
            there[name] = _call(http, token, "POST", f"/customers/{customers[CUSTOMER]}/clients", {"name": name})["id"]
    return {"id": customers[CUSTOMER], "name": CUSTOMER}, [{"id": there[name], "name": name} for name in CLIENTS]


def _members(http: httpx.Client, tokens: dict[str, str], clients: list[dict[str, str]]) -> None:
    """Everybody is invited to where they belong, and accepts."""
    for index, client in enumerate(clients):
        members = _call(http, tokens[ADMINISTRATOR], "GET", f"/clients/{client['id']}/members?limit=200")["items"]
        there = {member["member"]["name"] for member in members if member["status"] == "active"}
        for person in PEOPLE:
            role = person.roles[index]
            if role is not None and person.name not in there:
                path = f"/clients/{client['id']}/members/{person.name}"
                _call(http, tokens[ADMINISTRATOR], "PUT", path, {"role": role})
                accept_invitations(http, tokens[person.name])


def accept_invitations(http: httpx.Client, token: str) -> None:
    """Accept whatever somebody is invited to. Raises StartupError."""
    for invitation in _call(http, token, "GET", "/me")["invitations"]:
        _call(http, token, "POST", f"/me/invitations/{invitation['id']}/accept")


def _described(http: httpx.Client, person: Person, password: str, token: str) -> dict[str, Any]:
    """One user of stack.json: how to sign in, and what the hub says this user may do."""
    me = _call(http, token, "GET", "/me")
    return {
        "name": person.name,
        "id": me["id"],
        "password": password,
        "id_token": token,
        "role": next((role for role in person.roles if role), "none"),
        "clients": [{key: one[key] for key in ("id", "name", "role", "permissions")} for one in me["clients"]],
    }
