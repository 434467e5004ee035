"""Events on their way to webhooks: the bus brings each as it happens, the clock asks every minute for what is left."""

from typing import TYPE_CHECKING, Any

from erphub import app
from erphub.events.models import Event
from erphub.platform import redaction
from erphub.webhooks.delivery import WebhookDelivery

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Deliver one event to the webhooks subscribed to it; without one, whatever is due."""
    redaction.reset()
    if event.get("source") == "erphub":
        return {"attempted": app.services().get(WebhookDelivery).deliver(Event.model_validate(event["detail"]))}
    return app.services().get(WebhookDelivery).run_round(lambda: context.get_remaining_time_in_millis() / 1000)
