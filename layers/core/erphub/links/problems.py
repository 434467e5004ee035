"""Problems of links: CRM records, and what they are linked to."""

from erphub.platform.errors import Conflict, NotFound, TooLarge
from erphub.platform.problem_types import FieldProblemType, ProblemType

CRM_RECORD_NOT_FOUND = ProblemType(
    NotFound, "crm_record_not_found", "The hub has no such CRM record.", "Hand it in first."
)
UNKNOWN_CRM_ENTITY = CRM_RECORD_NOT_FOUND.saying(
    "There are no CRM records of the kind {entity!r}.", "Ask for a company, a contact or a project."
)
ANOTHER_CRM = ProblemType(
    Conflict,
    "another_crm",
    "This client's records come from {crm}, and a client has one CRM.",
    "Delete its records first, or hand these in for a client of their own.",
    members=("crm",),
)
CRM_RECORD_OUTDATED = ProblemType(
    Conflict,
    "crm_record_outdated",
    "The hub has revision {revision} of the record already; this one is older, or another of that number.",
    "Hand in the record as it is now.",
    members=("revision",),
)
CRM_RECORD_TOO_LARGE = ProblemType(
    TooLarge, "crm_record_too_large", "A CRM record may have {maximum} KB of names and values of fields."
)
CRM_RECORD_TWICE = FieldProblemType("crm_record_twice", "The same record stands in the list already.")
RECORD_ID_INVALID = FieldProblemType(
    "record_id_invalid", "A record's id has 1 to 100 of the characters A–Z, a–z, 0–9, `.`, `_`, `:`, `@`, `~` and `-`."
)
