"""Pages of lists."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Page[T]:
    """One page of a list, and the cursor that asks for the next one."""

    items: Sequence[T]
    next: str | None
