"""What a request with an `Idempotency-Key` is known by (draft-ietf-httpapi-idempotency-key-header).

The draft writes the key as a string of structured fields, `"8e03978e-40d5-43dd-bc93-6894a57f9324"`; without quotes it
is the same key. It counts within the caller, the route and what the path names, so within the client.
"""

import json
import re

from erphub.platform import problems
from erphub.platform.http.gateway import Request
from erphub.platform.http.router import Route

HEADER = "Idempotency-Key"
_BARE = re.compile(r"[\x21\x23-\x7e][\x21-\x7e]*")
_QUOTED = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_LONGEST = 255


def idempotency_key(route: Route, request: Request) -> str | None:
    """The key of a POST. None without one, and for other methods. Raises BadHeader."""
    given = request.field(HEADER) if route.method == "POST" else None
    if given is None:
        return None
    quoted = _QUOTED.fullmatch(given)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else given if _BARE.fullmatch(given) else ""
    if not 1 <= len(key) <= _LONGEST:
        raise problems.IDEMPOTENCY_KEY_INVALID(header=HEADER, longest=_LONGEST)
    return key


def known_by(route: Route, request: Request, key: str) -> tuple[str, str]:
    """What a request is known by within its caller, and what must be the same when it comes again."""
    where = f"{route.method} {route.path} {json.dumps(dict(request.names), sort_keys=True)}"
    asked, body = request.asked, _canonical(request.event.get("body") or "")
    return f"{where} {key}", f"{json.dumps(dict(asked), sort_keys=True)} {body}" if asked else body


def _canonical(body: str) -> str:
    """A body of JSON as it is whatever its spaces and the order of its members; any other as it is."""
    try:
        return json.dumps(json.loads(body, parse_float=_Digits), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return body


class _Digits(dict[str, str]):
    """A fraction of a body, digit by digit: as floats, two amounts could be the same."""

    def __init__(self, text: str) -> None:
        super().__init__(digits=text)
