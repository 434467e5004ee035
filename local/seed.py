"""The first people of a local stack: a customer with two clients, roles, and users who may do different things."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from botocore.exceptions import ClientError

from local.emulator import Aws
from local.processes import StartupError

ADMINISTRATOR = "administrator@example.test"


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in: e-mail address and what they are in words."""

    name: str
    role: str


PEOPLE = (
    Person(ADMINISTRATOR, "administrator"),
    Person("accountant@example.test", "accountant"),
    Person("neighbour@example.test", "administrator"),
    Person("outsider@example.test", "none"),
)


def people(aws: Aws, described: dict[str, Any], kept: Path) -> list[dict[str, Any]]:
    """Make the users if they are not there, and sign each in; passwords are drawn once and kept in `kept`.

    Raises StartupError when the user pool refuses.
    """
    outputs = described["outputs"]
    passwords = cast(dict[str, str], json.loads(kept.read_text())) if kept.exists() else {}
    for person in PEOPLE:
        passwords.setdefault(person.name, f"Hub-{secrets.token_urlsafe(9)}-7a")
    kept.write_text(json.dumps(passwords))
    kept.chmod(0o600)
    users: list[dict[str, Any]] = []
    for person in PEOPLE:
        sub = _user(aws, outputs["UserPoolId"], person.name, passwords[person.name])
        token = sign_in(aws, outputs["UserPoolClientId"], person.name, passwords[person.name])
        users.append(
            {
                "name": person.name,
                "password": passwords[person.name],
                "sub": sub,
                "id_token": token,
                "role": person.role,
                "clients": [],
            }
        )
    return users


def _user(aws: Aws, pool: str, name: str, password: str) -> str:
    """Make the user with this password, or give an existing one this password; returns the user's id."""
    client = aws.client("cognito-idp")
    try:
        try:
            client.admin_create_user(
                UserPoolId=pool, Username=name, MessageAction="SUPPRESS",
                UserAttributes=[{"Name": "email", "Value": name}, {"Name": "email_verified", "Value": "true"}],
            )  # fmt: skip
        except client.exceptions.UsernameExistsException:
            # Kept from an earlier start, or made by the deployment itself.
            pass
        client.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
        found = client.admin_get_user(UserPoolId=pool, Username=name)
    except ClientError as error:
        raise StartupError(f"the user pool would not take {name}: {error}") from error
    return next(one.get("Value", "") for one in found.get("UserAttributes", []) if one["Name"] == "sub")


def sign_in(aws: Aws, client_id: str, name: str, password: str) -> str:
    """An id token for this user. Raises StartupError when signing in fails."""
    try:
        answer = aws.client("cognito-idp").initiate_auth(
            ClientId=client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": password}
        )
    except ClientError as error:
        raise StartupError(f"{name} cannot sign in: {error}") from error
    return answer.get("AuthenticationResult", {}).get("IdToken", "")
