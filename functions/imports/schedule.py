"""Called every minute by the clock: starts the imports that are due."""

from typing import Any

from erphub import app
from erphub.imports.scheduler import Scheduler
from erphub.platform import redaction


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    """Start what is due now, whatever instant the event says."""
    redaction.reset()
    return {"started": app.services().get(Scheduler).start_due_jobs()}
