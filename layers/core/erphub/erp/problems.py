"""Problems with ERP systems that any of them can have, and with what they are asked."""

from erphub.platform.errors import ServiceBusy
from erphub.platform.problem_types import ProblemType

KEY_BUSY = ProblemType(ServiceBusy, "key_busy", "The key for tokens is busy.", "Try again in a moment.")
