"""What notes keep of a connection."""

from erphub.platform.aws.removal import DependentItems, all_of_connection
from erphub.platform.aws.table import Table
from erphub.platform.removal import Dependent, RemovalStage


def note_dependents(table: Table) -> list[Dependent]:
    """The notes themselves."""
    prefix = all_of_connection("NOTE")
    return [DependentItems("notes", "Notes", RemovalStage.RECORDS, ("tenants:NOTE",), table=table, prefix=prefix)]
