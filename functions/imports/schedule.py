"""The clock's door: called every minute, starts the imports that are due."""

from typing import Any

from erphub import wiring
from erphub.platform import redaction


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    """Start what is due now, whatever instant the event says."""
    redaction.forget()
    return {"started": wiring.imports.scheduler().tick()}
