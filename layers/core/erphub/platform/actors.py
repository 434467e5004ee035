"""Who did something, as it is shown: people are known by their e-mail address, not by an identifier."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import Field

from erphub.platform.wire import Model

HUB = "hub"
"""The actor when nobody asked: the hub did it by itself."""


class ActorKind(StrEnum):
    """What an actor is: somebody who signs in, a program with a key, or the hub itself."""

    PERSON = "person"
    PROGRAM = "program"
    SYSTEM = "system"


class ActorView(Model):
    """Who did something, or whose something is."""

    id: Annotated[str, Field(description="A user's id, or `hub` when the hub did it by itself")]
    name: Annotated[
        str | None,
        Field(description="A person's e-mail address; null when they are no member of the client any more"),
    ]
    kind: ActorKind


class ActorDirectory(Protocol):
    """Knows the names of those who did something in a client."""

    def find(self, client_id: str, ids: Iterable[str | None]) -> Mapping[str, ActorView]:
        """The actor of every id that is asked for, read together; None and repetitions are passed over."""
        ...
