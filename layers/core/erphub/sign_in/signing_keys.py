"""The user pool's public keys: fetched when first needed, kept, and fetched anew when a token names another one.

A pool changes its keys seldom and without notice. Whoever sends tokens with made-up key ids cannot make this function
fetch without end: once a minute at most. Keys that cannot be fetched anew stay in use.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jwt import PyJWK
from jwt.exceptions import InvalidKeyError, PyJWKError

from erphub.platform import logging
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError
from erphub.sign_in.ports import FetchKeys

KEPT_FOR = timedelta(hours=12)
FETCHED_EVERY = timedelta(minutes=1)
ALGORITHM = "RS256"


@dataclass
class _Kept:
    keys: Mapping[str, PyJWK] = field(default_factory=dict[str, PyJWK])
    fetched_at: datetime | None = None
    tried_at: datetime | None = None


@dataclass(frozen=True)
class SigningKeys:
    """Keys by their ids."""

    fetch: FetchKeys
    clock: Clock
    kept: _Kept = field(default_factory=_Kept)

    def find(self, key_id: str) -> PyJWK | None:
        """The key of this id; None when the pool has no such key. Raises Unavailable when it could never be asked."""
        kept, now = self.kept, self.clock()
        is_old = kept.fetched_at is None or now - kept.fetched_at >= KEPT_FOR
        has_just_tried = kept.tried_at is not None and now - kept.tried_at < FETCHED_EVERY
        if kept.fetched_at is None or ((is_old or key_id not in kept.keys) and not has_just_tried):
            self._refresh(now)
        return kept.keys.get(key_id)

    def _refresh(self, now: datetime) -> None:
        self.kept.tried_at = now
        try:
            self.kept.keys = _readable(self.fetch())
        except HubError as error:
            if self.kept.fetched_at is None:
                raise
            logging.logger().warning("the user pool's keys could not be fetched anew", exc_info=error)
        else:
            self.kept.fetched_at = now


def _readable(document: Mapping[str, Any]) -> dict[str, PyJWK]:
    """The keys of a set that tokens can be signed with; others are none of ours."""
    found: dict[str, PyJWK] = {}
    for one in document.get("keys", []):
        if one.get("kty") != "RSA" or one.get("use") != "sig" or one.get("alg", ALGORITHM) != ALGORITHM:
            continue
        try:
            found[str(one["kid"])] = PyJWK.from_dict(one, ALGORITHM)
        except (PyJWKError, InvalidKeyError, KeyError):
            continue
    return found
