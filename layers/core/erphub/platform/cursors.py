"""Where a page ends, as callers see it: sealed, and good only for the list, client and filter that gave it.

What a list's store calls the place holds partition keys and ids of people, so it leaves encrypted; and a place that
somebody made or changed is no place that a database should be asked for. All lists go through here
(`http.dispatch`), so none can be forgotten: stores give and take plain places, callers see sealed ones.
"""

import base64
import binascii
import hmac
from hashlib import sha256, shake_256
from typing import Protocol

from erphub.platform import problems
from erphub.platform.errors import Invalid

MAX_CURSOR = 4000
"""Characters; what is longer, no list gave."""
_TAG = 16


class CursorKey(Protocol):
    """The key of a deployment's cursors."""

    def read(self) -> bytes:
        """32 bytes, the same in every function. Raises Unavailable."""
        ...


class Cursors:
    """Seals and opens places of lists."""

    def __init__(self, key: CursorKey) -> None:
        self._key = key

    def seal(self, place: str, of: str) -> str:
        """The place as the caller sees it; `of` says which list it is of, filter included."""
        plain = place.encode("utf-8", "surrogatepass")
        tag = self._tag(plain, of)
        return _text(tag + self._mixed(plain, tag))

    def open(self, cursor: str, of: str) -> str:
        """The place. Raises Invalid (`next_invalid`) for everything that this list did not give."""
        try:
            if len(cursor) > MAX_CURSOR:
                raise ValueError("longer than any")
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            tag, plain = sealed[:_TAG], self._mixed(sealed[_TAG:], sealed[:_TAG])
            if _text(sealed) != cursor:
                raise ValueError("another spelling of it")
            if not hmac.compare_digest(tag, self._tag(plain, of)):
                raise ValueError("of another list, or changed")
            return plain.decode("utf-8", "surrogatepass")
        except (ValueError, binascii.Error) as error:
            raise Invalid.of(problems.NEXT_INVALID("/next")) from error

    def _tag(self, plain: bytes, of: str) -> bytes:
        listed = sha256(of.encode("utf-8", "surrogatepass")).digest()
        return hmac.digest(self._key.read(), b"tag" + listed + plain, "sha256")[:_TAG]

    def _mixed(self, text: bytes, tag: bytes) -> bytes:
        stream = shake_256(hmac.digest(self._key.read(), b"stream" + tag, "sha256")).digest(len(text))
        return bytes(one ^ other for one, other in zip(text, stream, strict=True))


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")
