"""Tokens of a connection's ERP in the tenant table: encrypted with a KMS key, bound to their connection, under a lease.

The encryption context names client, connection and token, so a copy moved to another tenant's item opens for nobody.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from botocore.exceptions import ClientError

from ..ports.tokens import Token
from . import keys
from .clients import client
from .refusals import later_when_busy
from .table import Table, Taken

_later = later_when_busy("key_busy", "The key for tokens is busy.")
_LARGEST = 4000
"""Bytes that KMS encrypts at once; a longer token is several pieces."""


class TokenTable:
    """Satisfies `ports.tokens.TokenStore` for one connection."""

    def __init__(self, table: Table, key: str, client_id: str, connection_id: str) -> None:
        self._table = table
        self._key = key
        self._client = client_id
        self._connection = connection_id

    def read(self, name: str) -> Token | None:
        """See the port. What this key no longer opens counts as no token: one is fetched anew."""
        item = self._table.get(keys.token(self._client, self._connection, name))
        if item is None or "pieces" not in item:
            return None
        opened = self._open(name, [bytes(piece) for piece in item["pieces"]])
        if opened is None:
            return None
        kept = cast(dict[str, str], json.loads(opened))
        return Token(kept["value"], datetime.fromisoformat(kept["expires_at"]), kept["made_with"])

    def lease(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """See the port."""
        try:
            self._table.update(
                keys.token(self._client, self._connection, name),
                "SET lease_holder = :holder, lease_until = :until, expires_at = if_not_exists(expires_at, :gone)",
                condition="attribute_not_exists(lease_holder) OR lease_holder = :holder OR lease_until <= :now",
                holder=holder,
                until=_stamp(until),
                now=_stamp(now),
                gone=int((until + timedelta(days=1)).timestamp()),
            )
        except Taken:
            return False
        return True

    def keep(self, name: str, holder: str, token: Token) -> bool:
        """See the port."""
        kept = {"value": token.value, "expires_at": token.expires_at.isoformat(), "made_with": token.made_with}
        pieces = self._seal(name, json.dumps(kept).encode())
        try:
            self._table.update(
                keys.token(self._client, self._connection, name),
                "SET pieces = :pieces, expires_at = :expires REMOVE lease_holder, lease_until",
                condition="lease_holder = :holder",
                pieces=pieces,
                expires=int(token.expires_at.timestamp()),
                holder=holder,
            )
        except Taken:
            return False
        return True

    def release(self, name: str, holder: str) -> None:
        """See the port."""
        try:
            self._table.update(
                keys.token(self._client, self._connection, name),
                "REMOVE lease_holder, lease_until",
                condition="lease_holder = :holder",
                holder=holder,
            )
        except Taken:
            return  # it has passed to somebody else, whose it is now

    def _context(self, name: str) -> Mapping[str, str]:
        return {"client": self._client, "connection": self._connection, "token": name}

    def _seal(self, name: str, plain: bytes) -> list[bytes]:
        pieces = [plain[at : at + _LARGEST] for at in range(0, len(plain), _LARGEST)]
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
