"""How the services of API keys are made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.api_keys.service import ApiKeyService
    from erphub.api_keys.usage import KeyUsage
    from erphub.platform.limits import StockCount
    from erphub.platform.services import Services


def api_key_service(services: "Services") -> "ApiKeyService":
    """API keys, for the API."""
    from erphub.api_keys.credentials.dynamodb import CredentialTable
    from erphub.api_keys.dynamodb import ApiKeyTable, KeyUseTable
    from erphub.api_keys.service import ApiKeyService
    from erphub.events.publisher import EventPublisher
    from erphub.tenancy.actors import MemberDirectory
    from erphub.tenancy.dynamodb import RoleTable

    platform = services.platform
    return ApiKeyService(
        ApiKeyTable(platform.table),
        KeyUseTable(platform.table),
        CredentialTable(platform.table),
        RoleTable(platform.table),
        services.get(EventPublisher),
        services.get(MemberDirectory),
        platform.clock,
        platform.new_id,
    )


def key_usage(services: "Services") -> "KeyUsage":
    """Programs at work."""
    from erphub.api_keys.dynamodb import KeyUseTable
    from erphub.api_keys.usage import AuditedRefusals, KeyUsage, LoggedRefusals
    from erphub.audit.service import AuditLog
    from erphub.events.publisher import EventPublisher

    platform = services.platform
    uses = KeyUseTable(platform.table)
    if platform.settings.is_read_only:
        return KeyUsage(uses, LoggedRefusals(), platform.clock)
    notices = AuditedRefusals(uses, services.get(AuditLog), services.get(EventPublisher))
    return KeyUsage(uses, notices, platform.clock)


def stock_counts(services: "Services") -> "Sequence[StockCount]":
    """Counts the API keys of a client."""
    from erphub.api_keys.capability import API_KEYS
    from erphub.api_keys.dynamodb import api_key_key
    from erphub.platform.aws.limits import StoredCount

    table = services.platform.table
    return (StoredCount(API_KEYS, table, lambda client: api_key_key(client, "")),)


PROVIDES = (api_key_service, key_usage)
TAKES_PART = (stock_counts,)
