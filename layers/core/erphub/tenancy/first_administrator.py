"""The first platform administrator, as a custom resource of the deployment.

CloudFormation waits for an answer at an address it gives, and would wait an hour for one that never comes: whatever
happens, one is sent.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import urllib3

from erphub.platform import logging
from erphub.platform.errors import HubError


class CustomResource:
    """Answers create, update and delete events of `Custom::FirstAdministrator` with property `Email`."""

    def __init__(self, make: Callable[[str], str], end: Callable[[str], None]) -> None:
        """`make` makes the administrator of an e-mail address, who may be there already, and gives the user's id; `end`
        takes that standing away again.
        """
        self._make, self._end = make, end

    def __call__(self, event: Mapping[str, Any], context: Any) -> None:
        """Handle one event. No user is ever removed: what is deleted is the standing.

        The address is the resource's identity: with another one CloudFormation has that made, then this deleted.
        """
        email = str(event["ResourceProperties"]["Email"])
        answer: dict[str, Any] = {"Status": "SUCCESS", "PhysicalResourceId": email.lower()}
        try:
            if event["RequestType"] == "Delete":
                answer["PhysicalResourceId"] = event.get("PhysicalResourceId", email.lower())
                self._end(email)
            else:
                answer["Data"] = {"User": self._make(email)}
        except Exception as error:  # noqa: BLE001 — the deployment must hear of any failure
            logging.logger().exception("the first administrator stays as they were", exc_info=error)
            reason = error.detail if isinstance(error, HubError) else type(error).__name__
            log = getattr(context, "log_stream_name", "the function's log")
            answer |= {"Status": "FAILED", "Reason": f"{reason} See {log}."}
        _send(event, answer)


def _send(event: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    names = ("StackId", "RequestId", "LogicalResourceId")
    body = json.dumps({**answer, **{name: event[name] for name in names}}).encode()
    # The address is signed for an empty content type.
    urllib3.PoolManager().request("PUT", event["ResponseURL"], body=body, headers={"Content-Type": ""}, timeout=10)
