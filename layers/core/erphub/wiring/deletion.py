"""Connections that go, with all that hangs on them."""

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from ..aws.table import Table
from . import connect, house, imports

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..deletion import Deleting, DeletionDesk
    from ..ports.deletion import Kind


@cache
def _kinds() -> "list[Kind]":
    from ..aws.dependents import Stores, kinds
    from ..aws.machines import StateMachine
    from ..aws.objects import Bucket
    from ..aws.secrets import SecretsManager

    given = house.settings()
    return kinds(
        Stores(
            house.table(),
            Table(given.export_log_table),
            Bucket(given.lake_bucket),
            house.secrets(),
            SecretsManager(given.secret_prefix).names,
            StateMachine(given.connect_machine),
            StateMachine(given.import_machine),
            house.clock,
            _erase_from_lake,
            lambda client, connection: connect.identities().held(client, connection),
            lambda client, connection: connect.identities().release(client, connection),
        )
    )


def require_alive(client_id: str, connection_id: str) -> None:
    """Nothing begins on a connection that is being deleted. Raises Conflict."""
    from ..deletion import refuse_condemned

    refuse_condemned(house.connection_table().get(client_id, connection_id))


def _erase_from_lake(client_id: str, connection_id: str, time_left: "Callable[[], float]") -> bool:
    """Only the function that removes carries the table engine; those that only count never come here."""
    from ..aws.lake_removal import LakeRemoval
    from ..aws.objects import Bucket

    bucket = house.settings().lake_bucket
    removal = LakeRemoval(f"s3://{bucket}", Bucket(bucket), imports.lake_options())
    return removal.remove(client_id, connection_id, time_left)


@cache
def desk() -> "DeletionDesk":
    """Deletion, for the API."""
    from ..aws.deletions import DeletionTable
    from ..aws.machines import StateMachine
    from ..deletion import DeletionDesk

    return DeletionDesk(
        DeletionTable(house.table()),
        house.connection_table(),
        _kinds(),
        StateMachine(house.settings().delete_machine),
        house.audit(),
        house.editors().connection,
        connect.connections().get,
        house.clock,
        timedelta(seconds=house.settings().grace_seconds),
    )


@cache
def deleting() -> "Deleting":
    """The tasks of delete.asl.json."""
    from ..aws.deletions import DeletionTable
    from ..deletion import Deleting

    return Deleting(DeletionTable(house.table()), house.connection_table(), _kinds(), house.audit(), house.clock)
