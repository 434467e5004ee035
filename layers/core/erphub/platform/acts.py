"""What people do: every route that changes something says which act it is, or why it is none.

While a route is answered its act waits, and goes with the first write to a table, in the same transaction: there is no
change without its entry, and no entry without a change. What cannot be part of a transaction (a batch, a state
machine, a secret, a file) is preceded by it instead. Use cases add what only they know with `describe_act`.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from erphub.platform.capability import Act
from erphub.platform.identity import Caller


@dataclass
class ActAtHand:
    """The act of the request that is being answered."""

    act: Act
    caller: Caller
    client_id: str | None
    customer_id: str | None
    connection_id: str | None
    old: dict[str, Any] = field(default_factory=dict[str, Any])
    new: dict[str, Any] = field(default_factory=dict[str, Any])


at_hand: ContextVar[ActAtHand | None] = ContextVar("act", default=None)


def describe_act(
    act_is: Act | None = None,
    *,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    client_id: str | None = None,
    customer_id: str | None = None,
    connection_id: str | None = None,
) -> None:
    """Add to the act at hand what was there before and is there now, as plain JSON, and what it is about.

    Called before the write; what is given replaces members of the same name that came from the request. `act_is` says
    which act it is, on a route that can be one of several.
    """
    act = at_hand.get()
    if act is None:
        return
    act.act = act_is or act.act
    act.old |= old or {}
    act.new |= new or {}
    act.connection_id = connection_id or act.connection_id
    act.client_id, act.customer_id = client_id or act.client_id, customer_id or act.customer_id


class ActLog(Protocol):
    """Where acts are written down."""

    def acting(self, act: ActAtHand) -> AbstractContextManager[None]:
        """Meanwhile the act waits for the first write and is written with it."""
        ...
