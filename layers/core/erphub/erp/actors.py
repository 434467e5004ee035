"""What an ERP can be asked about its actors: customers, suppliers, their people, projects; each a set of named fields.

Fields are named as CRMs name them (`NAME`, `VATNO`, `STREETAD1`, `PHONE` …), so that a pair that means the same is
proposed by its name. Values are text: numbers with a point, truth values `true` and `false`, days ISO days; None is an
empty field, and a field that is not there is not known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from erphub.erp.system import FoundCompany


class ActorType(StrEnum):
    """What an actor is to the company."""

    CUSTOMER = "customer"
    SUPPLIER = "supplier"
    PARTNER = "partner"
    """Customer and supplier at once, where the ERP keeps such a kind of its own."""
    PERSON = "person"
    """Somebody at a customer or supplier."""
    PROJECT = "project"


class ActorFieldType(StrEnum):
    """What a field holds, which says how its values are compared."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    LIST = "list"


class FieldAccess(StrEnum):
    """Whether a field may be written, or must be when an actor is made."""

    NORMAL = "normal"
    MANDATORY = "mandatory"
    READ_ONLY = "read_only"


@dataclass(frozen=True)
class ActorField:
    """A field of a type of actors."""

    key: str
    name: str
    """What people call it."""
    type: ActorFieldType = ActorFieldType.TEXT
    access: FieldAccess = FieldAccess.NORMAL
    max_length: int | None = None
    """Characters that the ERP keeps; None: it states no limit."""
    list_name: str | None = None
    """Of a list, whose items `actor_list` gives."""
    is_searchable: bool = True


@dataclass(frozen=True)
class ActorSupport:
    """What can be done with a type of actors. `reason` says in words why something cannot."""

    register: str
    """Where the ERP keeps them: two types of one register are the same records, known by the same keys."""
    can_create: bool = False
    can_save: bool = False
    reason: str = ""


@dataclass(frozen=True)
class ListItem:
    """An item of a list of the ERP's."""

    key: str
    name: str


@dataclass(frozen=True)
class Actor:
    """An actor as the ERP has it now."""

    type: ActorType
    key: str
    """The ERP's own stable key, unique in the company and the register."""
    values: Mapping[str, str | None]
    changed_at: datetime | None = None
    """By the ERP's clock, where it says so (UTC); only ever compared with others of the same ERP."""
    parent_key: str | None = None
    """The customer or supplier of a person."""


@runtime_checkable
class KnowsActors(Protocol):
    """An ERP whose actors can be read. All of it raises CredentialsRefused, ErpRefused, Unavailable."""

    def actor_types(self) -> Mapping[ActorType, ActorSupport | str]:
        """What can be done with each type; words where the ERP has none of it."""
        ...

    def actor_fields(self, actor_type: ActorType, company: FoundCompany) -> Sequence[ActorField]:
        """The fields of a type, the most important first."""
        ...

    def actor_list(self, list_name: str, company: FoundCompany) -> Sequence[ListItem]:
        """The items of a list that fields take their values from."""
        ...

    def actors(self, actor_type: ActorType, keys: Sequence[str], company: FoundCompany) -> Mapping[str, Actor]:
        """Those that are there, by key, as they are now; at most 200 at once."""
        ...

    def actors_changed_since(
        self, actor_type: ActorType, since: datetime | None, company: FoundCompany
    ) -> Iterator[Actor]:
        """Whatever changed at or after the instant by the ERP's clock, the longest ago first; None: all there are.

        One may come twice; one that was removed does not come.
        """
        ...

    def actor_keys(self, actor_type: ActorType, company: FoundCompany) -> Iterator[str]:
        """The key of every one there is: what is missing in a list that was read to its end was removed."""
        ...


@runtime_checkable
class WritesActors(Protocol):
    """An ERP whose actors can be made and changed. All of it raises as `KnowsActors` does.

    A `marker` is what a new actor carries until its link is kept, so that one whose answer was lost is found.
    """

    def create_actor(
        self, actor_type: ActorType, values: Mapping[str, str | None], marker: str, company: FoundCompany
    ) -> str:
        """Make one; its key. Raises Uncertain when it may or may not have been made."""
        ...

    def find_created(self, actor_type: ActorType, marker: str, company: FoundCompany) -> str | None:
        """The key of the actor that carries the marker."""
        ...

    def save_actor(
        self, actor_type: ActorType, key: str, values: Mapping[str, str | None], company: FoundCompany
    ) -> None:
        """Change these fields and no other; the same again is fine. What it is afterwards is read.

        Raises ErpRefused (`not_in_erp`) when it is gone, Uncertain when it may or may not have been changed.
        """
        ...


MARKER_PREFIX = "erphub-link:"
"""How markers begin: an actor that carries one is nobody else's."""
