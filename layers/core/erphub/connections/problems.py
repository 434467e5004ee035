"""Problems of connections to ERP systems."""

from erphub.platform.errors import Conflict, Forbidden, TooMany, Unavailable
from erphub.platform.problem_types import FieldProblemType, ProblemType, Reason
from erphub.platform.problems import UNAVAILABLE, VERSION_CONFLICT

CONNECTION_DELETING = ProblemType(
    Conflict, "connection_deleting", "The connection is being deleted.", "Restore it first."
)
CONNECTION_PAUSED = ProblemType(Conflict, "connection_paused", "The connection is paused.", "Resume it first.")
REAUTH_REQUIRED = ProblemType(
    Conflict, "reauth_required", "The ERP does not accept the connection's credentials.", "Enter them again."
)
CONNECTION_NOT_SHARED = ProblemType(
    Forbidden,
    "connection_not_shared",
    "The owner has not allowed others to edit this connection.",
    "Ask the owner to share it.",
)
TOO_MANY_ATTEMPTS = ProblemType(
    TooMany,
    "too_many_attempts",
    "Too many tries were refused. The next can be made in {retry_after} seconds.",
    "Make sure of the server, the login and the password meanwhile: some servers lock out who gives a wrong one "
    "too often.",
    members=("retry_after",),
)
NAME_TAKEN = ProblemType(
    Conflict, "name_taken", "Another connection of this client has that name.", "Choose a different one."
)
CONNECTION_BUSY = VERSION_CONFLICT.saying("The connection is being changed by others.", "Try again.")
BEING_DELETED = CONNECTION_DELETING.saying("The connection is being deleted.")
OWNER_ONLY = ProblemType(Forbidden, "owner_only", "Only its owner can give the connection to somebody else.")
CANNOT_OWN = FieldProblemType("cannot_own", "The new owner must be a member who may manage connections.")
TEST_NOT_RUN = UNAVAILABLE.saying("The test could not be run.", "Start it again.")
LOGIN_DOUBTED = ProblemType(
    Unavailable,
    "login_doubted",
    "The ERP refused the connection's login a short time ago. That can pass by itself, so it is tried once more, "
    "not before {allowed_from}.",
)
TEST_FAILED = Reason("test_failed", "The test ended without a result.", "Start it again.")
