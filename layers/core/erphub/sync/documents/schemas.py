"""What is shown of documents handed in."""

from erphub.platform.wire import JsonObject, Model
from erphub.sync.export_log.schemas import HandedInView


class CashRegisterView(Model):
    """What a cash register file held."""

    settlements: list[HandedInView]
    refused: list[JsonObject]
    open_transactions: dict[str, int]
    """Transactions by register that no Z-report of the file closes."""
