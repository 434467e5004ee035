"""An answer as it goes over the wire, with the entity tag it is known by and who may keep it.

Every GET of JSON has a tag, and so has a write that answers with the versioned thing that it made or changed. Files
have none.
"""

import json
from collections.abc import Mapping
from typing import Any

from erphub.platform.http.entity_tags import EntityTag
from erphub.platform.http.gateway import Answer
from erphub.platform.http.router import RawJson, Route, Text
from erphub.platform.identity import AccessLevel
from erphub.platform.wire import Model

JSON = "application/json"


def represent(route: Route, answer: Any, tag: EntityTag | None = None) -> dict[str, Any]:
    """The answer of a handler: status, text, type, and its tag where it has one (`etag`), when it is not known yet."""
    kind = answer.content_type if isinstance(answer, Text) else JSON
    tag = tag or entity_tag(route, answer)
    return {"status": route.status, "text": as_text(answer), "type": kind} | ({"etag": str(tag)} if tag else {})


def represent_kept(route: Route, answer: Any) -> dict[str, Any]:
    """The same as it may be kept: without what is shown once."""
    return represent(route, _lasting(answer))


def entity_tag(route: Route, answer: Any) -> EntityTag | None:
    """What an answer is known by, whatever is shown in it once; None when it has no tag."""
    if not has_entity_tag(route):
        return None
    version = getattr(answer, "version", None) if isinstance(answer, Model) else None
    return EntityTag.of(as_text(_lasting(answer)), version, is_weak=_is_list(route))


def has_entity_tag(route: Route) -> bool:
    """Whether a route's answers have a tag."""
    if route.method != "GET":
        return "version" in getattr(route.gives, "model_fields", ())
    return route.gives is not Text


def _is_list(route: Route) -> bool:
    return "next" in getattr(route.query, "model_fields", ())


def answered(route: Route, said: Mapping[str, Any]) -> Answer:
    """What goes back, of what `represent` gave or was kept of it."""
    headers: dict[str, str] = {}
    if (tag := said.get("etag")) is not None:
        headers["ETag"] = str(tag)
        if route.method == "GET":
            headers |= _kept_by_its_reader(route)
    return Answer(int(said["status"]), str(said["text"]), str(said.get("type", JSON)), headers)


def not_modified(route: Route, tag: EntityTag) -> Answer:
    """304: whoever asks has it already."""
    return Answer(304, content_type=None, headers={"ETag": str(tag), **_kept_by_its_reader(route)})


def as_text(answer: Any) -> str:
    """What a handler gave, as the body."""
    if isinstance(answer, (RawJson, Text)):
        return answer.text
    if isinstance(answer, Model):
        return answer.model_dump_json(by_alias=True)
    return "" if answer is None else json.dumps(answer, ensure_ascii=False)


def _lasting(answer: Any) -> Any:
    if isinstance(answer, Model) and answer.SHOWN_ONCE:
        return answer.model_copy(update=dict.fromkeys(answer.SHOWN_ONCE))
    return answer


def _kept_by_its_reader(route: Route) -> dict[str, str]:
    """Whoever asked may keep the answer, and asks each time whether it still holds; nobody between them may, and one
    caller's answer is no other's."""
    if route.needs is AccessLevel.PUBLIC:
        return {"Cache-Control": "no-cache"}
    return {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
