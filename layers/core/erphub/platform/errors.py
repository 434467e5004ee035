"""What can go wrong, sorted by what the caller does next.

    HubError
     ├── NotFound          nothing there, or nothing you may know of
     ├── NotSignedIn       say who you are
     ├── Forbidden         there, but not yours to do
     ├── Invalid           mend the request and send it again
     │    ├── TooLarge     send less
     │    ├── Malformed    send JSON
     │    ├── BadHeader    send the header in its form, or none
     │    └── UnsupportedMediaType   send it as another kind of file
     ├── Conflict          somebody or something was first: look, then decide
     │    └── LimitReached one more than there may be: remove one, or have the limit raised
     ├── PreconditionFailed   it is no longer what the request is for: look, then decide
     ├── TooMany           more than there may be in this time: the same again later
     ├── Gone              it was there and has ended; start anew
     ├── ErpRefused        the ERP said no: a person must change something there or in the connection
     │    └── CredentialsRefused   the ERP does not accept who we say we are: no automatic retry
     ├── Unavailable       try again later: the ERP, the network or AWS did not answer
     ├── Uncertain         it may or may not have been done: look before trying again
     │    └── AnswerLate   the answer is not waited for any longer
     └── Stopped           someone asked us to stop; not a failure

Each carries three things for three readers: `detail`, a sentence for the user; `code`, a stable word for programs;
and, through `raise … from error`, the cause for whoever operates the hub.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from erphub.platform.characters import shown
from erphub.platform.redaction import clean, clean_text


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: `pointer` is a JSON pointer into the body (`/settings/server`)."""

    pointer: str
    code: str
    detail: str


class HubError(Exception):
    """Anything the hub reports in its own words, or in the ERP's: those may repeat a password, so none leaves here; and
    may turn a screen around, so what is hidden in them is spelled out."""

    code = "internal_error"

    def __init__(self, detail: str, *, code: str | None = None, **members: object) -> None:
        detail = shown(clean_text(detail))
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.members = {
            name: clean(value) if isinstance(value, (str, Mapping, list)) else value for name, value in members.items()
        }
        """Further members of the problem document; never secrets."""

    def at(self, pointer: str) -> FieldError:
        """The same, said of the field that it comes of."""
        return FieldError(pointer, self.code, self.detail)

    @classmethod
    def restored(cls, code: str | None, detail: str, **members: object) -> Self:
        """An error as it was met or kept before, for whoever comes now. Its code was declared when it was raised."""
        return cls(detail, code=code, **members)


class NotFound(HubError):
    """Nothing there, or nothing the caller may know of."""

    code = "not_found"


class SecretGone(NotFound):
    """A password that is not kept (any more)."""

    code = "secret_gone"


class NotSignedIn(HubError):
    """The request does not say who is calling."""

    code = "not_signed_in"


class Forbidden(HubError):
    """There, but not the caller's to do."""

    code = "forbidden"


class Invalid(HubError):
    """The request is wrong; `errors` says where."""

    code = "invalid_request"

    def __init__(
        self, detail: str, *, code: str | None = None, errors: Sequence[FieldError] = (), **members: object
    ) -> None:
        super().__init__(detail, code=code, **members)
        self.errors = tuple(errors)

    @classmethod
    def of(cls, *errors: FieldError) -> "Invalid":
        """A request with wrong fields; told in the words of the first."""
        return cls(errors[0].detail, errors=errors)

    @classmethod
    def field(cls, pointer: str, code: str, detail: str) -> "Invalid":
        """A request with one wrong field."""
        return cls(detail, errors=[FieldError(pointer, code, detail)])


class TooLarge(Invalid):
    """More than is accepted at once."""

    code = "body_too_large"


class Malformed(Invalid):
    """The body is no JSON at all."""

    code = "malformed_json"


class BadHeader(Invalid):
    """A header is not what it must be. `header` is among its facts."""

    code = "bad_header"


class UnsupportedMediaType(Invalid):
    """A file of a kind that is not read."""

    code = "unsupported_media_type"


class Conflict(HubError):
    """Somebody or something was first."""

    code = "conflict"


class LimitReached(Conflict):
    """One more than there may be at once. `limit` and `maximum` are among its members."""

    code = "limit_reached"


class PreconditionFailed(HubError):
    """What the request is for by its `If-Match` or `If-None-Match` is not what is there. `header` is a fact of it."""

    code = "precondition_failed"


class TooMany(HubError):
    """More than there may be in a time. `limit`, `maximum` and `retry_after` (seconds) are among its members."""

    code = "limit_reached"


class Gone(HubError):
    """It was there and has ended."""

    code = "gone"


class ErpRefused(HubError):
    """The ERP said no; it was not done and will not be by trying again."""

    code = "erp_refused"


class CredentialsRefused(ErpRefused):
    """The ERP does not accept who the hub says it is; trying again could lock the user out.

    Whatever its code (a wrong password, an expired one, a locked login …), `refused` tells it among its members, so
    that it is known by wherever the error is kept as a problem.
    """

    code = "credentials_refused"

    def __init__(self, detail: str, *, code: str | None = None, **members: object) -> None:
        super().__init__(detail, code=code, **members, refused="credentials")


class CredentialsDoubted(CredentialsRefused):
    """A refusal that can pass by itself: a server that starts, stops or moves gives it to a right login for a moment.

    To whoever waits for the answer it is a refusal as any other; work in the background may try once more (`doubted`
    among its members).
    """

    def __init__(self, detail: str, *, code: str | None = None, **members: object) -> None:
        super().__init__(detail, code=code, **members, doubted="yes")


class Unavailable(HubError):
    """No answer, and nothing was done; worth trying again."""

    code = "unavailable"


class ServiceBusy(Unavailable):
    """A service that the hub itself runs on is busy or does not answer: waited for, and nobody's failure."""

    code = "service_busy"


class Uncertain(HubError):
    """No telling whether it was done."""

    code = "outcome_unknown"


class AnswerLate(Uncertain):
    """The answer took longer than anybody waits for it."""

    code = "timeout"


class Stopped(HubError):
    """Somebody asked for it to stop."""

    code = "stopped"


def refuses_credentials(problem: Mapping[str, Any] | None) -> bool:
    """Whether a problem that was kept is that of a CredentialsRefused."""
    return problem is not None and problem.get("refused") == "credentials"


def refuses_for_good(problem: Mapping[str, Any] | None) -> bool:
    """Whether it is that of a CredentialsRefused, and not of a CredentialsDoubted."""
    return problem is not None and refuses_credentials(problem) and problem.get("doubted") != "yes"
