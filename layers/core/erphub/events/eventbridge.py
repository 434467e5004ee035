"""The deployment's event bus: whatever happens to connections, imports and transfers, for whoever subscribes."""

import json
from typing import TYPE_CHECKING, override

from botocore.exceptions import ClientError

from erphub.events import problems
from erphub.events.models import Event
from erphub.events.ports import EventBus
from erphub.platform.aws.clients import client
from erphub.platform.aws.errors import UNANSWERED
from erphub.platform.errors import ServiceBusy

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef


SOURCE = "erphub"


class EventBridgeBus(EventBus):
    """The event bus of this deployment."""

    def __init__(self, name: str) -> None:
        self._name = name

    @override
    def put(self, event: Event) -> None:
        entry: PutEventsRequestEntryTypeDef = {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": event.type,
            "Detail": event.model_dump_json(),
            "Time": event.occurred_at,
        }
        try:
            answer = client("events").put_events(Entries=[entry])
        except (ClientError, *UNANSWERED) as error:
            raise _busy() from error
        if answer.get("FailedEntryCount"):
            raise _busy() from RuntimeError(json.dumps(answer.get("Entries"), default=str))


def _busy() -> ServiceBusy:
    return problems.BUS_BUSY()
