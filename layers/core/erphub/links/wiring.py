"""How links are made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.links.mappings.service import MappingService
    from erphub.links.records.service import CrmRecordService
    from erphub.platform.limits import StockCount
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services


def crm_record_service(services: "Services") -> "CrmRecordService":
    """CRM records, for the API."""
    from erphub.links.records.dynamodb import CrmRecordTable
    from erphub.links.records.service import CrmRecordService
    from erphub.tenancy.actors import MemberDirectory
    from erphub.tenancy.limits import TenantLimits

    platform = services.platform
    return CrmRecordService(
        CrmRecordTable(platform.table), services.get(TenantLimits), services.get(MemberDirectory), platform.clock
    )


def mapping_service(services: "Services") -> "MappingService":
    """Mappings, for the API."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.erp_access import ErpAccess
    from erphub.links.mappings.dynamodb import MappingTable
    from erphub.links.mappings.service import MappingService
    from erphub.tenancy.actors import MemberDirectory

    platform, connections = services.platform, services.get(ConnectionTable)
    return MappingService(
        MappingTable(platform.table),
        connections,
        connections,
        services.get(ErpAccess),
        services.get(MemberDirectory),
        platform.clock,
    )


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of links hangs on a connection."""
    from erphub.links.dependents import link_dependents

    return link_dependents(services.platform.table)


def stock_counts(services: "Services") -> "Sequence[StockCount]":
    """Counts a client's CRM records."""
    from erphub.links.records.dynamodb import CrmRecordCount

    return (CrmRecordCount(services.platform.table),)


PROVIDES = (crm_record_service, mapping_service)
TAKES_PART = (dependents, stock_counts)
