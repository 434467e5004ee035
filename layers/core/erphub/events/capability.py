"""What events and notifications bring to the hub."""

from erphub.platform.capability import Capability, Variable

capability = Capability("events", "Notifications", packages=("events",), environment=(Variable("EVENT_BUS"),))
