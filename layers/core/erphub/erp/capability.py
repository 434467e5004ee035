"""What the catalogue of ERP systems brings to the hub."""

from erphub.platform.capability import Capability, Variable

capability = Capability(
    "erp", "ERP systems", packages=("erp",), environment=(Variable("EGRESS_ADDRESSES", needed_by=("erp.api",)),)
)
