"""Values of fields on both sides of a link, and when two of them are the same.

A CRM and an ERP write one value in two ways: `+47 22 33 44 55` and `0047 22334455`, `25.00` and `25`. They are
compared in a normal form, so that no round of the sync takes another spelling for a change.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as a_field
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated

from pydantic import Field

from erphub.erp.actors import ActorFieldType
from erphub.platform.text import same_name
from erphub.platform.wire import LINES

FieldName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.:-]{0,99}$", description="A field's name")]
FieldValue = Annotated[str, Field(max_length=4000), LINES]


class Side(StrEnum):
    """Where a value stands."""

    CRM = "crm"
    ERP = "erp"

    @property
    def other(self) -> "Side":
        """The side across."""
        return Side.ERP if self is Side.CRM else Side.CRM


class Direction(StrEnum):
    """Which way a pair of fields is kept in step."""

    TO_ERP = "to_erp"
    TO_CRM = "to_crm"
    BOTH = "both"
    NONE = "none"

    def allows(self, target: Side) -> bool:
        """Whether values may be written to that side."""
        return self in (Direction.BOTH, Direction.TO_ERP if target is Side.ERP else Direction.TO_CRM)


class Absent(Enum):
    """No statement: the field was not read, or may not be seen. It is not the same as an empty one."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
type Value = str | None
"""A value as its side writes it; None is an empty field. Truth values are `true` and `false`, days ISO days."""
type Reading = Value | Absent

_PHONE_NOISE = re.compile(r"[^0-9+]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})


@dataclass(frozen=True)
class ComparedField:
    """What must be known of a pair of fields to compare their values and to carry one across."""

    type: ActorFieldType = ActorFieldType.TEXT
    direction: Direction = Direction.BOTH
    master: Side | None = None
    """Whose value counts when both have changed; None: a person decides."""
    longest: Mapping[Side, int] = a_field(default_factory=dict[Side, int])
    """Characters that a side keeps; what is absent keeps all."""
    mandatory: frozenset[Side] = frozenset()
    """Sides that take no empty value."""
    default: str | None = None
    """What is written in place of an empty value where the side is mandatory."""
    erp_items: Mapping[str, str] = a_field(default_factory=dict[str, str])
    """Of a list: the ERP's item for each of the CRM's."""

    def same(self, crm: Value, erp: Value) -> bool:
        """Whether a value of the CRM and one of the ERP say the same."""
        if self.type is ActorFieldType.LIST:
            translated = self.translate(crm, Side.ERP)
            return translated is not ABSENT and normal(translated, self.type) == normal(erp, self.type)
        ours, theirs = normal(crm, self.type), normal(erp, self.type)
        if ours == theirs:
            return True
        shortest = min(self.longest.values(), default=None)
        if shortest is None or self.type is not ActorFieldType.TEXT or ours is None or theirs is None:
            return False
        return ours[:shortest].rstrip() == theirs[:shortest].rstrip()

    def unchanged(self, now: Value, base: Value) -> bool:
        """Whether a side still says what it said: both are that side's own."""
        return normal(now, self.type) == normal(base, self.type)

    def translate(self, value: Value, target: Side) -> Reading:
        """The other side's value as `target` writes it: its items of lists, its length. ABSENT: it has no such item."""
        if normal(value, self.type) is None:
            return self.default if target in self.mandatory else None
        if value is not None and self.type is ActorFieldType.LIST:
            items = self.erp_items if target is Side.ERP else {erp: crm for crm, erp in self.erp_items.items()}
            return items.get(value.strip(), ABSENT)
        longest = self.longest.get(target)
        return value[:longest].rstrip() if value is not None and longest else value


def normal(value: Value, of: ActorFieldType) -> Value:
    """The form in which two values of a type are the same; None where there is nothing in it. What is no value of its
    type is compared as text."""
    if value is None:
        return None
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
    if not text:
        return None
    match of:
        case ActorFieldType.EMAIL:
            return same_name(text)
        case ActorFieldType.PHONE:
            return _phone(text)
        case ActorFieldType.INTEGER | ActorFieldType.DECIMAL if _NUMBER.fullmatch(text):
            return format(Decimal(text).normalize() + 0, "f")
        case ActorFieldType.BOOLEAN if text.casefold() in _TRUE | _FALSE:
            return str(text.casefold() in _TRUE).casefold()
        case ActorFieldType.DATE:
            # Some systems give a day as its midnight; the hour of another instant is kept, and is a difference.
            return text.removesuffix("Z").removesuffix("T00:00:00")
        case _:
            return text


def _phone(text: str) -> str:
    digits = _PHONE_NOISE.sub("", text)
    international = "+" + digits[2:] if digits.startswith("00") else digits
    return international or text
