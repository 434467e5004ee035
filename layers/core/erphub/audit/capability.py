"""The audit log: what was done to connections, and by whom."""

from erphub.platform.capability import Capability

capability = Capability("audit", "Audit log")
