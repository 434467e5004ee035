"""Whether a deployment answers at all: its description to anybody, and nothing else without a token."""

from collections.abc import Iterator

import httpx

from . import Clients

SECONDS = 30
"""How long one answer may take; the first one starts a function."""
ASKED = (("/openapi.json", 200, None), ("/me", 401, "not_signed_in"), ("/no-such-address", 404, "route_not_found"))
"""What is asked without a token: path, status, and the problem's code."""


def address(client: Clients, stack: str) -> str:
    """The address of a deployed API. Raises LookupError when the stack gives out none."""
    (described,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    for output in described.get("Outputs", []):
        if output["OutputKey"] == "ApiUrl":
            return output["OutputValue"]
    raise LookupError(f"{stack} has no output ApiUrl")


def smoke(api: str, http: httpx.Client) -> Iterator[str]:
    """What is wrong with the answers, nothing when all is well."""
    for path, status, code in ASKED:
        try:
            answer = http.get(f"{api}{path}", timeout=SECONDS)
        except httpx.HTTPError as error:
            yield f"GET {path}: no answer ({type(error).__name__})"
            continue
        said = answer.json().get("code") if code and answer.headers.get("content-type", "").endswith("json") else None
        if (answer.status_code, said) != (status, code):
            yield f"GET {path}: {answer.status_code} {said or ''}, not {status} {code or ''}"
