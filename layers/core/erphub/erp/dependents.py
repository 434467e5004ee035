"""What adapters keep of a connection between requests: tokens, and how many calls its ERP still allows."""

from erphub.platform.aws.removal import DependentItems, all_of_connection
from erphub.platform.aws.table import Table
from erphub.platform.removal import Dependent, RemovalStage


def erp_dependents(table: Table) -> list[Dependent]:
    """Tokens, and calls that are left."""
    return [
        DependentItems(
            "tokens",
            "ERP tokens",
            RemovalStage.SECRETS,
            ("tenants:TOKEN",),
            shown=False,
            table=table,
            prefix=all_of_connection("TOKEN"),
        ),
        DependentItems(
            "rate_limits",
            "Calls left",
            RemovalStage.RECORDS,
            ("tenants:RATE-LIMIT",),
            shown=False,
            table=table,
            prefix=all_of_connection("RATE-LIMIT"),
        ),
    ]
