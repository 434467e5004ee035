"""Requests that are sent twice and must be done once."""

from collections.abc import Callable
from typing import Any, Protocol


class IdempotencyStore(Protocol):
    """Remembers answers by key for a day."""

    def __call__(self, owner: str, key: str, request: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer of `work`, or the one it gave when owner and key came before.

        What is wrong with the request is not remembered. Work that died or was not answered is done anew with the same
        identifiers (`platform.ids.repeatable`), and so finds what it had stored.

        Raises Conflict (`idempotency_key_in_use`) while the first is still going on, Invalid (`idempotency_key_reused`)
        when the key came before with another request: draft-ietf-httpapi-idempotency-key-header, 2.7.
        """
        ...
