"""API Gateway's question who is calling (a REQUEST authorizer of a REST API), and its answer.

Whoever is let in is let in to the whole stage: the gateway remembers the answer for each token, whatever route it was
asked about, so a policy for one route would close the others. What a caller may do is decided by the function that
answers, for every request. Who is not let in gets a policy that denies, which the gateway answers with 401 (`api.json`)
and remembers as well: raising would count as a fault of ours. Sources: "Input to an API Gateway Lambda authorizer",
"Output from an API Gateway Lambda authorizer" (API Gateway developer guide).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from erphub.api_keys.credentials.models import MAX_KEY
from erphub.platform import redaction
from erphub.platform.http.caller_context import to_context
from erphub.platform.identity import Caller
from erphub.sign_in.keys import KeySignIn
from erphub.sign_in.tokens import TokenSignIn

CACHED_SECONDS = 60
"""How long the gateway remembers an answer. What ends meanwhile, functions see by themselves: a revoked key, an expired
one, an expired token. Only secrets that a rotation without overlap ended, and people who were removed from the pool,
are let in for as long as this."""
NOBODY = "nobody"


@dataclass(frozen=True)
class RequestAuthorizer:
    """Answers the gateway."""

    keys: KeySignIn
    tokens: TokenSignIn

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The policy and context for a request. Raises Unavailable when it could not be found out."""
        redaction.reset()
        shown = bearer(event)
        redaction.redact([shown] if shown else [])
        caller = self._find(shown) if shown else None
        effect = "Allow" if caller else "Deny"
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": whole_stage(event["methodArn"])}
        return {
            "principalId": caller.user if caller else NOBODY,
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": to_context(caller) if caller else {},
        }

    def _find(self, shown: str) -> Caller | None:
        is_key = len(shown) <= MAX_KEY and shown.startswith("ehk_")
        return self.keys.find(shown) if is_key else self.tokens.find(shown)


def bearer(event: Mapping[str, Any]) -> str | None:
    """What stands in the header Authorization behind `Bearer`; None when it says something else, or is there twice."""
    several = cast("Mapping[str, list[str]]", event.get("multiValueHeaders") or {})
    sent = [value for name, values in several.items() if name.lower() == "authorization" for value in values]
    if not sent:
        single = cast("Mapping[str, str]", event.get("headers") or {})
        sent = [value for name, value in single.items() if name.lower() == "authorization"]
    if len(sent) != 1:
        return None
    scheme, _, shown = sent[0].strip().partition(" ")
    return shown.strip() or None if scheme.lower() == "bearer" else None


def whole_stage(method_arn: str) -> str:
    """All routes of the stage that a method's ARN (`…:api/stage/GET/me`) is of."""
    api, stage, _ = method_arn.split("/", 2)
    return f"{api}/{stage}/*"
