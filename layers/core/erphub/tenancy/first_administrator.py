"""The first platform administrator, as a custom resource of the deployment.

CloudFormation waits for an answer at an address it gives, and would wait an hour for one that never comes: whatever
happens, one is sent.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3

from erphub.platform import logging
from erphub.platform.errors import HubError
from erphub.tenancy.models import User
from erphub.tenancy.people import PersonLookup
from erphub.tenancy.ports import PlatformAdministrators


@dataclass(frozen=True)
class FirstAdministrator:
    """Whoever administers the platform from its deployment on."""

    administrators: PlatformAdministrators
    people: PersonLookup

    def appoint(self, email: str) -> User:
        """Let whoever has this address administer the platform; somebody unknown is invited. Again is fine."""
        user = self.people.find_or_invite(email, "/email")
        self.administrators.add(user.id)
        return user

    def dismiss(self, email: str) -> None:
        """Somebody else is the platform's administrator from now on; the user stays. Again is fine."""
        user = self.people.find(email)
        if user is not None:
            self.administrators.remove(user.id)


def answer(event: Mapping[str, Any], context: Any, service: Callable[[], FirstAdministrator]) -> None:
    """Answer a create, update or delete event of `Custom::FirstAdministrator` with property `Email`.

    The address is the resource's identity: with another one CloudFormation has that made, then this deleted. No user is
    ever removed: what is deleted is that they administer the platform. `service` may fail like everything else.
    """
    email = str(event["ResourceProperties"]["Email"])
    said: dict[str, Any] = {"Status": "SUCCESS", "PhysicalResourceId": email.lower()}
    try:
        if event["RequestType"] == "Delete":
            said["PhysicalResourceId"] = event.get("PhysicalResourceId", email.lower())
            service().dismiss(email)
        else:
            said["Data"] = {"User": service().appoint(email).id}
    except Exception as error:  # noqa: BLE001 — the deployment must hear of any failure
        logging.logger().exception("the first administrator stays as they were", exc_info=error)
        reason = error.detail if isinstance(error, HubError) else type(error).__name__
        log = getattr(context, "log_stream_name", "the function's log")
        said |= {"Status": "FAILED", "Reason": f"{reason} See {log}."}
    _send(event, said)


def _send(event: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    names = ("StackId", "RequestId", "LogicalResourceId")
    body = json.dumps({**said, **{name: event[name] for name in names}}).encode()
    # The address is signed for an empty content type.
    urllib3.PoolManager().request("PUT", event["ResponseURL"], body=body, headers={"Content-Type": ""}, timeout=10)
