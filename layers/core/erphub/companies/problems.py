"""Problems of companies and licences."""

from erphub.platform.errors import Conflict, Unavailable
from erphub.platform.problem_types import FieldProblemType, ProblemType
from erphub.platform.problems import TABLE_BUSY

LICENCES_USED_UP = ProblemType(
    Conflict,
    "licences_used_up",
    "{licences_wanted} more {what}, and {licences_used} of {licences_allowed} are used.",
    "Choose fewer companies, or ask for more licences.",
    members=(
        "licences_allowed",
        "licences_used",
        "licences_wanted",
    ),
)
COMPANY_CONNECTED = ProblemType(
    Conflict,
    "company_connected",
    "Another connection of your customer already has {names}.",
    "Use that connection (its documents go to several companies by locations in its sync's settings), edit it so "
    "that it no longer has the company, ask its owner for access, or choose other companies.",
    members=("companies",),
)
TOO_MANY_CHOOSING = TABLE_BUSY.ending(Unavailable).saying(
    "Too many are choosing companies at this moment.", "Try again."
)
COMPANY_FREE = FieldProblemType("company_free", "No other connection has this company.")
