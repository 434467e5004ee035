"""Entity tags (RFC 9110, 8.8.3): what a representation is known by, and how two of them are compared.

    ETag: "7-9c56cc51b374c3ba"      version 7 of a thing, as this caller sees it now
    ETag: W/"0f3a6b1de02c4a77"      a page of a list, whose `next` is another text each time

The first part is the thing's `version`, which grows with what people change. The second is a digest of the whole
answer, so that the tag changes with everything that is shown: a job's next run, what a caller may see.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[ \t]*(?:{_TAG}|)[ \t]*(?:,[ \t]*(?:{_TAG}|)[ \t]*)*")
_VERSION = re.compile(r"(\d{1,15})(?:-.*)?")


@dataclass(frozen=True)
class EntityTag:
    """One tag: what stands between the quotes, and whether it is weak (the same in meaning, not in every byte)."""

    opaque: str
    is_weak: bool = False

    @classmethod
    def of(cls, text: str, version: int | None = None, *, is_weak: bool = False) -> Self:
        """The tag of a representation."""
        digest = sha256(text.encode()).hexdigest()[:16]
        return cls(digest if version is None else f"{version}-{digest}", is_weak)

    @property
    def version(self) -> int | None:
        """The version that it names. None when it is weak, or names none."""
        found = None if self.is_weak else _VERSION.fullmatch(self.opaque)
        return int(found[1]) if found else None

    def matches_weakly(self, other: "EntityTag") -> bool:
        """Whether both stand for the same, byte for byte or not (8.8.3.2)."""
        return self.opaque == other.opaque

    def __str__(self) -> str:
        """It as a header has it."""
        return f'{"W/" if self.is_weak else ""}"{self.opaque}"'


def read_tags(text: str) -> list[EntityTag] | None:
    """The tags of `If-Match` or `If-None-Match`; None when it is no list of tags."""
    if not _LIST.fullmatch(text):
        return None
    found = [EntityTag(tag.removeprefix("W/")[1:-1], tag.startswith("W/")) for tag in re.findall(_TAG, text)]
    return found or None
