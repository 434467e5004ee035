"""Problems of what the hub says about itself."""

from erphub.platform.errors import NotFound, Unavailable
from erphub.platform.problem_types import ProblemType

NOT_BUILT = ProblemType(Unavailable, "not_built", "This installation was built without its description.")
PROBLEM_NOT_FOUND = ProblemType(
    NotFound, "problem_not_found", "There is no code {code!r}.", "GET /problems lists them."
)
