"""Transfers and previews of dry runs, in the export log's table."""

import json
from collections.abc import Mapping
from typing import Any, override

from erphub.platform.aws.table import Table
from erphub.platform.pages import Page
from erphub.sync.export_log.dynamodb import expiry, export_log_key, read_model
from erphub.sync.settings.dynamodb import put_rev
from erphub.sync.transfers.models import Transfer
from erphub.sync.transfers.ports import TransferStore

_PREVIEW_DAYS = 7


class TransferTable(TransferStore):
    """Transfers beside the documents of their connection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, client_id: str, connection_id: str, transfer_id: str) -> Transfer | None:
        item = self._table.get(export_log_key(client_id, connection_id, "TRANSFER", transfer_id))
        return read_model(Transfer, item) if item else None

    @override
    def save(self, transfer: Transfer, keep_days: int) -> Transfer:
        key = export_log_key(transfer.client_id, transfer.connection_id, "TRANSFER", transfer.id)
        item = key | {"data": transfer.model_dump_json(), "expires_at": expiry(transfer.created_at, keep_days)}
        put_rev(self._table, item, transfer.rev)
        return transfer.model_copy(update={"rev": transfer.rev + 1})

    @override
    def page(self, client_id: str, connection_id: str, limit: int, cursor: str | None) -> Page[Transfer]:
        key = export_log_key(client_id, connection_id, "TRANSFER", "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, cursor=cursor, newest_first=True)
        return Page([read_model(Transfer, item) for item in page.items], page.next)

    @override
    def add_preview(self, transfer: Transfer, number: int, preview: Mapping[str, Any]) -> None:
        key = export_log_key(transfer.client_id, transfer.connection_id, "PREVIEW", transfer.id, f"{number:06}")
        text = json.dumps(preview, ensure_ascii=False, default=str)
        self._table.put(key | {"data": text, "expires_at": expiry(transfer.created_at, _PREVIEW_DAYS)})

    @override
    def previews(self, client_id: str, connection_id: str, transfer_id: str) -> list[dict[str, Any]]:
        key = export_log_key(client_id, connection_id, "PREVIEW", transfer_id, "")
        return [json.loads(item["data"]) for item in self._table.read_all(key["pk"], key["sk"])]
