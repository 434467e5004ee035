"""Requests that are sent twice and must be done once."""

from collections.abc import Callable
from typing import Any, Protocol


class IdempotencyStore(Protocol):
    """Remembers answers by key for a day."""

    def __call__(self, owner: str, key: str, request: Any, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer of `work`, or the one it gave when owner and key came before; a failure is not remembered.

        Raises Conflict: `idempotency_key_in_use` while the first is still going on, `idempotency_key_reused` when
        the key came before with another request.
        """
        ...
