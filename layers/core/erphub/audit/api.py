"""Who did what in a client and at its customer."""

from erphub.audit.capability import AUDIT_VIEW
from erphub.audit.schemas import AuditPage, AuditQuery
from erphub.audit.service import AuditLog
from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel, Member

router = Router("Audit log")


@router.get("/clients/{client_id}/audit", needs=AUDIT_VIEW)
def list_client_audit(service: AuditLog, member: Member, query: AuditQuery) -> AuditPage:
    """List who did what in the client, when and from where, the newest first."""
    return service.list_of_client(member, query)


@router.get("/customers/{customer_id}/audit", needs=AccessLevel.ANY_ADMINISTRATOR)
def list_customer_audit(service: AuditLog, customer_id: str, query: AuditQuery) -> AuditPage:
    """List what was done at the customer: clients, administrators, roles, licences, the newest first."""
    return service.list_of_customer(customer_id, query)
