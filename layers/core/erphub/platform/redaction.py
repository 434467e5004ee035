"""Secrets kept out of all that is written down, by value.

Whoever reads or takes a secret calls `redact`, and from then until the invocation ends every log line, error, problem,
event and line of a run's log is searched for it, however deep in a driver's message it sits and however it is spelled
there (`disguises`). Threads may redact and write at once."""

from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any, cast, override

from erphub.platform.disguises import HIDDEN, Disguises
from erphub.platform.secrets import Secrets

__all__ = ["HIDDEN", "GuardedSecrets", "clean", "clean_text", "redact", "reset"]

_secrets = Disguises.none()
"""Never changed but replaced, so that whoever goes through it needs no lock: a log line must not fail in the middle."""
_replacing = Lock()


def redact(values: Iterable[str]) -> None:
    """Keep these values, and whatever a server may make of them, out of all that is written."""
    global _secrets
    with _replacing:
        _secrets = _secrets.known(values)


def reset() -> None:
    """Start an invocation: what the one before knew is not kept."""
    global _secrets
    with _replacing:
        _secrets = Disguises.none()


def clean_text(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with every hidden text in it replaced, and these secrets too. Cut a text only afterwards: half of a
    secret is not found any more."""
    known = _secrets.known(secrets)
    return known.hide(text) if known else text


def clean(value: Any) -> Any:
    """The value with every hidden text in it replaced; mappings and lists are gone through."""
    known = _secrets
    return _cleaned(value, known) if known else value


def _cleaned(value: Any, known: Disguises) -> Any:
    if isinstance(value, str):
        return known.hide(value)
    if isinstance(value, Mapping):
        items = cast(Mapping[Any, Any], value).items()
        return {_cleaned(key, known): _cleaned(item, known) for key, item in items}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_cleaned(item, known) for item in cast(Iterable[Any], value)]
    if value is None or isinstance(value, (bool, int, float, Decimal, date, time, timedelta)):
        return value
    return known.hide(str(value))


class GuardedSecrets(Secrets):
    """The secret store, with every value that goes in or out of it redacted."""

    def __init__(self, store: Secrets) -> None:
        self._store = store

    @override
    def put(self, name: str, fields: Mapping[str, str], tenant: str) -> None:
        redact(fields.values())
        self._store.put(name, fields, tenant)

    @override
    def get(self, name: str) -> dict[str, str]:
        fields = self._store.get(name)
        redact(fields.values())
        return fields

    @override
    def delete(self, name: str) -> None:
        self._store.delete(name)
