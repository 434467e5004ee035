"""What a capability says about itself: permissions, events, limits, environment. Every function loads these data."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

ADMINISTRATOR = "administrator"
"""The built-in role that has every permission."""


class Level(StrEnum):
    """How much it matters: good to know, worth a look, or somebody must do something."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Permission(str):
    """What a role can allow a member to do in a client. It is the text that goes over the wire, a contract."""

    summary: str
    roles: frozenset[str]
    """The built-in roles that have it, besides administrators."""

    def __new__(cls, name: str, summary: str, roles: Collection[str] = ()) -> Self:
        """`summary` says to whoever makes a role what it allows."""
        made = super().__new__(cls, name)
        made.summary, made.roles = summary, frozenset(roles) | {ADMINISTRATOR}
        return made

    def __getnewargs__(self) -> tuple[str, str, frozenset[str]]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return str(self), self.summary, self.roles


class EventType(str):
    """What an event tells of. It is the text that goes over the wire; once published it never means something else."""

    summary: str
    level: Level

    def __new__(cls, name: str, summary: str, level: Level = Level.INFO) -> Self:
        """`summary` says to whoever subscribes when it is published."""
        made = super().__new__(cls, name)
        made.summary, made.level = summary, level
        return made

    def __getnewargs__(self) -> tuple[str, str, Level]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return str(self), self.summary, self.level


class LimitKind(StrEnum):
    """What is counted."""

    STOCK = "stock"
    """How many there may be at once; one that goes makes room."""
    RATE = "rate"
    """How many there may be in a window of time (minute, hour, day, in UTC)."""
    SIZE = "size"
    """How long a list may be that a server or a file brings; what is beyond is told and left out."""
    REFUSALS = "refusals"
    """How many tries to connect may be refused until the next must wait; forgotten in time."""


class LimitScope(StrEnum):
    """Whose it is."""

    CLIENT = "client"
    CUSTOMER = "customer"
    CALLER = "caller"
    """One person or program, in whatever clients."""


class Act(str):
    """A thing that people do. It is the text that the audit log holds; it never comes to mean something else."""

    summary: str

    def __new__(cls, name: str, summary: str) -> Self:
        """`summary` says to whoever reads the log what was done."""
        made = super().__new__(cls, name)
        made.summary = summary
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return str(self), self.summary


@dataclass(frozen=True)
class ByService:
    """The route's use case writes these acts itself, in the transaction of the change."""

    acts: tuple[Act, ...]


@dataclass(frozen=True)
class NoAct:
    """The route is none of the acts that the audit log tells of, and why."""

    reason: str


@dataclass(frozen=True)
class OneOf:
    """The route is one of these acts: the first, unless its use case says which (`describe_act`)."""

    acts: tuple[Act, ...]


type Audited = Act | ByService | OneOf | NoAct


@dataclass(frozen=True)
class Limit:
    """How many of something a client, a customer or a caller may have.

    `maximum` holds until the deployment says otherwise (parameter `Limits`), or an operator for one client.
    """

    name: str
    maximum: int
    summary: str
    """What is counted, for whoever reads the list of limits."""
    kind: LimitKind = LimitKind.STOCK
    scope: LimitScope = LimitScope.CLIENT
    seconds: int = 0
    """The window of a rate: 60, 3,600 or 86,400."""

    def __post_init__(self) -> None:
        if (self.kind is LimitKind.RATE) != (self.seconds in (60, 3600, 86400)):
            raise ValueError(f"{self.name}: a rate, and nothing else, has a window of a minute, an hour or a day")


@dataclass(frozen=True)
class Variable:
    """A variable of the environment that functions are given."""

    name: str
    needed_by: tuple[str, ...] = ()
    """The modules of the capability whose functions need it (`webhooks.delivery`); none: all that serve it."""


@dataclass(frozen=True)
class Capability:
    """The manifest of one capability."""

    name: str
    """Its package below `erphub`."""
    title: str
    packages: tuple[str, ...] = ()
    """Its packages with routes, in the order of the documentation; each has an `api` with a `router`."""
    permissions: tuple[Permission, ...] = ()
    events: tuple[EventType, ...] = ()
    limits: tuple[Limit, ...] = ()
    environment: tuple[Variable, ...] = ()
    acts: tuple[Act, ...] = ()
    """What people do in it that the audit log tells of."""
