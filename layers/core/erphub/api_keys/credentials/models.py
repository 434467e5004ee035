"""A key as it is written, and what is kept of it.

    ehk_01KB3V5Q8Z6M0XJ4T7N2RC9WFD_ + 43 characters by chance + 6 characters of checksum

The prefix says whose it is (ERP Hub key) and which key: it is shown, and found in lists and logs. The rest is the
secret: 256 bits of chance, so that SHA-256 alone is a safe way to keep it. A slow digest protects what people choose
and others can guess; nobody guesses this, and every request would pay for it. The checksum (CRC-32 of all before it)
lets whoever searches code and logs for lost keys tell a key from what only looks like one, without asking the hub.
"""

import hmac
import re
import secrets
import string
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

PATTERN = r"ehk_[0-9A-HJKMNP-TV-Z]{26}_[0-9A-Za-z]{49}"
"""What searches for lost keys look for; documented in docs/signing-in.md."""
_KEY = re.compile(PATTERN)
_ALPHABET = string.digits + string.ascii_letters
_SECRET, _CHECKSUM = 43, 6
MAX_KEY = 4 + 26 + 1 + _SECRET + _CHECKSUM


def new_key(key_id: str) -> str:
    """A new key of this id."""
    chance = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET))
    begun = f"{prefix_of(key_id)}_{chance}"
    return begun + _checksum(begun)


def prefix_of(key_id: str) -> str:
    """How every key of this id begins."""
    return f"ehk_{key_id}"


def key_id_of(text: str) -> str | None:
    """The id of a key, when the text is one by its form and checksum."""
    if not _KEY.fullmatch(text) or _checksum(text[:-_CHECKSUM]) != text[-_CHECKSUM:]:
        return None
    return text[4:30]


def digest_of(key: str) -> str:
    """What is kept of a key."""
    return sha256(key.encode()).hexdigest()


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


@dataclass(frozen=True)
class KeySecret:
    """One secret of a key; while it is being rotated there are several."""

    digest: str
    valid_until: datetime | None = None
    """When it ends because a newer one is there."""

    def is_valid(self, now: datetime) -> bool:
        """Whether it still counts."""
        return self.valid_until is None or now < self.valid_until


@dataclass(frozen=True)
class Credential:
    """A key as whoever recognises it needs it."""

    key_id: str
    client_id: str
    name: str
    networks: tuple[str, ...]
    expires_at: datetime | None
    secrets: tuple[KeySecret, ...]
    version: int = 1

    def find(self, key: str, now: datetime) -> KeySecret | None:
        """Its secret that this key has, unless it has ended."""
        if self.expires_at is not None and now >= self.expires_at:
            return None
        digest = digest_of(key)
        found = [one for one in self.secrets if hmac.compare_digest(one.digest, digest)]
        return next((one for one in found if one.is_valid(now)), None)

    def ends_at(self, secret: KeySecret) -> datetime | None:
        """When the key ends as it was written with this secret; None when it does not."""
        ends = [one for one in (self.expires_at, secret.valid_until) if one is not None]
        return min(ends) if ends else None

    def as_document(self) -> Mapping[str, Any]:
        """Its attributes in a table."""
        return {
            "key_id": self.key_id,
            "client_id": self.client_id,
            "name": self.name,
            "networks": list(self.networks),
            "key_expires_at": _text(self.expires_at),
            "secrets": [{"digest": one.digest, "valid_until": _text(one.valid_until)} for one in self.secrets],
            "version": self.version,
        }

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> "Credential":
        """The credential in these attributes."""
        kept: Sequence[Mapping[str, Any]] = item["secrets"]
        return cls(
            item["key_id"],
            item["client_id"],
            item["name"],
            tuple(item["networks"]),
            _moment(item.get("key_expires_at")),
            tuple(KeySecret(one["digest"], _moment(one.get("valid_until"))) for one in kept),
            int(item["version"]),
        )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
