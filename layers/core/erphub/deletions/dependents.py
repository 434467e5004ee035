"""What a deletion itself keeps of a connection."""

from erphub.platform.aws.removal import DependentItems, all_of_connection
from erphub.platform.aws.table import Table
from erphub.platform.removal import Dependent, RemovalStage

REMOVED_LAST = ("tenants:CONNECTION", "tenants:CONNECTION-NAME", "tenants:DELETION")
"""Items that `DeletionStore.delete` removes, all at once, when all else is gone."""


def deletion_dependents(table: Table) -> list[Dependent]:
    """What people were shown before they deleted."""
    return [
        DependentItems(
            "plans",
            "Plans of a deletion",
            RemovalStage.RECORDS,
            ("tenants:DELETION-PLAN",),
            shown=False,
            table=table,
            prefix=all_of_connection("DELETION-PLAN"),
        )
    ]
