"""Why a server that is too slow is given up."""

from erphub.erp.transports.sqlserver import problems
from erphub.platform.errors import HubError


def too_slow(seconds: float) -> HubError:
    """The server did not answer within so many seconds, however it spoke."""
    return problems.QUERY_TIMEOUT(seconds=seconds)


def out_of_time() -> HubError:
    """All the time that the work may take was used up before this was asked."""
    return problems.OUT_OF_TIME()


def too_little(size_bytes: int, seconds: float) -> HubError:
    """The server gives its rows so slowly that it would hold a worker for hours."""
    return problems.TOO_SLOW(size_kb=size_bytes / 1000, seconds=seconds)
