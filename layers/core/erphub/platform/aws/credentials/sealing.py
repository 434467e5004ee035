"""Credentials sealed with AES-256-GCM, so that a value opens in the place it was sealed for and nowhere else.

The nonce is 96 bits of chance and stands before the ciphertext (NIST SP 800-38D, 8.2.2: at most 2^32 values of a key,
far more than a client ever writes). The associated data name client, credentials, fields, version and key; a value put
into another item, client, version or under another list of fields does not open.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

KEY_BYTES = 32
_NONCE_BYTES = 12


class NotOpened(Exception):
    """The value was not sealed here with this key, or is no longer what was sealed."""


@dataclass(frozen=True)
class Place:
    """What a sealed value is bound to."""

    client_id: str
    name: str
    """Of the credentials in the client: the connection's identifier, with `/` and the edit's for a draft."""
    fields: tuple[str, ...]
    """Names of the fields, sorted; they are no secret."""
    version: str
    key_id: str

    @property
    def associated_data(self) -> bytes:
        """The place in one unambiguous text."""
        return json.dumps([self.client_id, self.name, list(self.fields), self.version, self.key_id]).encode()


def new_version() -> str:
    """A version that no other write has. Made apart from `new_id`, whose numbers repeated work counts on."""
    return secrets.token_hex(12)


def seal(key: bytes, fields: Mapping[str, str], place: Place) -> bytes:
    """The fields as sealed bytes."""
    # Imported by whoever seals: a cold start does not pay for it.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE_BYTES)
    plain = json.dumps(dict(fields), ensure_ascii=False).encode()
    return nonce + AESGCM(key).encrypt(nonce, plain, place.associated_data)


def unseal(key: bytes, sealed: bytes, place: Place) -> dict[str, str]:
    """The fields. Raises NotOpened, which says nothing of what was tried."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        plain = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.associated_data)
    except (InvalidTag, ValueError):
        raise NotOpened("sealed for another place, or altered") from None
    return cast(dict[str, str], json.loads(plain))
