"""A connection and its companies as they are kept."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from erphub.erp.probes import ProbeView
from erphub.platform.wire import JsonObject, Model


def secret_name(client_id: str, connection_id: str, edit: str | None) -> str:
    """The name of a connection's secret, below the deployment's prefix: the first one, or that of an edit."""
    return f"{client_id}/{connection_id}" + (f"/{edit}" if edit else "")


class ConnectionStatus(StrEnum):
    """Whether a connection works, and if not, who has to do something."""

    ACTIVE = "active"
    REAUTH_REQUIRED = "reauth_required"
    DEGRADED = "degraded"
    PAUSED = "paused"
    DELETING = "deleting"
    DELETED = "deleted"


class Voucher(Model):
    """Where documents that belong to vouchers are kept."""

    provider: str = "none"
    path: str | None = None


class LastTest(Model):
    """What the last test found; `probes` are empty while it goes on."""

    id: str
    started_at: datetime
    finished_at: datetime | None = None
    has_passed: bool | None = None
    probes: list[ProbeView] = Field(default_factory=list[ProbeView])
    problem: JsonObject | None = None


class Health(Model):
    """Since when a connection stands as it does and why; what to go back to, and what to make up for."""

    of: ConnectionStatus
    """The status all this is about; another status was given by an edit or a deletion since."""
    since: datetime
    reason: JsonObject | None = None
    paused_from: ConnectionStatus | None = None
    catch_up_from: datetime | None = None
    """When its schedules stopped; gone once what was missed is under way."""
    credentials_at: datetime | None = None
    """When its credentials were last entered: a refusal met by whoever began before says nothing about them."""
    sign_in_from: datetime | None = None
    """Its credentials were refused once, and that may pass: nobody signs in before, and then only who moves this on."""
    rev: int = 0


class Connection(Model):
    """A connection as it is kept; `settings` hold no secret."""

    id: str
    client_id: str
    erp_system: str
    name: str
    owner: str
    is_shared: bool
    status: ConnectionStatus = ConnectionStatus.ACTIVE
    settings: dict[str, Any]
    includes_new_companies: bool
    """Also those that are added to the ERP later."""
    voucher: Voucher = Voucher()
    last_test: LastTest | None = None
    secret: str | None = None
    """The edit (its wizard) that put the passwords in use; None while they are the first ones."""
    generation: str = ""
    """The wizard that chose the companies in use: all of them change in the moment in which this does."""
    health: Health | None = None
    """None until something has happened to it."""
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @property
    def status_since(self) -> datetime:
        """Since when it has this status."""
        return self.health.since if self.health and self.health.of is self.status else self.created_at

    @property
    def status_reason(self) -> JsonObject | None:
        """Why it has this status: a code and a sentence."""
        return self.health.reason if self.health and self.health.of is self.status else None

    @property
    def sign_in_from(self) -> datetime | None:
        """When work in the background may sign in once more; None while its credentials are not in doubt."""
        if self.health is None or self.status is not ConnectionStatus.DEGRADED or self.health.of is not self.status:
            return None
        return self.health.sign_in_from

    @property
    def is_operational(self) -> bool:
        """Whether its schedules go on."""
        return self.status in (ConnectionStatus.ACTIVE, ConnectionStatus.DEGRADED)

    @property
    def secret_name(self) -> str:
        """Where its passwords are now; an edit moves them: whoever finds nothing there reads the connection again."""
        return secret_name(self.client_id, self.id, self.secret)

    @property
    def is_being_deleted(self) -> bool:
        """Whether it is being deleted, or was."""
        return self.status in (ConnectionStatus.DELETING, ConnectionStatus.DELETED)


class Company(Model):
    """A company in use: the ERP's own key, and what the system wants to remember about it."""

    key: str
    name: str
    attributes: dict[str, Any] = Field(default_factory=dict)
