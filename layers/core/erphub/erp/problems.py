"""Problems with ERP systems that any of them can have, and with what they are asked."""

from erphub.platform.errors import ErpRefused, Invalid, NotFound, ServiceBusy, Unavailable
from erphub.platform.problem_types import FieldProblemType, ProblemType, Reason
from erphub.platform.problems import INVALID_REQUEST, REQUIRED, TOO_FEW, TOO_MANY, TOO_SHORT, UNKNOWN_FIELD


class ReaderFailed(Unavailable):
    """What reads the source failed, not the source: a slice that is read `cautiously` may well succeed."""

    code = "reader_failed"


KEY_BUSY = ProblemType(ServiceBusy, "key_busy", "The key for tokens is busy.", "Try again in a moment.")
UNKNOWN_ERP_SYSTEM = ProblemType(
    NotFound, "unknown_erp_system", "There is no ERP system called {erp_system!r}. GET /erp-systems lists them."
)
DECIMAL_TOO_WIDE = ProblemType(
    ErpRefused,
    "decimal_too_wide",
    "The column {name} needs {whole} digits before and {scale} after the decimal point in different companies, "
    "and no exact decimal holds more than 38 in all.",
    "Ask the ERP's administrator to narrow it.",
)
SECRET_NEEDED_AGAIN = FieldProblemType(
    "secret_needed_again", "{title} is needed again, because what it was given for has changed."
)
NOT_AN_OBJECT = ProblemType(Invalid, "not_an_object", "Send the step's fields as a JSON object.")
NO_FIELD_OF_STEP = UNKNOWN_FIELD.saying("This step has no such field.")
NOT_APPLICABLE = FieldProblemType("not_applicable", "This field does not belong to the choice made above.")
EMPTY = TOO_SHORT.saying("This must not be empty.")
TOO_FEW_CHOSEN = TOO_FEW.saying("Choose at least {minimum}.")
TOO_MANY_CHOSEN = TOO_MANY.saying("Choose at most {maximum}.")
REPEATED = FieldProblemType("repeated", "The same value stands here twice.")
NONE_CHOSEN = TOO_FEW.saying("At least one is needed.")
ERP_BUSY = ProblemType(
    Unavailable,
    "erp_busy",
    "{why} Nothing is lost; it goes on by itself at {until:%Y-%m-%d %H:%M:%S} UTC.",
    members=("retry_after", "retry_at"),
)
DATASET_NOT_MAPPED = ProblemType(
    ErpRefused, "dataset_not_mapped", "No table is mapped for {title} in this connection.", "Map one, or leave it out."
)
COLUMN_NAME_REQUIRED = REQUIRED.saying("Name a column, or leave the field out.")
NUMBER_TOO_WIDE = DECIMAL_TOO_WIDE.saying("{name}: the number {value:.20g} has more digits than can be held exactly.")
HOST_UNKNOWN = ProblemType(Unavailable, "host_unknown", "{host} has no address at the moment.", "Try again later.")
ERP_UNREACHABLE = ProblemType(Unavailable, "erp_unreachable", "{host} does not answer.", "Try again later.")
TLS_UNTRUSTED_CERTIFICATE = ProblemType(
    ErpRefused,
    "tls_untrusted_certificate",
    "The certificate of {host} is not one to trust, so nothing was sent.",
    "Tell the hub's operator.",
)
ANSWERS_INVALID = INVALID_REQUEST.saying("Some of the answers need another look.", "See `errors`.")
ANSWER_REQUIRED = REQUIRED.saying("{needed}")
SETTLEMENT_UNBALANCED = FieldProblemType(
    "settlement_does_not_balance", "The settlement does not balance: sales and payments differ by {difference}."
)

# What reading finds in rows, told with a run

TEXT_NOT_UNICODE = Reason("text_not_unicode", "A text holds what no character is; that is replaced.")
DECIMALS_ROUNDED = Reason("decimals_rounded", "A number has more decimals than its column holds; it is rounded.")
ACTOR_TYPE_NOT_SUPPORTED = ProblemType(ErpRefused, "actor_type_not_supported", "{reason}")
