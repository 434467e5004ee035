"""What the wizard brings to the hub."""

from erphub.platform.capability import Capability, Variable

capability = Capability(
    "wizards",
    "Wizards",
    packages=("wizards",),
    environment=(Variable("CONNECT_MACHINE_ARN"),),
)
