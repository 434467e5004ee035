"""What is sent and shown about companies and licences."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from erphub.platform.actors import ActorView
from erphub.platform.wire import Model, SearchQuery


class LicencesView(Model):
    """A customer's licences. A company counts once, however many connections have it."""

    licences_used: int
    licences_allowed: Annotated[int | None, Field(description="Null when there is no limit")]
    allow_duplicates: Annotated[bool, Field(description="Whether a company may be connected again")]


class ChangedLicences(Model):
    """How many companies a customer may use."""

    licences_allowed: Annotated[int | None, Field(ge=0, le=1_000_000, description="Null for no limit")]


class ChangedCustomer(Model):
    """What is to change about a customer."""

    allow_duplicates: Annotated[bool, Field(description="Allow a company to be connected again")]


class CompanyView(Model):
    """A company in use."""

    key: str
    name: str
    is_connected_elsewhere: Annotated[
        bool, Field(description="Whether another connection of the customer has the same company")
    ] = False


class CompanyPage(Model):
    """A page of companies in use."""

    items: list[CompanyView]
    next: str | None


class AllowedAction(StrEnum):
    """What can be done about a company that is connected already."""

    USE_EXISTING = "use_existing"
    """It is in a client of yours."""
    REQUEST_ACCESS = "request_access"
    """Ask to be let in."""
    TAKE_OVER = "take_over"
    """The connection that has it has all companies and sends nothing there: whoever names it has it from then on."""
    CONTINUE = "continue"
    """The customer allows a company to be connected again."""


class ConnectedElsewhere(Model):
    """Where a company is connected already, as far as the caller may know, and what can be done about it."""

    client_id: str | None = None
    client_name: str | None = None
    connection_id: str | None = None
    connection_name: str | None = None
    owner: ActorView | None = None
    allowed_actions: list[AllowedAction]


class CompanySearch(SearchQuery):
    """Words that stand in a company's name or key, whatever their case and accents."""
