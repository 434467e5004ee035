"""Problems of links: CRM records, and what they are linked to."""

from erphub.platform.errors import Conflict, ErpRefused, NotFound, TooLarge
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
UNKNOWN_ACTOR_TYPE = ProblemType(
    NotFound,
    "actor_type_not_found",
    "There is no type of actors {actor_type!r}.",
    "Ask for customer, supplier, partner, person or project.",
)
NO_ACTORS = ProblemType(
    ErpRefused, "actor_type_not_supported", "The hub reads no customers or suppliers of this ERP system for links."
)
ACTORS_NOT_SUPPORTED = NO_ACTORS.saying("{reason}")
FIELD_MAPPED_TWICE = FieldProblemType("field_mapped_twice", "{field} is in another pair as well.")
FED_BY_ANOTHER_CONNECTION = FieldProblemType(
    "fed_by_another_connection", "Another connection writes {field} of the CRM already: one of them can."
)
ERP_FIELD_UNKNOWN = FieldProblemType("erp_field_unknown", "The ERP has no field {field}.")
ERP_FIELD_READ_ONLY = FieldProblemType("erp_field_read_only", "{field} cannot be written in the ERP.")
TYPES_DO_NOT_FIT = FieldProblemType(
    "types_do_not_fit", "The CRM's field holds {crm_type}, the ERP's {erp_type}: values cannot go this way."
)
DEFAULT_TOO_LONG = FieldProblemType("default_too_long", "The ERP keeps {maximum} characters of {field}.")
NOT_A_LIST = FieldProblemType("not_a_list", "{field} takes no items of a list.")
ITEMS_NOT_MAPPED = FieldProblemType("items_not_mapped", "No item of the list is mapped.")
ITEM_MAPPED_TWICE = FieldProblemType("item_mapped_twice", "{item} is in another pair of items as well.")
ITEM_UNKNOWN = FieldProblemType("item_unknown", "The ERP's list has no item {item}.")
MANDATORY_NOT_MAPPED = FieldProblemType(
    "mandatory_not_mapped", "The ERP wants {field} of every actor: map it towards the ERP, or do not allow creation."
)
NOTHING_IS_KEPT_IN_STEP = FieldProblemType("nothing_mapped", "No pair of fields has a direction.")
