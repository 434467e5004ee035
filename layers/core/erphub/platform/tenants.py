"""Whose work is being done: the client, and the connection where one is named.

It is said where work comes in (a request once it is admitted, a task, one of what a sweeper goes through) and read
where AWS is asked for a tenant's secrets and objects, so that a wrong name made in between leads nowhere: the
credentials are those of the tenant at hand, never of whoever the name belongs to.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tenant:
    """A client, and one of its connections (or `webhook-<id>`, whose secrets have the same kind of name)."""

    client_id: str
    connection_id: str | None = None


class NoTenantAtHand(RuntimeError):
    """A tenant's part was asked for by work that is nobody's: a fault of ours."""


_at_hand: ContextVar[Tenant | None] = ContextVar("tenant", default=None)


@contextmanager
def acting_for(client_id: str, connection_id: str | None = None) -> Generator[None]:
    """All that is done inside is done for this tenant, in this thread; other threads say it for themselves."""
    token = _at_hand.set(Tenant(client_id, connection_id))
    try:
        yield
    finally:
        _at_hand.reset(token)


@contextmanager
def acting_for_named(names: Mapping[str, Any]) -> Generator[None]:
    """As `acting_for`, for the `client_id` and `connection_id` among these names; for nobody without a client."""
    client_id, connection_id = names.get("client_id"), names.get("connection_id")
    if not isinstance(client_id, str):
        yield
        return
    with acting_for(client_id, connection_id if isinstance(connection_id, str) else None):
        yield


@contextmanager
def of_connection(connection_id: str) -> Generator[None]:
    """Narrow what is done inside to a connection, where the work that came in has not named one. The client stays.

    Work for a named connection stays with that one, whatever is asked for here.
    """
    now = _at_hand.get()
    if now is None or now.connection_id is not None:
        yield
        return
    with acting_for(now.client_id, connection_id):
        yield


def at_hand() -> Tenant:
    """Whose work is being done. Raises NoTenantAtHand."""
    now = _at_hand.get()
    if now is None:
        raise NoTenantAtHand("A tenant's secrets or objects are asked for, and nobody said for whom.")
    return now
