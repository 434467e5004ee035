"""What the catalogue of ERP systems brings to the hub."""

from erphub.platform.capability import Capability

capability = Capability("erp", "ERP systems", packages=("erp",))
