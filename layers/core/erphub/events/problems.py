"""Problems of notifications and of telling of events."""

from erphub.platform.errors import NotFound, ServiceBusy
from erphub.platform.problem_types import ProblemType

NOTIFICATION_NOT_FOUND = ProblemType(NotFound, "notification_not_found", "There is no such notification.")
BUS_BUSY = ProblemType(ServiceBusy, "bus_busy", "The event bus did not take the event.")
