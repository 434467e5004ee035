"""What AWS says when it is busy or not to be reached, in the hub's words: try again later."""

from contextlib import ContextDecorator
from typing import Any, cast

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError

from erphub.platform.errors import HubError, ServiceBusy
from erphub.platform.problem_types import ProblemType

UNANSWERED = (ConnectionError, HTTPClientError, ResponseParserError)
"""No answer, or one that ended in the middle: the request may have been carried out."""
BUSY = {
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
    # Credentials that were good when they were taken; the next attempt takes new ones
    *("ExpiredToken", "ExpiredTokenException"),
    # DynamoDB
    "ProvisionedThroughputExceededException",
    "InternalServerError",
    "TransactionInProgressException",
    # S3 (API reference, "Error responses"); a HEAD has no body, only its status
    "SlowDown",
    "RequestTimeout",
    "InternalError",
    *("500", "502", "503", "504"),
}
"""What AWS says when it is busy or has failed by itself: asking again helps."""


def code_of(error: ClientError) -> str:
    """The code AWS gave."""
    return cast(dict[str, Any], error.response).get("Error", {}).get("Code", "")


class later_when_busy(ContextDecorator):
    """Raises ServiceBusy, told as `busy`, for what may pass by itself.

    Any other refusal of AWS becomes an error of the class `otherwise`, or stays what it is.
    """

    def __init__(self, busy: ProblemType[Any], *, otherwise: type[HubError] | None = None) -> None:
        self._busy, self._otherwise = busy, otherwise

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        refused = isinstance(error, ClientError)
        if (refused and code_of(error) in BUSY) or isinstance(error, UNANSWERED):
            raise self._busy.ending(ServiceBusy)() from error
        if refused and self._otherwise is not None:
            raise self._busy.ending(self._otherwise)() from error
