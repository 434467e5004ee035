"""Secrets kept out of all that is written down, by value.

Whoever reads or takes a secret calls `redact`, and from then until the invocation ends every log line is searched
for it, however deep in a driver's message it sits. Threads may redact and write at once."""

import base64
import json
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, cast, override
from urllib.parse import quote

from erphub.platform.secrets import Secrets

HIDDEN = "[hidden]"
_SHORTEST = 4
"""Shorter secrets are hidden only where they stand alone: a text with every `a` blanked out tells more, not less."""

_secrets: frozenset[str] = frozenset()
"""Never changed but replaced, so that whoever goes through it needs no lock: a log line must not fail in the middle."""
_replacing = Lock()


def redact(values: Iterable[str]) -> None:
    """Keep these values, and the forms in which drivers and encoders repeat them, out of all that is written."""
    global _secrets
    found: set[str] = set()
    for value in values:
        if not value:
            continue
        found.add(value)
        if len(value) >= _SHORTEST:
            found |= _encodings(value)
    with _replacing:
        _secrets |= found


def _encodings(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogatepass")
    return {
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(raw)[2:-1],
        repr(value.encode("utf-16-le", "surrogatepass"))[2:-1],
        quote(value, safe="", errors="replace"),
        base64.b64encode(raw).decode(),
    }


def reset() -> None:
    """Start an invocation: what the one before knew is not kept."""
    global _secrets
    with _replacing:
        _secrets = frozenset()


def clean(value: Any) -> Any:
    """The value with every hidden text in it replaced; mappings and lists are gone through."""
    if not _secrets:
        return value
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, Mapping):
        return {clean(key): clean(item) for key, item in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(item) for item in cast(Iterable[Any], value)]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _clean_text(str(value))


def _clean_text(text: str) -> str:
    known = _secrets
    if text in known:
        return HIDDEN
    # The longest first: a secret may contain another one.
    for secret in sorted((secret for secret in known if len(secret) >= _SHORTEST), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


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
