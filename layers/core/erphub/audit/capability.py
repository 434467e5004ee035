"""The trail of what was done to connections, as the hub lists it."""

from erphub.platform.capability import Capability

capability = Capability("audit", "Audit log")
