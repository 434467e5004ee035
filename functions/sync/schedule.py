"""Called every minute by the clock: starts the transfers that are due, notifies people of silence."""

from typing import Any

from erphub import app
from erphub.platform import logging, redaction
from erphub.sync.scheduler import SyncScheduler


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    """Start what is due now, whatever instant the event says."""
    redaction.reset()
    done = app.services().get(SyncScheduler).tick()
    logging.logger().info("tick", extra=done)
    if done["silent"]:
        logging.emit_metrics({"operation": "transfer"}, silent_syncs=done["silent"])
    return done
