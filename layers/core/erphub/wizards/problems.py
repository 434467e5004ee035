"""Problems of the dialogue that connects an ERP system."""

from erphub.platform.errors import Conflict, Gone, Invalid, NotFound, Unavailable
from erphub.platform.problem_types import FieldProblemType, ProblemType
from erphub.platform.problems import INVALID_REQUEST, REQUIRED, UNAVAILABLE, VERSION_CONFLICT

WIZARD_NOT_FOUND = ProblemType(NotFound, "wizard_not_found", "There is no such wizard.")
NOTHING_LISTED = ProblemType(Invalid, "nothing_listed", "This step is not chosen from what the ERP lists.")
STEP_ANSWERED = ProblemType(Conflict, "step_answered", "The wizard has moved on.", "Look at it again, then answer.")
WIZARD_MOVED_ON = VERSION_CONFLICT.saying("The wizard has moved on.", "Look at it again, then answer.")
WIZARD_AT_WORK = ProblemType(
    Conflict, "step_not_open", "The wizard is still working on an answer.", "Look at it again in a moment."
)
STEP_COMES_LATER = WIZARD_AT_WORK.saying("This step comes later. The wizard waits for an answer to {missing}.")
STEP_BEING_ANSWERED = ProblemType(Conflict, "step_being_answered", "Another answer is being taken at this moment.")
STEP_UNFINISHED = ProblemType(
    Conflict, "step_unfinished", "The last answer to {step} was cut off.", "Answer that step again first."
)
NO_COMPANY = FieldProblemType("no_company", "The login cannot open any company.")
COMPANY_UNKNOWN = FieldProblemType("company_unknown", "No such company was found.")
CONNECTION_CHANGES_TOO_FAST = VERSION_CONFLICT.saying(
    "The connection changes faster than it can be edited.", "Try again."
)
CONNECTION_CHANGED = ProblemType(
    Conflict,
    "connection_changed",
    "The connection was changed by somebody else while you edited it.",
    "Look at what changed, then start the edit again.",
    members=(
        "changed",
        "changed_at",
    ),
)
WIZARD_CHANGES_TOO_FAST = VERSION_CONFLICT.saying("The wizard changes faster than it can be ended.", "Try again.")
WIZARD_FINISHED = ProblemType(Conflict, "wizard_finished", "The wizard has finished; the connection is there.")
CONNECTION_JUST_CREATED = WIZARD_FINISHED.saying("The connection has just been created.", "Delete it instead.")
CHOICES_NOT_FOUND = ProblemType(NotFound, "choices_not_found", "The wizard lists nothing under that name.")
SYSTEM_REQUIRED = REQUIRED.saying("Name the ERP system to connect, or a connection to edit.")
STEP_ONLY_FOR_EDITS = FieldProblemType("not_applicable", "Only an edit begins at a step of your choice.")
CONNECTION_CREATED = WIZARD_FINISHED.saying("The connection has been created.", "Delete it instead.")
SYSTEM_FIXED = STEP_ONLY_FOR_EDITS.saying("A connection is edited with the system it has.")
NOT_SWEPT = ProblemType(Unavailable, "not_swept", "{failed} of what is overdue could not be swept.")
NOT_TRIED_OUT = UNAVAILABLE.saying(
    "It could not be tried out just now. Nothing is lost: answer the step again in a minute."
)
WIZARD_FAILED = ProblemType(Gone, "wizard_failed", "The wizard has failed.", "Start a new one.")
WIZARD_ABORTED = WIZARD_FAILED.saying("The wizard was ended from outside.", "Start a new one.")
STEP_NOT_FOUND = ProblemType(NotFound, "step_not_found", "The wizard has no such step.")
COMPANY_NOT_ACCESSIBLE = FieldProblemType("company_not_accessible", "{problem}")
COMPANIES_NOT_USABLE = INVALID_REQUEST.saying("Some of the companies cannot be used.", "See `errors`.")
CHOICES_NOT_USABLE = INVALID_REQUEST.saying("Some of what was chosen cannot be used.", "See `errors`.")
CHOICE_UNKNOWN = FieldProblemType(
    "choice_unknown", "The ERP does not offer this.", "Look at the list again, or have it refreshed."
)
CHOICE_REQUIRED = FieldProblemType(
    "choice_required", "{company_name} has {count} of them: choose at least one, or all."
)
WIZARD_CANCELLED = ProblemType(Gone, "wizard_cancelled", "The wizard has been cancelled.", "Start a new one.")
WIZARD_EXPIRED = ProblemType(Gone, "wizard_expired", "The wizard has expired.", "Start a new one.")
