"""How the services of customers, clients, roles and members are made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services
    from erphub.tenancy.access import Authorizer
    from erphub.tenancy.actors import MemberDirectory
    from erphub.tenancy.dynamodb import TenancyTable
    from erphub.tenancy.service import TenancyService


def tenancy_table(services: "Services") -> "TenancyTable":
    """Customers, clients, roles and members, as they are kept."""
    from erphub.tenancy.dynamodb import TenancyTable

    return TenancyTable(services.platform.table)


def authorizer(services: "Services") -> "Authorizer":
    """Who may do what."""
    from erphub.tenancy.access import Authorizer
    from erphub.tenancy.dynamodb import TenancyTable

    return Authorizer(services.get(TenancyTable))


def member_directory(services: "Services") -> "MemberDirectory":
    """Names of those who did something in a client."""
    from erphub.tenancy.actors import MemberDirectory
    from erphub.tenancy.dynamodb import TenancyTable

    return MemberDirectory(services.get(TenancyTable))


def tenancy_service(services: "Services") -> "TenancyService":
    """Customers, clients, roles, members."""
    from erphub.tenancy.cognito import CognitoUsers
    from erphub.tenancy.dynamodb import TenancyTable
    from erphub.tenancy.service import TenancyService

    platform = services.platform
    users = CognitoUsers(platform.settings.user_pool)
    return TenancyService(services.get(TenancyTable), users, platform.clock, platform.new_id)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of answered requests hangs on a connection."""
    from erphub.tenancy.dependents import tenancy_dependents

    platform = services.platform
    return tenancy_dependents(platform.table)


PROVIDES = (tenancy_table, authorizer, member_directory, tenancy_service)
TAKES_PART = (dependents,)
