"""What imported data bring to the hub."""

from erphub.platform.capability import Capability, Permission, Variable

DATA_VIEW = Permission("data:view", "Read imported data", {"accountant", "viewer"})

capability = Capability(
    "lake",
    "Imported data",
    packages=("lake.datasets", "lake.rows"),
    permissions=(DATA_VIEW,),
    environment=(
        Variable("LAKE_BUCKET"),
        Variable("TENANT_ROLE", needed_by=("lake.rows.api",)),
        Variable("READ_ONLY", needed_by=("lake.rows.api",)),
    ),
)
