"""Problems of webhooks."""

from erphub.platform.errors import Conflict, NotFound
from erphub.platform.problem_types import ProblemType, Reason

DELIVERY_NOT_FOUND = ProblemType(NotFound, "delivery_not_found", "There is no such delivery.")
WEBHOOK_OFF = ProblemType(Conflict, "webhook_off", "The webhook is disabled.", "Enable it first.")
WEBHOOK_NOT_FOUND = ProblemType(NotFound, "webhook_not_found", "There is no such webhook.")
REDIRECTED = Reason(
    "redirected", "The receiver answered {status}. Redirects are not followed: register the new address."
)
RECEIVER_REFUSED = Reason("receiver_refused", "The receiver answered {status}.")
