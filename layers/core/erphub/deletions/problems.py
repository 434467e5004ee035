"""Problems of deletions and of bringing back."""

from erphub.platform.errors import Conflict, Gone
from erphub.platform.problem_types import ProblemType
from erphub.platform.problems import UNAVAILABLE

DELETED_ALREADY = ProblemType(
    Conflict,
    "connection_deleting",
    "The connection is being deleted already.",
    "Restore it, or wait for its end.",
    members=("restorable_until",),
)
DELETION_CHANGED = ProblemType(
    Conflict,
    "deletion_changed",
    "It has been restored already, or its removal has just begun.",
    "Look at the connection.",
)
PLAN_EXPIRED = ProblemType(
    Gone, "plan_expired", "The plan has expired, or was never made.", "Look at a new deletion-preview."
)
PLAN_CHANGED = ProblemType(
    Conflict,
    "plan_changed",
    "Since you looked, something has changed; `difference` says what.",
    "Look at a new deletion-preview.",
    members=("difference",),
)
CHANGES_TOO_FAST = UNAVAILABLE.saying("The connection changes faster than it can be deleted.", "Try again.")
CONNECTION_CHANGED_SINCE = PLAN_CHANGED.saying(
    "Since you looked, the connection has been changed.", "Look at a new deletion-preview."
)
NOT_DELETING = ProblemType(Conflict, "not_deleting", "The connection is not being deleted.")
TOO_LATE = ProblemType(Gone, "too_late", "The time to bring it back is over; it is being removed.")
