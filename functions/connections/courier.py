"""The door for events on their way: the bus brings each once it happened, and the clock comes for what is left."""

from typing import TYPE_CHECKING, Any

from erphub import wiring
from erphub.events.models import Event
from erphub.platform import redaction

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Deliver one event to the webhooks that want it; without one, whatever is due."""
    redaction.forget()
    if event.get("source") == "erphub":
        return {"tried": wiring.events.courier().take(Event.model_validate(event["detail"]))}
    return wiring.events.courier().tick(lambda: context.get_remaining_time_in_millis() / 1000)
