"""What the people of a client are told, kept for them to read; an operator sees the same as a figure."""

from typing import Any

from ..ids import new_id
from ..ports.world import Clock
from .syncs import stamp
from .table import Table


class NoticeTable:
    """Satisfies `ports.sync.Notices` with items `NOTICE#<id>` of the client, kept for ninety days."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def tell(self, client_id: str, connection_id: str, code: str, detail: str, **facts: Any) -> None:
        now, notice = self._clock(), new_id()
        self._table.put(
            {
                "pk": f"CLIENT#{client_id}",
                "sk": f"NOTICE#{notice}",
                "id": notice,
                "connection_id": connection_id,
                "code": code,
                "detail": detail,
                "facts": facts,
                "at": stamp(now),
                "expires_at": int(now.timestamp()) + 90 * 86400,
            }
        )
