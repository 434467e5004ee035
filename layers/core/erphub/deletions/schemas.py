"""What is sent and shown about deletions."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.deletions.models import DeletedKindView, DeletionStatus, KeptKindView
from erphub.platform.actors import ActorView
from erphub.platform.wire import Model


class PlanView(Model):
    """Everything that is deleted with the connection, and what is kept."""

    plan_token: Annotated[str, Field(description="What DELETE needs, as `plan_token`, to delete exactly this")]
    expires_at: datetime
    grace_seconds: Annotated[int, Field(description="For how long it can be brought back once it is deleted")]
    deleted: list[DeletedKindView]
    kept: list[KeptKindView]


class DeletionQuery(Model):
    """What a DELETE of a connection must show."""

    plan_token: Annotated[
        str, Field(min_length=1, max_length=200, description="The `plan_token` of the last deletion-preview")
    ]


class DeletionView(Model):
    """A deletion as the connection's people see it."""

    id: str
    connection_id: str
    status: DeletionStatus
    requested_by: ActorView
    requested_at: datetime
    restorable_until: datetime
    deleted: list[DeletedKindView]
