"""Who is calling, on the way from the authorizer to the function that answers.

The gateway takes texts alone and hands them on as `requestContext.authorizer`; what is not there is left out. Both
directions stand here, so that they cannot differ. Source: "Output from an API Gateway Lambda authorizer".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from erphub.platform import problems
from erphub.platform.identity import Caller, Program, SignInMethod


def to_context(caller: Caller) -> dict[str, str]:
    """The caller as the gateway takes it. Where they call from is the gateway's to say, for each request."""
    until = caller.valid_until
    said = {
        "user": caller.user,
        "method": str(caller.method),
        "email": caller.email,
        "valid_until": str(int(until.timestamp())) if until else None,
    }
    if caller.program is not None:
        said |= {
            "client_id": caller.program.client_id,
            "name": caller.program.name,
            "networks": " ".join(caller.program.networks),
        }
    return {name: value for name, value in said.items() if value}


def from_context(said: Mapping[str, Any], source: str | None) -> Caller:
    """The caller in a request's context, who calls from `source`. Raises NotSignedIn when nobody was let in."""
    if not said.get("user"):
        raise problems.NOT_SIGNED_IN()
    until, client = said.get("valid_until"), said.get("client_id")
    return Caller(
        str(said["user"]),
        said.get("email"),
        source,
        SignInMethod(str(said["method"])),
        datetime.fromtimestamp(int(until), UTC) if until else None,
        Program(str(client), str(said["name"]), tuple(str(said.get("networks", "")).split())) if client else None,
    )
