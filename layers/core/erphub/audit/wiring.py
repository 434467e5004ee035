"""How the audit log is made."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from erphub.audit.service import AuditLog
    from erphub.platform.acts import ActLog
    from erphub.platform.services import Services


def audit_log(services: "Services") -> "AuditLog":
    """Who did what; `record` and `entry` are for whoever writes an act of their own."""
    from erphub.audit.dynamodb import AuditTable
    from erphub.audit.service import AuditLog
    from erphub.platform import redaction
    from erphub.tenancy.actors import MemberDirectory

    platform = services.platform
    actors = services.get(MemberDirectory)
    return AuditLog(AuditTable(platform.table), redaction, actors, platform.clock, platform.new_id)


def act_log(services: "Services") -> "ActLog":
    """The same, for lower capabilities."""
    from erphub.audit.service import AuditLog

    return services.get(AuditLog)


PROVIDES = (audit_log,)
TAKES_PART = (act_log,)
