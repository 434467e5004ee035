"""Problems that every capability can tell of: requests, forms, limits, and the services that the hub runs on."""

from erphub.platform.errors import (
    BadHeader,
    Conflict,
    ErpRefused,
    Gone,
    HubError,
    Invalid,
    LimitReached,
    Malformed,
    NotFound,
    NotSignedIn,
    PreconditionFailed,
    SecretGone,
    ServiceBusy,
    TooLarge,
    TooMany,
    Unavailable,
    UnsupportedMediaType,
)
from erphub.platform.problem_types import FieldProblemType, ProblemType

# Requests

INVALID_REQUEST = ProblemType(
    Invalid,
    "invalid_request",
    "Something in the request is not valid; `errors` says what.",
    members=("errors",),
)
MALFORMED_JSON = ProblemType(Malformed, "malformed_json", "The body is not valid JSON.")
BODY_NOT_UTF8 = ProblemType(Malformed, "malformed_json", "The body is no text in UTF-8.")
NOT_JSON = ProblemType(Malformed, "malformed_json", "This is not valid JSON.")
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    UnsupportedMediaType,
    "unsupported_media_type",
    "This is no file of a kind that is read.",
    "Send the file with one of these as Content-Type: {file_types}.",
)
BODY_TOO_LARGE = ProblemType(TooLarge, "body_too_large", "A request may have at most {maximum} KB.")
NOT_SIGNED_IN = ProblemType(
    NotSignedIn,
    "not_signed_in",
    "The request does not say who is calling.",
    "Sign in, and send an ID token, an access token or an API key as Authorization: Bearer.",
)
SIGN_IN_EXPIRED = ProblemType(NotSignedIn, "sign_in_expired", "What you signed in with has expired.", "Sign in again.")
ROUTE_NOT_FOUND = ProblemType(NotFound, "route_not_found", "There is no such address.")
ADDRESS_NOT_FOUND = ProblemType(NotFound, "not_found", "There is nothing at this address, or nothing you may see.")
IDEMPOTENCY_KEY_REUSED = ProblemType(
    Invalid, "idempotency_key_reused", "This Idempotency-Key came before with another request.", "Use a new one."
)
IDEMPOTENCY_KEY_IN_USE = ProblemType(
    Conflict,
    "idempotency_key_in_use",
    "The first request with this Idempotency-Key is still being worked on.",
    "Wait a moment, then send it again.",
)
IDEMPOTENCY_KEY_INVALID = ProblemType(
    BadHeader,
    "idempotency_key_invalid",
    "{header} has 1 to {longest} visible ASCII characters without spaces; in double quotes, spaces too.",
    "Make a new one for each request, such as a UUID.",
    members=("header",),
)
IF_MATCH_INVALID = ProblemType(
    BadHeader,
    "if_match_invalid",
    '{header} is * or a list of entity tags in double quotes, such as "7-9c56cc51b374c3ba".',
    "Send the ETag of the answer that the change was made from.",
    members=("header",),
)
IF_NONE_MATCH_INVALID = ProblemType(
    BadHeader,
    "if_none_match_invalid",
    "A write takes {header} with * alone: it is done if there is nothing yet.",
    "To change what is there as it was read, send If-Match.",
    members=("header",),
)
PRECONDITIONS_DISAGREE = IF_NONE_MATCH_INVALID.saying(
    "{header}: a write takes one of them.", "Send If-Match to change what is there, If-None-Match: * to make it."
)
PRECONDITION_FAILED = ProblemType(
    PreconditionFailed,
    "precondition_failed",
    "What is there is not what {header} asks for: somebody changed, made or removed it in the meantime.",
    "Read it again, then decide.",
    members=("header",),
)
NO_VERSION_HERE = ProblemType(
    PreconditionFailed,
    "no_version_here",
    "Nothing at this address has a version that {header} could be about.",
    "Send the request without it.",
    members=("header",),
)
VERSION_CONFLICT = ProblemType(
    Conflict, "version_conflict", "It was changed by somebody else in the meantime.", "Read it again, then decide."
)
RATE_EXCEEDED = ProblemType(
    TooMany,
    "limit_reached",
    "There may be {maximum:,} of these in a {window}: {summary}.",
    "Try again in {retry_after} seconds, or ask for a higher limit.",
    members=(
        "limit",
        "maximum",
        "window_seconds",
        "retry_after",
    ),
)
STOCK_EXHAUSTED = ProblemType(
    LimitReached,
    "limit_reached",
    "There may be {maximum:,} of these: {summary}.",
    "Remove one, or ask for a higher limit.",
    members=(
        "limit",
        "maximum",
    ),
)
INTERNAL_ERROR = ProblemType(
    HubError, "internal_error", "Something went wrong here.", "Tell us the correlation id.", members=("correlation_id",)
)

# Fields: the same words wherever something is filled in or sent

REQUIRED = FieldProblemType("required", "This is needed.")
VERSION_REQUIRED = REQUIRED.saying(
    "A change needs the version that it was made from.", "Send `version`, or the ETag as If-Match."
)
UNKNOWN_FIELD = FieldProblemType("unknown_field", "There is no such field.")
NOT_VALID = FieldProblemType("not_valid", "This is not valid.")
NOT_VALID_BECAUSE = NOT_VALID.saying("{reason}.")
NOT_A_MULTIPLE = NOT_VALID.saying("This must be a multiple of {multiple_of}.")
WRONG_TYPE = FieldProblemType("wrong_type", "This must be {expected}.")
TEXT_NEEDED = WRONG_TYPE.saying("This must be a text.")
OBJECT_NEEDED = WRONG_TYPE.saying("This must be an object.")
LIST_NEEDED = WRONG_TYPE.saying("This must be a list.")
FLAG_NEEDED = WRONG_TYPE.saying("This must be true or false.")
WHOLE_NUMBER_NEEDED = WRONG_TYPE.saying("This must be a whole number.")
NUMBER_NEEDED = WRONG_TYPE.saying("This must be a number.")
NULL_NEEDED = WRONG_TYPE.saying("This must be null.")
NOT_A_CHOICE = FieldProblemType("not_a_choice", "Choose one of: {expected}.")
NOT_A_KIND = NOT_A_CHOICE.saying("Choose one of: {expected_tags}.")
KIND_REQUIRED = REQUIRED.saying("Say by {discriminator} which it is.")
BAD_FORM = FieldProblemType("bad_form", "This does not have the expected form.")
NO_UUID = BAD_FORM.saying("This must be a UUID.")
DATE_FORM = FieldProblemType("date_form", "A day is written as 2026-03-05, without a time.")
TIME_FORM = FieldProblemType("time_form", "A time is written as 08:30:00.")
INSTANT_FORM = FieldProblemType("instant_form", "An instant is written with its zone, as 2026-03-05T08:30:00Z.")
DURATION_FORM = FieldProblemType("duration_form", "A duration is written as PT1H30M.")
ADDRESS_FORM = FieldProblemType("address_form", "This must be an address such as https://example.com/.")
AMOUNT_FORM = FieldProblemType("decimal_form", "An amount is written with digits and a point, as 1250.00.")
DECIMAL_FORM = AMOUNT_FORM.saying(
    "An amount is written with digits and a point, as 1250.00 or as text, without an exponent."
)
INTEGER_FORM = FieldProblemType("integer_form", "A number is written with the digits 0 to 9.")
BOOLEAN_FORM = FieldProblemType("boolean_form", "Write true or false.")
DATE_UNKNOWN = FieldProblemType("date_unknown", "There is no such day.")
TOO_LATE = FieldProblemType("too_late", "This must lie in the past.")
TOO_EARLY = FieldProblemType("too_early", "This must lie in the future.")
TOO_SHORT = FieldProblemType("too_short", "This needs at least this many characters: {min_length}.")
TOO_FEW_BYTES = TOO_SHORT.saying("This needs at least this many bytes: {min_length}.")
TOO_LONG = FieldProblemType("too_long", "This may have at most {max_length} characters.")
TOO_MANY_BYTES = TOO_LONG.saying("This may have at most {max_length} bytes.")
TOO_FEW = FieldProblemType("too_few", "There must be at least {min_length}.")
TOO_MANY = FieldProblemType("too_many", "There may be at most {max_length}.")
TOO_SMALL = FieldProblemType("too_small", "This must be {ge} or more.")
NOT_MORE = TOO_SMALL.saying("This must be more than {gt}.")
TOO_GREAT = FieldProblemType("too_large", "This must be {le} or less.")
NOT_LESS = TOO_GREAT.saying("This must be less than {lt}.")
TOO_MANY_DIGITS = FieldProblemType("too_many_digits", "This may have at most {max_digits} digits.")
TOO_MANY_WHOLE_DIGITS = TOO_MANY_DIGITS.saying(
    "Before the point this may have at most this many digits: {whole_digits}."
)
TOO_MANY_DECIMALS = FieldProblemType("too_many_decimals", "This may have at most this many decimals: {decimal_places}.")
NO_JSON = FieldProblemType("malformed_json", "This is not valid JSON.")
TOO_DEEP = FieldProblemType("too_deep", "This is nested too deeply.")
NAME_EMPTY = FieldProblemType("name_empty", "Enter a name.")
NAME_TOO_LONG = FieldProblemType("name_too_long", "A name may have at most {longest} characters.")
HIDDEN_CHARACTER = FieldProblemType(
    "hidden_character",
    "Here stands a character that nobody sees or that turns the direction: {called}.",
    "Send it without.",
)
TEXT_BLANK = FieldProblemType("text_blank", "There is nothing to read in this.", "Write something.")
NEXT_INVALID = FieldProblemType("next_invalid", "This is not a `next` that this list gave.")
OBJECT_REQUIRED = FieldProblemType("object_required", "The body must be a JSON object.")
VERSION_DISAGREES = FieldProblemType(
    "version_disagrees",
    "The version in the body is another one than {header} names.",
    "Send one of the two, or both from the same answer.",
    field="/version",
)
URL_INVALID = FieldProblemType("url_invalid", "This is no address of the form https://host/path.")
URL_NOT_ASCII = FieldProblemType("url_invalid", "Write the address in ASCII, without spaces.")
URL_WITH_MORE = FieldProblemType("url_invalid", "Leave user, password and fragment out of the address.")
HTTPS_REQUIRED = FieldProblemType("https_required", "Messages are sent over HTTPS alone.")

# Services that the hub itself runs on

TABLE_BUSY = ProblemType(ServiceBusy, "table_busy", "The table is busy.", "Try again in a moment.")
STORAGE_BUSY = ProblemType(
    ServiceBusy, "storage_busy", "The hub cannot reach its own storage.", "Try again in a moment."
)
MACHINE_BUSY = ProblemType(ServiceBusy, "machine_busy", "The work could not be started.", "Try again in a moment.")
LAKE_UNAVAILABLE = ProblemType(
    Unavailable, "lake_unavailable", "The lake's storage did not answer as it should.", "Try again in a moment."
)
NOT_ALL_REMOVED = LAKE_UNAVAILABLE.ending(ServiceBusy).saying(
    "Some of it could not be removed yet.", "Try again in a moment."
)
OBJECT_DIFFERS = ProblemType(Conflict, "object_differs", "Another content is stored under the name {name} already.")
SECRETS_BUSY = ProblemType(ServiceBusy, "secrets_busy", "The password store is busy.", "Try again in a moment.")
SECRET_BEING_MOVED = SECRETS_BUSY.saying("It was changed while it was moved.", "Try again in a moment.")
SECRET_GONE = ProblemType(SecretGone, "secret_gone", "The password is no longer kept.", "Enter it again.")
SECRET_UNREADABLE = ProblemType(
    NotFound, "secret_unreadable", "The password that is kept can no longer be read.", "Enter it again."
)
TOKEN_EXPIRED = ProblemType(Gone, "token_expired", "It no longer waits for an answer.")
UNAVAILABLE = ProblemType(Unavailable, "unavailable", "This is not available just now.", "Try again in a moment.")
LIST_UNAVAILABLE = UNAVAILABLE.saying("The list cannot say where it goes on.", "Try again.")

# Servers that are called

HOST_UNKNOWN = ProblemType(Unavailable, "host_unknown", "No server is known by the name {host}.", "Check its spelling.")
ADDRESS_NOT_ALLOWED = ProblemType(
    ErpRefused,
    "address_not_allowed",
    "{host} leads to an internal address. The hub connects to servers on the public internet, and to networks "
    "that its operator has allowed.",
)
NOT_REACHED = ProblemType(
    Unavailable,
    "not_reached",
    "No HTTPS server that the hub may connect to answered at {host}, port {port}, within {seconds:.0f} seconds.",
    "Check the address; that the server is up, speaks HTTPS there and answers in time; and that it is on the "
    "public internet, or in a network that the hub's operator has allowed.",
)
TLS_FAILED = ProblemType(ErpRefused, "tls_failed", "The certificate of {host} is not trusted: {reason}.")
CONNECTION_CUT = ProblemType(Unavailable, "connection_cut", "The connection to the server broke.", "Try again later.")
PROTOCOL_BROKEN = CONNECTION_CUT.saying(
    "The server sent what its protocol does not know, so the connection to it was ended."
)
ANSWER_TOO_LARGE = ProblemType(
    ErpRefused,
    "answer_too_long",
    "The server answers with more than {maximum} MB where a few rows were asked for.",
    "Look for texts of that length in the table that is read.",
)
FILE_REPLACED = ProblemType(
    Conflict, "file_replaced", "The file was replaced while it was read.", "Open another upload for the other file."
)
FILE_MISSING = ProblemType(NotFound, "file_missing", "The file has not been uploaded.")
