"""Events on their way to webhooks: the bus brings each once it happened, and the clock comes for what is left."""

from typing import TYPE_CHECKING, Any

from erphub import app
from erphub.events.models import Event
from erphub.platform import redaction
from erphub.webhooks.delivery import WebhookDelivery

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Deliver one event to the webhooks that want it; without one, whatever is due."""
    redaction.forget()
    if event.get("source") == "erphub":
        return {"tried": app.services().get(WebhookDelivery).take(Event.model_validate(event["detail"]))}
    return app.services().get(WebhookDelivery).tick(lambda: context.get_remaining_time_in_millis() / 1000)
