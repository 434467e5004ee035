"""Problems of signing in."""

from erphub.platform.errors import NotSignedIn, Unavailable
from erphub.platform.problem_types import ProblemType

SIGN_IN_UNAVAILABLE = ProblemType(
    Unavailable, "sign_in_unavailable", "The sign-in service does not answer.", "Try again in a moment."
)
USER_GONE = ProblemType(NotSignedIn, "not_signed_in", "There is no such user any more.")
