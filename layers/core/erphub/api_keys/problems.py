"""Problems of API keys."""

from erphub.platform.errors import Conflict, Forbidden, NotFound
from erphub.platform.problem_types import FieldProblemType, ProblemType

NETWORK_FORM = FieldProblemType(
    "network_form", "A network is written as 192.0.2.0/24 or 2001:db8::/32, with zeros behind its length."
)
PERSON_NEEDED = ProblemType(Forbidden, "person_needed", "API keys are made, rotated and revoked by people alone.")
EXPIRES_IN_PAST = FieldProblemType("expires_in_past", "This is in the past.", "Give a later time, or none.")
API_KEY_EXPIRED = ProblemType(Conflict, "api_key_expired", "This API key has expired.", "Give it a new expires_at.")
TOO_MANY_SECRETS = ProblemType(Conflict, "too_many_secrets", "{said} them end then.")
API_KEY_NOT_FOUND = ProblemType(NotFound, "api_key_not_found", "There is no such API key.")
ROLE_UNKNOWN = FieldProblemType("role_not_found", "The customer has no role of this name.")
NETWORK_NOT_ALLOWED = ProblemType(
    Forbidden,
    "network_not_allowed",
    "This API key may not be used from your address.",
    "Ask who made it for your network to be added.",
)
