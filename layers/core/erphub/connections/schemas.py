"""What is sent and shown about connections."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.connections.models import ConnectionStatus, LastTest, Voucher
from erphub.platform.actors import ActorView
from erphub.platform.wire import JsonObject, Model, Name
from erphub.tenancy.schemas import Version


class StatusReason(Model):
    """Why a connection has its status."""

    code: str
    detail: str
    restorable_until: Annotated[
        datetime | None, Field(description="Of one that is being deleted: until when it can be brought back")
    ] = None


class ConnectionView(Model):
    """A connection as its users see it; `settings`, `voucher` and `last_test` only if they may edit it."""

    id: str
    erp_system: str
    name: str
    owner: ActorView
    is_shared: bool
    can_edit: Annotated[bool, Field(description="Whether the caller may edit it")]
    status: ConnectionStatus
    status_since: datetime
    status_reason: Annotated[StatusReason | None, Field(description="Why it has this status")]
    settings: JsonObject | None
    includes_new_companies: bool
    voucher: Voucher | None
    last_test: LastTest | None
    created_at: datetime
    updated_at: datetime
    version: int

    @property
    def is_being_tested(self) -> bool:
        """Whether its last test still goes on."""
        return self.last_test is not None and self.last_test.finished_at is None


class ConnectionPage(Model):
    """A page of connections."""

    items: list[ConnectionView]
    next: str | None


class ChangedConnection(Model):
    """What is to change; what is left out, or null, stays as it is."""

    name: Name | None = None
    is_shared: bool | None = None
    version: Annotated[Version, Field()] = None


class NewOwner(Model):
    """The member who is to own the connection."""

    user_id: Annotated[str, Field(min_length=1, max_length=128, description="The member's user id")]
    version: Version = None
