"""The headers of requests and answers as the API's description tells of them, from what the routes declare."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from erphub.platform.http.representations import has_entity_tag
from erphub.platform.http.waiting import LONGEST_SECONDS
from erphub.platform.identity import AccessLevel

if TYPE_CHECKING:
    from erphub.platform.http.router import Route

type Json = dict[str, Any]

RETRY_AFTER: Json = {
    "Retry-After": {"description": "Seconds to wait before the next try", "schema": {"type": "integer", "minimum": 0}}
}
RATE_LIMITS: Json = {
    "RateLimit-Policy": {
        "description": 'The limits that the request counts towards: `"name";q=requests;w=seconds` (an IETF draft)',
        "schema": {"type": "string"},
        "example": '"requests_per_minute";q=3000;w=60',
    },
    "RateLimit": {
        "description": 'What is left of them, and for how many seconds: `"name";r=requests;t=seconds`',
        "schema": {"type": "string"},
        "example": '"requests_per_minute";r=2990;t=21',
    },
}
COMPONENTS: Json = RATE_LIMITS | {
    "ETag": {
        "description": "What this answer is known by (RFC 9110): it changes with everything that is shown. A strong one"
        " begins with the `version`, and is sent as `If-Match` with a change; any is sent as `If-None-Match` to be"
        " answered 304 while nothing has changed.",
        "schema": {"type": "string"},
        "example": '"7-9c56cc51b374c3ba"',
    },
    "Preference-Applied": {
        "description": "How long was waited for the end of the work at most; absent when nobody preferred to, or the"
        " client has waited too often in this minute (`waits_per_minute`)",
        "required": False,
        "schema": {"type": "string"},
        "example": "wait=20",
    },
}
_SIGNED_IN = (*RATE_LIMITS, "ETag")
_NOT_MODIFIED = "Nothing has changed since the answer whose `ETag` was sent as `If-None-Match`."


def _pointed_at(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


NOT_MODIFIED: Json = {
    "NotModified": {"description": _NOT_MODIFIED, "headers": _pointed_at(*_SIGNED_IN)},
    "PublicNotModified": {"description": _NOT_MODIFIED, "headers": _pointed_at("ETag")},
}
"""The answers without a body to whoever has it already: where requests are counted, and where they are not."""


def not_modified(route: "Route") -> str | None:
    """The name of a route's answer to whoever has it already; None when it has none."""
    if route.method != "GET" or not has_entity_tag(route):
        return None
    return "PublicNotModified" if route.needs is AccessLevel.PUBLIC else "NotModified"


def parameters(route: "Route") -> Iterator[Json]:
    """The headers that a route takes."""
    if route.method == "POST":
        yield _header(
            "Idempotency-Key",
            "The same key with the same request is done once and answered alike, for a day; with another request it is"
            " refused. It counts within the caller, the client and the operation. Double quotes around it are no part"
            " of it (an IETF draft).",
            {"type": "string", "minLength": 1, "maxLength": 257},
            "8e03978e-40d5-43dd-bc93-6894a57f9324",
        )
    if route.awaited is not None:
        yield _header(
            "Prefer",
            f"`wait=20`: answer 200 with the end of the work that this begins, should it come within so many seconds"
            f" ({LONGEST_SECONDS} at most); 202 else, as without it (RFC 7240)",
            {"type": "string"},
            "wait=20",
        )
    if route.method == "GET" and has_entity_tag(route):
        yield _header(
            "If-None-Match",
            "The `ETag` of an answer that the caller has: 304 without a body while it still holds",
            {"type": "string"},
            '"7-9c56cc51b374c3ba"',
        )
    if route.method != "GET" and route.takes_version:
        yield _header(
            "If-Match",
            'The `ETag` that the change was made from, or its `version` alone as `"7"`: 412 when it has another version'
            " by now. `*`: whatever its version, if there is one. What changes by itself is no other version.",
            {"type": "string"},
            '"7-9c56cc51b374c3ba"',
        )
    if route.method == "PUT" and route.takes_version:
        yield _header("If-None-Match", "`*`: only if there is none yet", {"type": "string"}, "*")


def of_answer(route: "Route") -> Json:
    """The headers of what a route answers when it went well."""
    names = () if route.needs is AccessLevel.PUBLIC else tuple(RATE_LIMITS)
    tag, applied = ("ETag",) * has_entity_tag(route), ("Preference-Applied",) * (route.awaited is not None)
    return _pointed_at(*names, *tag, *applied)


def _header(name: str, words: str, schema: Json, example: str) -> Json:
    found: Json = {"name": name, "in": "header", "required": False, "description": words, "schema": schema}
    return found | {"example": example}
