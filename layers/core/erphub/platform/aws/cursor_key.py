"""The key of cursors: 32 random bytes in the tenant table, made by whichever function needs them first.

It is no secret of a tenant's: who may read the table needs no cursor. So it costs no secret of its own and no call to
KMS; a function reads it once, with the first page that has a next one.
"""

import secrets
from contextlib import suppress
from functools import cached_property
from typing import override

from erphub.platform import problems
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.cursors import CursorKey

KEY = make_key("CURSOR_KEY", "CURSOR_KEY")


class StoredCursorKey(CursorKey):
    """The key as an item of the table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def read(self) -> bytes:
        return self._value

    @cached_property
    def _value(self) -> bytes:
        item = self._table.get(KEY)
        if item is None:
            with suppress(VersionConflict):  # another function was first
                self._table.put_new(dict(KEY) | {"value": secrets.token_hex(32)})
            item = self._table.get(KEY)
        if item is None:
            raise problems.LIST_UNAVAILABLE()
        return bytes.fromhex(item["value"])
