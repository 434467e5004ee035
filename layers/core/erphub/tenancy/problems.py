"""Problems of customers, clients, roles and members, and of what callers may do."""

from erphub.platform.errors import Conflict, Forbidden, Gone, Invalid, NotFound, NotSignedIn, ServiceBusy, Unavailable
from erphub.platform.problem_types import FieldProblemType, ProblemType
from erphub.platform.problems import VERSION_CONFLICT

CUSTOMER_NOT_FOUND = ProblemType(
    NotFound, "customer_not_found", "There is no such customer, or you do not belong to it."
)
PERMISSION_MISSING = ProblemType(
    Forbidden,
    "permission_missing",
    "Your role here does not include {permission}.",
    "Ask an administrator of the client.",
    members=("permission",),
)
API_KEY_REVOKED = ProblemType(NotSignedIn, "api_key_revoked", "This API key was revoked.", "Use another one.")
CLIENT_NOT_FOUND = ProblemType(NotFound, "client_not_found", "There is no such client, or you are no member of it.")
PLATFORM_ADMINISTRATORS_ONLY = ProblemType(
    Forbidden, "platform_administrators_only", "Only administrators of the platform may do this."
)
CUSTOMER_ADMINISTRATORS_ONLY = ProblemType(
    Forbidden, "customer_administrators_only", "Only administrators of the customer may do this."
)
EMAIL_UNCONFIRMED = ProblemType(
    Conflict,
    "email_unconfirmed",
    "Somebody signs in with this address who has not shown that it is theirs.",
    "Name them by their id, or have them confirm the address first.",
)
INVITATION_NOT_SENT = ProblemType(
    Unavailable,
    "invitation_not_sent",
    "No invitation could be mailed just now.",
    "Try again later, and tell us when it stays so.",
)
ADDRESS_NOT_TAKEN = ProblemType(Invalid, "address_invalid", "The sign-in service does not take this e-mail address.")
CLIENT_GONE = CLIENT_NOT_FOUND.saying("There is no such client any more.")
ADMINISTRATOR_NOT_FOUND = ProblemType(NotFound, "administrator_not_found", "The customer has no such administrator.")
LAST_ADMINISTRATOR = ProblemType(
    Conflict, "last_administrator", "This is the customer's last administrator.", "Add another first."
)
CUSTOMER_GONE = CUSTOMER_NOT_FOUND.saying("There is no such customer.")
ROLE_NOT_FOUND = ProblemType(NotFound, "role_not_found", "The customer has no role of this name.")
ROLE_REMOVED = ROLE_NOT_FOUND.saying("The customer no longer has this role.")
ROLE_IN_USE = ProblemType(Conflict, "role_in_use", "Somebody still has this role.", "Give them another one first.")
INVITATION_ENDED = ProblemType(
    Gone,
    "invitation_ended",
    "This invitation has ended: it was withdrawn, changed or declined, or its time is over.",
    "See `GET /me` for those that are open, or ask to be invited again.",
)
INVITATION_CHANGED = VERSION_CONFLICT.saying("It changed just now.", "Try again.")
INVITATION_ACCEPTED = ProblemType(Conflict, "invitation_accepted", "You have accepted this invitation already.")
INVITATION_NOT_FOUND = ProblemType(NotFound, "invitation_not_found", "There is no such invitation, or it is not yours.")
ROLE_GONE = ProblemType(Conflict, "role_gone", "The role you were invited to is gone.", "Ask to be invited again.")
NOT_SWEPT = ProblemType(Unavailable, "not_swept", "{failed} invitations could not be ended.")
LIMIT_NOT_FOUND = ProblemType(NotFound, "limit_not_found", "There is no such limit.")
LIMIT_OF_ANOTHER = ProblemType(Invalid, "limit_of_another", "This limit is one of each {scope}.")
CLIENT_UNKNOWN = FieldProblemType("client_not_found", "The customer has no such client.")
ROLE_EXCEEDS_OWN = ProblemType(
    Forbidden, "role_exceeds_own", "This role allows more than your own.", "Ask an administrator."
)
ROLE_UNKNOWN = FieldProblemType("role_not_found", "The customer has no role of this name.")
MEMBER_NOT_FOUND = ProblemType(NotFound, "member_not_found", "There is no such member.")
MEMBER_IS_PROGRAM = ProblemType(Conflict, "member_is_program", "This member is a program. Revoke its API key instead.")
LAST_MEMBER_WHO_MANAGES = LAST_ADMINISTRATOR.saying(
    "This is the last member who can manage members.", "Give somebody else such a role first."
)
USER_UNKNOWN = FieldProblemType("user_unknown", "There is no such user.", "Give an e-mail address to invite one.")
ADDRESS_INVALID = FieldProblemType(
    "address_invalid",
    "This is no e-mail address that can sign in.",
    "Use letters a to z, digits and single dots between.",
)
ROLE_NAME_INVALID = FieldProblemType("role_name_invalid", "A role's name has small letters, digits and hyphens.")
ROLE_PROTECTED = ProblemType(Conflict, "role_protected", "Administrators must be able to manage members.")
ADMINISTRATOR_ROLE_STAYS = ROLE_PROTECTED.saying("The role of administrators stays.")
SIGN_IN_BUSY = ProblemType(ServiceBusy, "sign_in_busy", "The sign-in service is busy.", "Try again in a moment.")
CONNECTION_NOT_FOUND = ProblemType(NotFound, "connection_not_found", "There is no such connection.")
