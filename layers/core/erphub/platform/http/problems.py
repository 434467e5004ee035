"""Problems that API Gateway answers by itself, before a function or in its place (`local/api_definition.py`)."""

from erphub.platform.errors import AnswerLate, Forbidden, Malformed, TooMany, Unavailable, Uncertain
from erphub.platform.problem_types import ProblemType
from erphub.platform.problems import BODY_TOO_LARGE, NOT_SIGNED_IN, UNSUPPORTED_MEDIA_TYPE

SIGN_IN_REFUSED = NOT_SIGNED_IN.saying(
    "What was sent as a sign-in has expired, was revoked, or is none.",
    "Sign in again, and send an ID token, an access token or an API key as Authorization: Bearer.",
)
SIGN_IN_UNAVAILABLE = ProblemType(
    Unavailable, "sign_in_unavailable", "Who you are could not be checked.", "Try again in a few seconds."
)
REQUEST_REFUSED = ProblemType(
    Forbidden, "forbidden", "The request was refused before the hub read it.", "Ask whoever operates the hub."
)
BAD_REQUEST = ProblemType(
    Malformed,
    "bad_request",
    "The request is none that can be read.",
    "Look at its address, its parameters, its headers and its body.",
)
REQUEST_TOO_LARGE = BODY_TOO_LARGE.saying("The request is larger than what is accepted.", "Send less at once.")
MEDIA_TYPE_NOT_READ = UNSUPPORTED_MEDIA_TYPE.saying(
    "This media type is not read.", "Send JSON as application/json, or a file as the description of the address says."
)
TOO_MANY_REQUESTS = ProblemType(
    TooMany, "too_many_requests", "These are too many requests at once.", "Try again in a few seconds."
)
QUOTA_USED_UP = TOO_MANY_REQUESTS.saying("These are too many requests for now.", "Try again later.")
NO_ANSWER = ProblemType(
    Uncertain,
    "no_answer",
    "The hub gave no answer.",
    "Look whether it was done, or send the same again with the same Idempotency-Key.",
)
TIMEOUT = ProblemType(
    AnswerLate,
    "timeout",
    "The answer took too long; the work may have been done nevertheless.",
    "Look whether it was done, or send the same again with the same Idempotency-Key.",
)
