"""What the SOAP service answers to a user who signs in: only a plain refusal needs a person, all else is waited for.

| answer | meaning |
|---|---|
| 200, `LoginResponse` with one token as its result | signed in |
| 200, `LoginResponse` whose result is empty or absent | wrong user, password, application or identity |
| a fault in one of `PLAIN` whose words say that the credentials are wrong, or the identity is blocked | that |
| such a fault that speaks of access or a licence | signed in, and not allowed to do this |
| any other fault, status, a page, no body, one that was cut, 200 with another answer | again later |

A fault comes with status 500 (SOAP 1.1, 6.2), so that a status says little. Of a gateway's statuses (502, 503, 504 …)
no words are believed, and none that speak of what passes ("Login failed: the database is not available").
"""

import re
from typing import TYPE_CHECKING

from erphub.erp.systems.twentyfourseven import outcomes
from erphub.erp.systems.twentyfourseven.xml import text
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Unavailable
from erphub.platform.redaction import clean_text

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.xml import Element

OPERATIONS = frozenset({"Login", "GetIdentitiesWithCredential"})
PLAIN = frozenset({200, 400, 401, 403, 500})
"""Statuses with which the service itself speaks, and nothing between it and us."""
_BLOCKED_IDENTITY = re.compile(r"IdentityId is blocked", re.IGNORECASE)
_WRONG_CREDENTIALS = re.compile(r"invalid credential|wrong (?:user|password)|login failed", re.IGNORECASE)
_NO_ACCESS = re.compile(r"access (?:is )?denied|no access|not authorized|permission|license", re.IGNORECASE)
_PASSING = re.compile(
    r"time[ -]?d?[ -]?out|unavailable|not available|tempor|try again|later|deadlock|overload|too many|busy|maintenance"
    r"|\b(?:database|network|connection|service)\b",
    re.IGNORECASE,
)
_SESSION = re.compile(r"[\x21-\x3a\x3c-\x7e]{1,200}")


def session(result: "Element | None") -> str:
    """The session of Login's result. Raises CredentialsRefused, Unavailable."""
    try:
        found = (text(result) or "").strip()
    except ValueError as error:
        raise outcomes.unreadable(writes=False) from error
    if not found:
        raise outcomes.credentials_refused("Login answered with no session")
    if not _SESSION.fullmatch(found):
        raise outcomes.unreadable(writes=False)
    return found


def words_of(fault: "Element") -> str:
    """What a fault says, of SOAP 1.1 or 1.2; nothing when it is no text."""
    try:
        said = text(fault, "faultstring") or text(fault, "Reason", "Text") or ""
    except ValueError:
        return ""
    return clean_text(said.strip())[:500]


def credentials_refused(words: str, status: int) -> CredentialsRefused | None:
    """What a fault's words say against the credentials, whatever was called; None when they say nothing plain."""
    if status not in PLAIN or _PASSING.search(words):
        return None
    if _BLOCKED_IDENTITY.search(words):
        return CredentialsRefused(
            "24SevenOffice has blocked the identity that this connection uses. Choose the company again in the"
            " connection, or ask 24SevenOffice to lift the block.",
            code="identity_blocked",
            words=words,
        )
    return outcomes.credentials_refused(words) if _WRONG_CREDENTIALS.search(words) else None


def permission_denied(words: str) -> ErpRefused | None:
    """What a fault's words say against the user's rights; None when they speak of something else."""
    return outcomes.permission_denied(words) if _NO_ACCESS.search(words) else None


def refusal(words: str, status: int) -> HubError:
    """What a fault means that answers to signing in."""
    plain = credentials_refused(words, status)
    if plain is None and status in PLAIN and not _PASSING.search(words):
        return permission_denied(words) or later(words, status)
    return plain or later(words, status)


def later(words: str, status: int) -> Unavailable:
    """The service is not itself."""
    return Unavailable(
        f"24SevenOffice could not let the connection's user in just now ({status}). Try again later.",
        code="erp_error",
        words=words,
    )
