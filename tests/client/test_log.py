"""`erphub log --follow`: what is there once, and of what changes afterwards each once, asked for by itself."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from erphub_client.command.log import OVERLAP, Question, changes

BEGAN = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)


def entry(name: str, minute: int, **more: Any) -> dict[str, Any]:
    at = (BEGAN + timedelta(minutes=minute)).isoformat()
    texts = dict.fromkeys(("code", "detail", "erp_message", "reference", "posted_manually_reason"), "")
    rest = {
        "approved_at": None,
        "edits": [],
        "retry_at": None,
        "overridden_values": {},
        "posted_manually_by": None,
        "pdf": None,
    }
    return (
        {"id": name, "kind": "settlement", "external_id": name, "document_date": "2026-03-04", "title": name}
        | {"status": "pending", "attachment": "none", "is_awaiting_approval": False, "attempt_count": 0, "revision": 1}
        | {"created_at": at, "updated_at": at}
        | texts
        | rest
        | more
    )


def page(*items: dict[str, Any], following: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"items": list(items), "next": following})


def test_each_look_asks_only_for_what_has_changed_since_the_last_change(fake: Any) -> None:
    fake.answers = [
        page(entry("c", 3), entry("b", 2), following="second"),
        page(entry("a", 1)),
        page(entry("c", 3)),
        page(entry("c", 3), entry("a", 4, status="sent")),
        page(entry("a", 4, status="sent")),
        page(entry("d", 5), entry("a", 4, status="sent")),
    ]
    seen = list(itertools.islice(changes(Question(fake.client(), "client", "connection")), 5))
    assert [(one.id, str(one.status)) for one in seen] == [
        *(("a", "pending"), ("b", "pending"), ("c", "pending")),
        *(("a", "sent"), ("d", "pending")),
    ]
    asked = [dict(request.url.params) for request in fake.asked]
    assert len(asked) == 6, "two pages of the whole, then a request each look"
    since = [(BEGAN + timedelta(minutes=minute) - OVERLAP).isoformat() for minute in (3, 3, 4, 4)]
    assert [one.get("updated_since") for one in asked] == [None, None, *since]
    assert {one["from_date"] for one in asked} == {asked[0]["from_date"]}
