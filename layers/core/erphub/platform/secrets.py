"""Where passwords live, and what keeps them out of what is written down."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol


class Secrets(Protocol):
    """Where passwords and tokens live. A name is made by the hub and holds nothing secret."""

    def put(self, name: str, fields: Mapping[str, str], tenant: str) -> None:
        """Keep the fields under the name; the same name again replaces them."""
        ...

    def get(self, name: str) -> dict[str, str]:
        """The fields. Raises SecretGone, NotFound (`secret_unreadable`) for what was altered where it is kept."""
        ...

    def delete(self, name: str) -> None:
        """Remove them at once, without a recovery window; a name that is not there is fine."""
        ...


class StoredSecrets(Secrets, Protocol):
    """Which secrets there are; the list lags behind."""

    def names(self, begin: str) -> Sequence[str]:
        """The names of all secrets that begin so."""
        ...

    def stored_before(self, moment: datetime) -> Iterator[str]:
        """The names of those last written before a moment. Raises Unavailable."""
        ...


class Redactor(Protocol):
    """Keeps secrets out of what is written down."""

    def redact(self, values: Iterable[str]) -> None:
        """Hide these values from now until the invocation ends."""
        ...

    def clean(self, value: Any) -> Any:
        """The value with every hidden text in it replaced."""
        ...
