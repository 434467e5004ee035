"""How we stay signed in: a token is fetched once, kept until it expires, and renewed by one worker at a time.

Many functions use a connection at once. Whoever finds no valid token takes a lease, looks again (somebody may have
been faster), fetches, and keeps the token before using it; the others wait for that token. A worker that dies, or
whose answer is lost, holds the lease only for as long as the call could have taken; then the next one fetches.
Credentials are never used up by a fetch, so a lost answer costs a wait and nothing else.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import override

from erphub.erp.resources import Redact, redact_nothing
from erphub.erp.systems.twentyfourseven import problems
from erphub.erp.tokens import Token, TokenStore
from erphub.platform.clock import Clock, Pause
from erphub.platform.ids import new_id

LEASE = timedelta(seconds=40)
"""Longer than a token call can take: three attempts to connect and one to read."""
MARGIN = timedelta(seconds=60)
"""A token is not used in the last minute of its life: the request it goes with must arrive in time."""
_POLL_SECONDS = 0.2


class Tokens:
    """The tokens of one connection."""

    def __init__(
        self,
        store: TokenStore,
        clock: Clock,
        *,
        pause: Pause = time.sleep,
        redact: Redact = redact_nothing,
        made_with: str = "",
    ) -> None:
        """`made_with` is a digest of the credentials: a kept token that was fetched with others is not used."""
        self._store = store
        self._clock = clock
        self._pause = pause
        self._redact = redact
        self._made_with = made_with
        self._here: dict[str, Token] = {}
        self._holder = new_id()
        self._lock = Lock()

    def current(self, name: str, fetch: Callable[[], Token], *, not_this: str | None = None, anew: bool = False) -> str:
        """A valid token; `not_this` is one that the ERP has just refused. `anew` fetches in any case, to see whether
        the credentials are still accepted.

        Raises what `fetch` raises, and Unavailable (`sign_in_busy`) when whoever renews it does not come back.
        """
        with self._lock:  # threads of one process need no lease among themselves
            token = self._here.get(name)
            if token is None or anew or not self._good(token, not_this):
                token = self._shared(name, fetch, not_this, anew=anew)
                self._redact(token.value)
                self._here[name] = token
            return token.value

    def _good(self, token: Token, not_this: str | None) -> bool:
        fits = token.value != not_this and token.made_with == self._made_with
        return fits and self._clock() + MARGIN < token.expires_at

    def _shared(self, name: str, fetch: Callable[[], Token], not_this: str | None, *, anew: bool) -> Token:
        give_up = self._clock() + LEASE + timedelta(seconds=5)
        while True:
            token = self._store.read(name)
            if token is not None and not anew and self._good(token, not_this):
                return token
            now = self._clock()
            if self._store.acquire_lease(name, self._holder, now, now + LEASE):
                return self._renewed(name, fetch, not_this, anew=anew)
            if now >= give_up:
                raise problems.SIGN_IN_BUSY(retry_after=60)
            self._pause(_POLL_SECONDS)

    def _renewed(self, name: str, fetch: Callable[[], Token], not_this: str | None, *, anew: bool) -> Token:
        kept = False
        try:
            # Between our look and our lease another one may have fetched and finished.
            token = self._store.read(name)
            if token is None or anew or not self._good(token, not_this):
                token = replace(fetch(), made_with=self._made_with)
                kept = self._store.save(name, self._holder, token)
            return token
        finally:
            if not kept:
                self._store.release_lease(name, self._holder)


class InProcessTokenStore(TokenStore):
    """A store for one process: what an adapter uses when nothing is shared with others."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._leases: dict[str, tuple[str, datetime]] = {}
        self._lock = Lock()

    @override
    def read(self, name: str) -> Token | None:
        return self._tokens.get(name)

    @override
    def acquire_lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        with self._lock:
            held = self._leases.get(name)
            if held is not None and held[0] != holder and held[1] > now:
                return False
            self._leases[name] = (holder, until)
            return True

    @override
    def save(self, name: str, holder: str, token: Token) -> bool:
        with self._lock:
            held = self._leases.get(name)
            if held is None or held[0] != holder:
                return False
            self._tokens[name] = token
            del self._leases[name]
            return True

    @override
    def release_lease(self, name: str, holder: str) -> None:
        with self._lock:
            held = self._leases.get(name)
            if held is not None and held[0] == holder:
                del self._leases[name]


def utc_now() -> datetime:
    """Now in UTC."""
    return datetime.now(UTC)


def digest(*credentials: str) -> str:
    """What tells credentials apart without saying them."""
    return sha256("\x1f".join(credentials).encode()).hexdigest()
