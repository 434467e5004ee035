"""API keys of a client."""

from erphub.api_keys.capability import API_KEY_CREATED, API_KEY_REVOKED, API_KEY_ROTATED, API_KEYS
from erphub.api_keys.schemas import ApiKeyPage, ApiKeyView, KeyRotation, NewApiKey
from erphub.api_keys.service import ApiKeyService
from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.tenancy.capability import MEMBERS_MANAGE

router = Router("API keys")


@router.get("/clients/{client_id}/api-keys", needs=MEMBERS_MANAGE)
def list_api_keys(service: ApiKeyService, member: Member, query: PageQuery) -> ApiKeyPage:
    """List the API keys of a client, each with its last use and none with its secret."""
    return service.list_keys(member, query)


@router.post("/clients/{client_id}/api-keys", needs=MEMBERS_MANAGE, audit=API_KEY_CREATED, limit=API_KEYS)
def create_api_key(service: ApiKeyService, member: Member, body: NewApiKey) -> ApiKeyView:
    """Make an API key for a program, with a role that allows no more than your own; it is in this answer alone."""
    return service.create(member, body)


@router.get("/clients/{client_id}/api-keys/{key_id}", needs=MEMBERS_MANAGE)
def get_api_key(service: ApiKeyService, member: Member, key_id: str) -> ApiKeyView:
    """Get an API key, without its secret."""
    return service.get(member, key_id)


@router.post("/clients/{client_id}/api-keys/{key_id}/rotate", needs=MEMBERS_MANAGE, audit=API_KEY_ROTATED, status=200)
def rotate_api_key(service: ApiKeyService, member: Member, key_id: str, body: KeyRotation) -> ApiKeyView:
    """Give an API key a new secret, in this answer alone; those before it count for the overlap."""
    return service.rotate(member, key_id, body)


@router.delete("/clients/{client_id}/api-keys/{key_id}", needs=MEMBERS_MANAGE, audit=API_KEY_REVOKED)
def revoke_api_key(service: ApiKeyService, member: Member, key_id: str, version: int | None) -> None:
    """Revoke an API key; its next request is refused."""
    service.revoke(member, key_id, version)
