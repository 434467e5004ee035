"""ERP systems' tokens (encrypted) and rate limits in the tenant table, shared by all who use a connection."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, cast, override

from botocore.exceptions import ClientError

from erphub.erp import problems
from erphub.erp.rate_limits import RateLimiter, waiting
from erphub.erp.tokens import Token, TokenStore
from erphub.platform.aws.clients import client
from erphub.platform.aws.errors import later_when_busy
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.clock import Clock
from erphub.platform.writes import Key

_later = later_when_busy(problems.KEY_BUSY)
_MAX_ENCRYPTED_BYTES = 4000
"""Bytes that KMS encrypts at once; a longer token is several pieces."""


class TokenTable(TokenStore):
    """The tokens of one connection."""

    def __init__(self, table: Table, key: str, client_id: str, connection_id: str) -> None:
        self._table = table
        self._key = key
        self._client = client_id
        self._connection = connection_id

    @override
    def read(self, name: str) -> Token | None:
        # What this key no longer opens counts as no token: one is fetched anew.
        item = self._table.get(token_key(self._client, self._connection, name))
        if item is None or "pieces" not in item:
            return None
        opened = self._open(name, [bytes(piece) for piece in item["pieces"]])
        if opened is None:
            return None
        kept = cast(dict[str, str], json.loads(opened))
        return Token(kept["value"], datetime.fromisoformat(kept["expires_at"]), kept["made_with"])

    @override
    def acquire_lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        try:
            self._table.update(
                token_key(self._client, self._connection, name),
                "SET lease_holder = :holder, lease_until = :until, expires_at = if_not_exists(expires_at, :gone)",
                condition="attribute_not_exists(lease_holder) OR lease_holder = :holder OR lease_until <= :now",
                holder=holder,
                until=_stamp(until),
                now=_stamp(now),
                gone=int((until + timedelta(days=1)).timestamp()),
            )
        except VersionConflict:
            return False
        return True

    @override
    def save(self, name: str, holder: str, token: Token) -> bool:
        kept = {"value": token.value, "expires_at": token.expires_at.isoformat(), "made_with": token.made_with}
        pieces = self._seal(name, json.dumps(kept).encode())
        try:
            self._table.update(
                token_key(self._client, self._connection, name),
                "SET pieces = :pieces, expires_at = :expires REMOVE lease_holder, lease_until",
                condition="lease_holder = :holder",
                pieces=pieces,
                expires=int(token.expires_at.timestamp()),
                holder=holder,
            )
        except VersionConflict:
            return False
        return True

    @override
    def release_lease(self, name: str, holder: str) -> None:
        try:
            self._table.update(
                token_key(self._client, self._connection, name),
                "REMOVE lease_holder, lease_until",
                condition="lease_holder = :holder",
                holder=holder,
            )
        except VersionConflict:
            return  # it has passed to somebody else, whose it is now

    def _context(self, name: str) -> Mapping[str, str]:
        return {"client": self._client, "connection": self._connection, "token": name}

    def _seal(self, name: str, plain: bytes) -> list[bytes]:
        pieces = [plain[at : at + _MAX_ENCRYPTED_BYTES] for at in range(0, len(plain), _MAX_ENCRYPTED_BYTES)]
        return [
            self._kms("encrypt", KeyId=self._key, Plaintext=piece, EncryptionContext=self._context(name))[
                "CiphertextBlob"
            ]
            for piece in pieces
        ]

    def _open(self, name: str, pieces: list[bytes]) -> bytes | None:
        try:
            return b"".join(
                self._kms("decrypt", KeyId=self._key, CiphertextBlob=piece, EncryptionContext=self._context(name))[
                    "Plaintext"
                ]
                for piece in pieces
            )
        except ClientError as error:
            code = cast(dict[str, Any], error.response).get("Error", {}).get("Code", "")
            if code in {"InvalidCiphertextException", "IncorrectKeyException", "NotFoundException"}:
                return None
            raise

    @_later
    def _kms(self, operation: str, **request: Any) -> dict[str, Any]:
        return cast(dict[str, Any], getattr(client("kms"), operation)(**request))


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


CALLS_AT_ONCE = 12
REFRESH_EVERY = timedelta(seconds=1)


class RateLimitTable(RateLimiter):
    """The calls of one connection."""

    def __init__(self, table: Table, client_id: str, connection_id: str, clock: Clock) -> None:
        self._table = table
        self._client = client_id
        self._connection = connection_id
        self._clock = clock
        self._lock = Lock()
        self._taken: dict[str, tuple[datetime, int]] = {}
        self._looked: dict[str, datetime] = {}
        self._blocked: dict[str, datetime] = {}

    @override
    def acquire(self, kind: str, hourly: int | None = None) -> None:
        with self._lock:
            now = self._clock()
            self._look(kind, now)
            until = self._blocked.get(kind)
            if until is not None and until > now:
                raise waiting(until, now, "The ERP has asked us to wait.")
            if hourly is not None:
                self._count(kind, hourly, now)

    @override
    def block(self, kind: str, until: datetime) -> None:
        # A longer wait that somebody else was told stands.
        with self._lock:
            self._blocked[kind] = max(until, self._blocked.get(kind, until))
            try:
                self._table.update(
                    rate_limit_key(self._client, self._connection, kind),
                    "SET blocked_until = :until, expires_at = :gone",
                    condition="attribute_not_exists(blocked_until) OR blocked_until < :until",
                    until=_limit_stamp(until),
                    gone=_gone(until),
                )
            except VersionConflict:
                return  # it waits longer already

    def _look(self, kind: str, now: datetime) -> None:
        looked = self._looked.get(kind)
        if looked is not None and looked <= now < looked + REFRESH_EVERY:
            return
        item = self._table.get(rate_limit_key(self._client, self._connection, kind), consistent=False) or {}
        self._looked[kind] = now
        if "blocked_until" in item:
            until = datetime.fromisoformat(item["blocked_until"])
            self._blocked[kind] = max(until, self._blocked.get(kind, until))

    def _count(self, kind: str, hourly: int, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        mine, left = self._taken.get(kind, (hour, 0))
        if mine != hour or left == 0:
            left = self._fetch(kind, hourly, hour, now)
        self._taken[kind] = (hour, left - 1)

    def _fetch(self, kind: str, hourly: int, hour: datetime, now: datetime) -> int:
        """Take some of the hour's calls from the table. Raises Unavailable when there are none."""
        key = rate_limit_key(self._client, self._connection, kind)
        wanted = min(CALLS_AT_ONCE, hourly)
        for calls in dict.fromkeys((wanted, 1)):
            for change, condition in (
                ("SET used = used + :calls, expires_at = :gone", "this_hour = :hour AND used <= :rest"),
                (
                    "SET this_hour = :hour, used = :calls, expires_at = :gone",
                    "attribute_not_exists(this_hour) OR this_hour < :hour",
                ),
            ):
                values: dict[str, Any] = {"hour": _limit_stamp(hour), "calls": calls, "gone": _gone(hour)}
                if ":rest" in condition:
                    values["rest"] = hourly - calls
                if self._updated(key, change, condition, values) is not None:
                    return calls
        end = hour + timedelta(hours=1)
        raise waiting(end, now, f"The ERP allows {hourly} calls an hour, and this hour's are used up.")

    def _updated(self, key: Key, change: str, condition: str, values: dict[str, Any]) -> Item | None:
        try:
            return self._table.update(key, change, condition=condition, **values)
        except VersionConflict:
            return None


def _limit_stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def _gone(instant: datetime) -> int:
    return int((instant + timedelta(days=1)).timestamp())


def token_key(client_id: str, connection_id: str, name: str) -> Key:
    """The key of a token of a connection's ERP."""
    return make_key(f"CLIENT#{client_id}", "TOKEN", connection_id, name)


def rate_limit_key(client_id: str, connection_id: str, kind: str) -> Key:
    """The key of what is left of a connection's calls."""
    return make_key(f"CLIENT#{client_id}", "RATE-LIMIT", connection_id, kind)
