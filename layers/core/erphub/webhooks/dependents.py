"""Deliveries of a connection's events; the webhooks themselves are the client's."""

from erphub.platform.aws.removal import DependentItems, all_of_client
from erphub.platform.aws.table import Table
from erphub.platform.removal import Dependent, RemovalStage


def webhook_dependents(table: Table) -> list[Dependent]:
    """Deliveries, whether they succeeded or not."""
    return [
        DependentItems(
            "deliveries",
            "Webhook deliveries",
            RemovalStage.RECORDS,
            ("tenants:WEBHOOK-DELIVERY",),
            shown=False,
            table=table,
            prefix=all_of_client("WEBHOOK-DELIVERY"),
            belongs=lambda item, of: of.id in item["data"],
        )
    ]
