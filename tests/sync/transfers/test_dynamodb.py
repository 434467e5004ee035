"""The store of transfers keeps its promises, in memory and in DynamoDB alike."""

from datetime import UTC, datetime

from erphub.platform.aws.table import Table
from erphub.platform.ids import derived_id
from erphub.sync.transfers.dynamodb import TransferTable
from erphub.sync.transfers.models import Transfer

C, N = derived_id("client"), derived_id("connection")
NOW = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)


def test_transfers_are_listed_newest_first(table: Table) -> None:
    transfers = TransferTable(table)
    for number in range(3):
        name = f"{number:026}"
        transfers.save(Transfer(id=name, client_id=C, connection_id=N, started_by="ada", created_at=NOW), 30)
    page = transfers.page(C, N, 2, None)
    assert [one.id[-1] for one in page.items] == ["2", "1"]
    assert [one.id[-1] for one in transfers.page(C, N, 2, page.next).items] == ["0"]
