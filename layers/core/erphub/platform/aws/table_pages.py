"""Pages of a table: where one ends is an opaque word, and a word opens only the list that gave it."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from erphub.platform.aws.items import Item, decode, encode
from erphub.platform.errors import Invalid


@dataclass(frozen=True)
class ItemPage:
    """A page of items; `next` opens the following one."""

    items: list[Item]
    next: str | None


def page_word(key: Mapping[str, Any] | None) -> str | None:
    """The word that opens the page behind this key; None when there is none."""
    if not key:
        return None
    return base64.urlsafe_b64encode(json.dumps(decode(key)).encode()).decode().rstrip("=")


def page_key(word: str | None, pk: str | None, prefix: str = "") -> dict[str, Any] | None:
    """The key behind a page word. It must lie in the part asked for: a word from elsewhere opens nothing."""
    if word is None:
        return None
    try:
        key = cast(dict[str, Any], json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))))
        if not all(isinstance(value, str) for value in key.values()):
            raise ValueError("not a key")
        if pk is not None and key.get("pk") != pk:
            raise ValueError("another partition")
        if not key.get("sk", "").startswith(prefix):
            raise ValueError("another part of it")
    except (ValueError, binascii.Error, AttributeError) as error:
        raise Invalid.field("/next", "next_invalid", "This is not a `next` that this list gave.") from error
    return encode(key)


def index_key(word: str | None, attribute: str, value: str) -> dict[str, Any] | None:
    """As `page_key`, for an index: the key must lie under the value asked for."""
    key = page_key(word, None)
    if key is not None and decode(key).get(attribute) != value:
        raise Invalid.field("/next", "next_invalid", "This is not a `next` that this list gave.")
    return key
