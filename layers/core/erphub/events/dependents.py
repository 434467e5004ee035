"""Events of a connection, and the keys under which one event is published once."""

from erphub.platform.aws.removal import DependentItems, all_of_client, all_of_connection
from erphub.platform.aws.table import Table
from erphub.platform.removal import Dependent, RemovalStage


def event_dependents(table: Table) -> list[Dependent]:
    """Notifications, and what keeps one from being published twice."""
    return [
        # Before the deliveries of webhooks: an event that the bus brings late is then known to be of a connection
        # that is no more.
        DependentItems(
            "notifications",
            "Notifications",
            RemovalStage.DATA,
            ("tenants:EVENT",),
            shown=False,
            table=table,
            prefix=all_of_client("EVENT"),
            belongs=lambda item, of: item.get("connection_id") == of.id,
        ),
        DependentItems(
            "event_keys",
            "Events that are published once",
            RemovalStage.RECORDS,
            ("tenants:EVENT-KEY",),
            shown=False,
            table=table,
            prefix=all_of_connection("EVENT-KEY"),
        ),
    ]
