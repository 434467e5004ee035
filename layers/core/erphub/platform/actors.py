"""Who did something, as it is shown: people are known by their e-mail address, not by an identifier."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import Field

from erphub.platform.wire import ID, JsonObject, Model

HUB = "hub"
"""The actor when nobody asked: the hub did it by itself."""


class ActorKind(StrEnum):
    """What an actor is: somebody who signs in, a program with a key, or the hub itself."""

    PERSON = "person"
    PROGRAM = "program"
    SYSTEM = "system"


def kind_of(actor: str) -> ActorKind:
    """What an actor is, by the form of its id: programs have one that the hub gave (their key's), people the pool's."""
    if actor == HUB:
        return ActorKind.SYSTEM
    return ActorKind.PROGRAM if ID.fullmatch(actor) else ActorKind.PERSON


class ActorView(Model):
    """Who did something, or whose something is."""

    id: Annotated[str, Field(description="A user's id, that of a program's API key, or `hub`: it did it by itself")]
    name: Annotated[
        str | None,
        Field(description="A person's e-mail address, or a key's name; null when they belong to the client no more"),
    ]
    kind: ActorKind


def actor(user: str, name: str | None) -> JsonObject:
    """Somebody as an event tells of them: never by their id alone."""
    return ActorView(id=user, name=name, kind=kind_of(user)).model_dump(mode="json")


class ActorDirectory(Protocol):
    """Knows the names of those who did something in a client."""

    def find(self, client_id: str, ids: Iterable[str | None]) -> Mapping[str, ActorView]:
        """The actor of every id that is asked for, read together; None and repetitions are passed over."""
        ...
