"""One write of a transaction, so that a store can take part in another's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from erphub.platform.aws.items import Item

type Key = dict[str, str]


@dataclass(frozen=True)
class Write:
    """One write of a transaction: an item to put, or a key to delete, update or only check."""

    put: Item | None = None
    delete: Key | None = None
    update: Key | None = None
    check: Key | None = None
    expression: str | None = None
    condition: str | None = None
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
