"""A connection: one client's access to one installation of an ERP system, and its companies."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from .tenancy import Version
from .wire import JsonObject, Model, Name
from .wizard import ProbeView, secret_name


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
    passed: bool | None = None
    probes: list[ProbeView] = Field(default_factory=list[ProbeView])
    problem: JsonObject | None = None


class Connection(Model):
    """A connection as it is kept; `settings` hold no secret."""

    id: str
    client_id: str
    erp_system: str
    name: str
    owner: str
    shared: bool
    status: ConnectionStatus = ConnectionStatus.ACTIVE
    settings: dict[str, Any]
    all_companies: bool
    """Also those that are added to the ERP later."""
    voucher: Voucher = Voucher()
    last_test: LastTest | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @property
    def secret_name(self) -> str:
        """Where its passwords are."""
        return secret_name(self.client_id, self.id)


class Company(Model):
    """A company in use: the ERP's own key, and what the system wants to remember about it."""

    key: str
    name: str
    facts: dict[str, Any] = Field(default_factory=dict)


class ConnectionView(Model):
    """A connection as its users see it."""

    id: str
    erp_system: str
    name: str
    owner: str
    shared: bool
    status: ConnectionStatus
    settings: JsonObject
    all_companies: bool
    voucher: Voucher
    last_test: LastTest | None
    created_at: datetime
    updated_at: datetime
    version: int


class ConnectionPage(Model):
    """A page of connections."""

    items: list[ConnectionView]
    next: str | None


class CompanyView(Model):
    """A company in use."""

    key: str
    name: str


class CompanyPage(Model):
    """A page of companies in use."""

    items: list[CompanyView]
    next: str | None


class ChangedConnection(Model):
    """What is to change; what is left out stays."""

    name: Name | None = None
    shared: bool | None = None
    version: Annotated[Version, Field()] = None
