"""Connections that go, with all that hangs on them."""

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from erphub.platform.aws.table import Table
from erphub.wiring import connect, house, imports

if TYPE_CHECKING:
    from collections.abc import Callable

    from erphub.deletions.service import DeletionService
    from erphub.deletions.tasks import DeletionTasks
    from erphub.platform.removal import Dependent


@cache
def _kinds() -> "list[Dependent]":
    from erphub.deletions.dependents import Stores, kinds
    from erphub.platform.aws.objects import Bucket
    from erphub.platform.aws.secrets import SecretsManager
    from erphub.platform.aws.state_machines import StepFunctionsMachine

    given = house.settings()
    return kinds(
        Stores(
            house.table(),
            Table(given.export_log_table),
            Bucket(given.lake_bucket),
            house.secrets(),
            SecretsManager(given.secret_prefix).names,
            StepFunctionsMachine(given.connect_machine),
            StepFunctionsMachine(given.import_machine),
            house.clock,
            _erase_from_lake,
            lambda client, connection: connect.identities().held(client, connection),
            lambda client, connection: connect.identities().release(client, connection),
        )
    )


def require_alive(client_id: str, connection_id: str) -> None:
    """Nothing begins on a connection that is being deleted. Raises Conflict."""
    from erphub.connections.access import require_active

    require_active(house.connection_table().get(client_id, connection_id))


def _erase_from_lake(client_id: str, connection_id: str, time_left: "Callable[[], float]") -> bool:
    """Only the function that removes carries the table engine; those that only count never come here."""
    from erphub.lake.delta.removal import LakeRemoval
    from erphub.platform.aws.objects import Bucket

    bucket = house.settings().lake_bucket
    removal = LakeRemoval(f"s3://{bucket}", Bucket(bucket), imports.lake_options())
    return removal.remove(client_id, connection_id, time_left)


@cache
def desk() -> "DeletionService":
    """Deletion, for the API."""
    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.service import DeletionService
    from erphub.platform.aws.state_machines import StepFunctionsMachine

    return DeletionService(
        DeletionTable(house.table()),
        house.connection_table(),
        _kinds(),
        StepFunctionsMachine(house.settings().delete_machine),
        house.audit(),
        house.editors().connection,
        connect.connections().get,
        house.clock,
        timedelta(seconds=house.settings().grace_seconds),
    )


@cache
def deleting() -> "DeletionTasks":
    """The tasks of delete.asl.json."""
    from erphub.deletions.dynamodb import DeletionTable
    from erphub.deletions.tasks import DeletionTasks

    return DeletionTasks(DeletionTable(house.table()), house.connection_table(), _kinds(), house.audit(), house.clock)
