"""The clock's door: called every minute, starts the transfers that are due, tells of silence."""

from typing import Any

from erphub import observe, wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    """Start what is due now, whatever instant the event says."""
    observe.forget()
    done = wiring.sync.tick()
    observe.logger().info("tick", extra=done)
    if done["silent"]:
        observe.figures({"operation": "transfer"}, syncs_silent=done["silent"])
    return done
