"""Placeholder door: answers every route the same until its owner writes it."""

import json
from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Say that the route is there and nothing is behind it yet."""
    body = {"title": "Not built yet", "status": 501, "code": "not_built_yet", "path": event.get("path")}
    return {"statusCode": 501, "headers": {"Content-Type": "application/problem+json"}, "body": json.dumps(body)}
