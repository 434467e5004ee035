"""Placeholder door: its owner writes it."""

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer with nothing done."""
    return {"outcome": "nothing", "event": event}
