"""Why a server that is too slow is given up."""

from erphub.platform.errors import HubError, Unavailable


def too_slow(seconds: float) -> HubError:
    """The server did not answer within so many seconds, however it spoke."""
    return Unavailable(f"The server did not answer in full within {seconds:.0f} seconds.", code="query_timeout")


def out_of_time() -> HubError:
    """All the time that the work may take was used up before this was asked."""
    return Unavailable("The server took too long in all, so nothing more was asked of it.", code="query_timeout")


def too_little(size_bytes: int, seconds: float) -> HubError:
    """The server gives its rows so slowly that it would hold a worker for hours."""
    return Unavailable(
        f"The server gave {size_bytes / 1000:,.0f} kB in {seconds:.0f} seconds, which is too slow to go on with. Look"
        " at what else it is doing, and at the line to it.",
        code="query_timeout",
    )
