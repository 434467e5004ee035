"""What is sent and shown about companies and licences."""

from typing import Annotated

from pydantic import Field

from erphub.platform.wire import Model, SearchQuery


class LicencesView(Model):
    """A customer's licences. A company counts once, however many connections have it."""

    used: int
    allowed: Annotated[int | None, Field(description="Null when there is no limit")]
    same_company_twice: Annotated[bool, Field(description="Whether a company may knowingly be connected again")]


class AllowedLicences(Model):
    """How many companies a customer may use."""

    allowed: Annotated[int | None, Field(ge=0, le=1_000_000, description="Null for no limit")]


class ChangedCustomer(Model):
    """What is to change about a customer."""

    same_company_twice: Annotated[bool, Field(description="Allow a company to be connected again, knowingly")]


class CompanyView(Model):
    """A company in use."""

    key: str
    name: str
    also_elsewhere: Annotated[
        bool, Field(description="Whether another connection of the customer has the same company")
    ] = False


class CompanyPage(Model):
    """A page of companies in use."""

    items: list[CompanyView]
    next: str | None


class ConnectedElsewhere(Model):
    """Where a company is connected already, as far as the caller may know, and what can be done about it."""

    client_id: str | None = None
    client: str | None = None
    connection_id: str | None = None
    connection: str | None = None
    owner: str | None = None
    offers: list[str]
    """`use_existing`: it is in a client of yours; `ask_owner`: ask to be let in; `go_on`: the customer allows twice."""


class CompanySearch(SearchQuery):
    """Words that stand in a company's name or key, whatever their case and accents."""
