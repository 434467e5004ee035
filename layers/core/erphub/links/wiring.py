"""How links are made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.links.records.service import CrmRecordService
    from erphub.platform.limits import StockCount
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


def stock_counts(services: "Services") -> "Sequence[StockCount]":
    """Counts a client's CRM records."""
    from erphub.links.records.dynamodb import CrmRecordCount

    return (CrmRecordCount(services.platform.table),)


PROVIDES = (crm_record_service,)
TAKES_PART = (stock_counts,)
