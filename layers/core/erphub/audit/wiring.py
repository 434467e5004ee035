"""How the audit log is made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from erphub.audit.service import AuditTrail
    from erphub.platform.services import Services


def audit_trail(services: "Services") -> "AuditTrail":
    """Who did what to a connection; `record` is for everybody who changes one."""
    from erphub.audit.dynamodb import AuditTable
    from erphub.audit.service import AuditTrail
    from erphub.platform import redaction

    platform = services.platform
    return AuditTrail(AuditTable(platform.table), redaction, platform.clock, platform.new_id)


PROVIDES = (audit_trail,)
