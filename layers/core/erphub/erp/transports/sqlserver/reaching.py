"""The way to a port that a tenant named, told alike whatever is wrong with it.

A tenant may name any host and port, so what is said of them, and when, must not tell ports apart: one that is closed,
filtered, silent, open to another protocol, or at an address that is not allowed gets the same words after the same
time. What is wrong with a server that proves to be a SQL Server is told at once, and so is a name that nobody knows.
The words name all that can be the matter; the reason itself is in the operator's log.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager

from erphub.erp.transports.sqlserver import problems
from erphub.platform import logging
from erphub.platform.errors import HubError
from erphub.platform.outbound import deadlines
from erphub.platform.outbound.deadlines import Deadline

REACH_SECONDS = 10.0
"""The longest that it may take to a connection that is encrypted, over all addresses that a name has."""
ANSWERED_AFTER_SECONDS = REACH_SECONDS
"""When it is said that there is no SQL Server, counted from the first packet: not before the slowest could be known."""
NOT_REACHED = frozenset({"address_not_allowed", "server_unreachable", "not_sql_server"})
"""Why there is none; these leave here as `server_unreachable`."""
_AT_THE_SAME_TIME = frozenset({"browser_unreachable"})


@contextmanager
def answered_alike(
    server: str, alike: frozenset[str] = NOT_REACHED, deadline: Deadline | None = None
) -> Generator[None]:
    """The way to a server, as it was typed. Raises Unavailable `server_unreachable` for all that is `alike`."""
    began, outer = time.monotonic(), deadline or Deadline(None)
    try:
        with deadlines.at_most(min(REACH_SECONDS, outer.left)):
            yield
    except HubError as error:
        if error.code not in alike | _AT_THE_SAME_TIME:
            raise
        logging.logger().info("a server was not reached", extra={"server": server, "why": error.code})
        left = ANSWERED_AFTER_SECONDS - (time.monotonic() - began)
        time.sleep(max(0.0, min(left, outer.left, deadlines.current().left)))
        if error.code in _AT_THE_SAME_TIME:
            raise
        raise unreachable(server) from error


def unreachable(server: str) -> HubError:
    """Nobody is there, or nobody who may be asked, or nobody who speaks as SQL Server does."""
    return problems.SERVER_UNREACHABLE(server=server)
