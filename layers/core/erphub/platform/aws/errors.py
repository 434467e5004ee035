"""What AWS says when it is busy or not to be reached, in the hub's words: try again later."""

from contextlib import ContextDecorator
from typing import Any, cast

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError

from erphub.platform.errors import ServiceBusy

UNANSWERED = (ConnectionError, HTTPClientError, ResponseParserError)
"""No answer, or one that ended in the middle: the request may have been carried out."""
_BUSY = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "InternalServiceError",
    "InternalServiceErrorException",
    "InternalErrorException",
    "InternalFailure",
    "ServiceException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "KMSInternalException",
    "DependencyTimeoutException",
}


def code_of(error: ClientError) -> str:
    """The code AWS gave."""
    return cast(dict[str, Any], error.response).get("Error", {}).get("Code", "")


class later_when_busy(ContextDecorator):
    """Raises Unavailable for what may pass by itself; `code` names whose refusal it was, `what` says it in words."""

    def __init__(self, code: str, what: str) -> None:
        self._code, self._what = code, what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        busy = isinstance(error, ClientError) and code_of(error) in _BUSY
        if busy or isinstance(error, UNANSWERED):
            raise ServiceBusy(f"{self._what} Try again in a moment.", code=self._code) from error
