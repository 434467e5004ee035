"""Requests that hold only while something is as their sender believes it to be (RFC 9110, 13).

    GET    If-None-Match: "7-9c56cc51b374c3ba"    304 while that is what would be shown
    PATCH  If-Match: "7-9c56cc51b374c3ba"         412 unless it is still version 7
    PUT    If-Match: *                            412 unless there is one
    PUT    If-None-Match: *                       412 if there is one

A write compares versions, as `version` in the body does, and hands the wanted one on in its place: so what is compared
is what the write itself is conditional on, and nobody comes in between. The rest of a tag says nothing to a write: a
test that ends, or a schedule that moves on, is nobody's change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from erphub.platform import problems
from erphub.platform.errors import Conflict, Invalid
from erphub.platform.http.entity_tags import EntityTag, read_tags
from erphub.platform.http.gateway import Request
from erphub.platform.http.router import Route
from erphub.platform.versions import ANYTHING, NOTHING, is_wanted
from erphub.platform.wire import Model

IF_MATCH, IF_NONE_MATCH = "If-Match", "If-None-Match"
_NEVER = -2
"""A version that nothing has."""

type Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Precondition:
    """The versions that a write may be about, by one of its headers."""

    header: str
    versions: tuple[int, ...]

    def do(self, attempt: Callable[[Arguments], Any], arguments: Arguments) -> Any:
        """What the attempt gives for one of the versions; each is tried, and a wrong one changes nothing.

        Raises PreconditionFailed, Invalid (`version_disagrees`).
        """
        given, versions = _version_in(arguments.get("body")), self.versions
        if given is not None and versions != (_NEVER,):
            if not any(is_wanted(version, given) for version in versions):
                raise Invalid.of(problems.VERSION_DISAGREES(header=self.header))
            versions = (given,)
        for version in versions:
            try:
                return attempt(_telling(arguments, version))
            except Conflict as error:
                if error.code != problems.VERSION_CONFLICT.code:
                    raise
        raise problems.PRECONDITION_FAILED(header=self.header)


def precondition_of(route: Route, request: Request) -> Precondition | None:
    """What a write is to hold for; None when its sender does not mind. Raises BadHeader, PreconditionFailed."""
    match, none_match = request.field(IF_MATCH), request.field(IF_NONE_MATCH)
    if route.method == "GET" or (match is None and none_match is None):
        return None
    header = IF_MATCH if match is not None else IF_NONE_MATCH
    if not route.takes_version:
        raise problems.NO_VERSION_HERE(header=header)
    return _read(header, match, none_match)


def _read(header: str, match: str | None, none_match: str | None) -> Precondition:
    if match is None:
        if str(none_match).strip() != "*":
            raise problems.IF_NONE_MATCH_INVALID(header=header)
        return Precondition(header, (NOTHING,))
    if none_match is not None:
        raise problems.PRECONDITIONS_DISAGREE(header=f"{IF_MATCH}, {IF_NONE_MATCH}")
    if match.strip() == "*":
        return Precondition(header, (ANYTHING,))
    if (tags := read_tags(match)) is None:
        raise problems.IF_MATCH_INVALID(header=header)
    versions = [tag.version for tag in tags if tag.version is not None]
    return Precondition(header, tuple(dict.fromkeys(versions)) or (_NEVER,))


def is_known_already(request: Request, tag: EntityTag) -> bool:
    """Whether the sender of a GET has what would be shown. What is no list of tags says nothing."""
    given = request.field(IF_NONE_MATCH)
    if given is None:
        return False
    return given.strip() == "*" or any(tag.matches_weakly(one) for one in read_tags(given) or ())


def _version_in(body: Any) -> int | None:
    """The version that a body names."""
    if isinstance(body, Mapping):
        given = cast(Mapping[str, Any], body).get("version")
        return given if isinstance(given, int) else None
    return getattr(body, "version", None)


def _telling(arguments: Arguments, version: int) -> Arguments:
    body = arguments.get("body")
    if isinstance(body, Model) and "version" in type(body).model_fields:
        return {**arguments, "body": body.model_copy(update={"version": version})}
    return {**arguments, "version": version}
