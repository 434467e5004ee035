"""The audit log: what was done in a client and at its customer, and by whom."""

from erphub.platform.capability import Capability, Permission

AUDIT_VIEW = Permission("audit:view", "See who did what in the client, when and from where")

capability = Capability("audit", "Audit log", packages=("audit",), permissions=(AUDIT_VIEW,))
