"""What links keep of a connection."""

from erphub.platform.aws.removal import DependentItems, all_of_connection
from erphub.platform.aws.table import Table
from erphub.platform.removal import Dependent, RemovalStage


def link_dependents(table: Table) -> list[Dependent]:
    """Its mappings."""
    prefix = all_of_connection("LINK-MAPPING")
    holds = ("tenants:LINK-MAPPING",)
    return [DependentItems("mappings", "Mappings", RemovalStage.RECORDS, holds, table=table, prefix=prefix)]
