"""Pages of a table: where one ends is an opaque cursor, and a cursor opens only the list that gave it."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from erphub.platform import problems
from erphub.platform.aws.items import Item, decode, encode
from erphub.platform.errors import Invalid


@dataclass(frozen=True)
class ItemPage:
    """A page of items; `next` opens the following one."""

    items: list[Item]
    next: str | None


def encode_cursor(key: Mapping[str, Any] | None) -> str | None:
    """The cursor that opens the page behind this key; None when there is none."""
    if not key:
        return None
    return base64.urlsafe_b64encode(json.dumps(decode(key)).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, pk: str | None, prefix: str = "") -> dict[str, Any] | None:
    """The key behind a page cursor. It must lie in the part asked for: a cursor from elsewhere opens nothing."""
    if cursor is None:
        return None
    try:
        key = cast(dict[str, Any], json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))))
        if not all(isinstance(value, str) for value in key.values()):
            raise ValueError("not a key")
        if pk is not None and key.get("pk") != pk:
            raise ValueError("another partition")
        if not key.get("sk", "").startswith(prefix):
            raise ValueError("another part of it")
    except (ValueError, binascii.Error, AttributeError) as error:
        raise Invalid.of(problems.NEXT_INVALID("/next")) from error
    return encode(key)


def decode_index_cursor(cursor: str | None, attribute: str, value: str) -> dict[str, Any] | None:
    """As `decode_cursor`, for an index: the key must lie under the value asked for."""
    key = decode_cursor(cursor, None)
    if key is not None and decode(key).get(attribute) != value:
        raise Invalid.of(problems.NEXT_INVALID("/next"))
    return key
