"""What links bring to the hub."""

from erphub.platform.capability import Act, Capability, Limit, Permission

LINKS_VIEW = Permission("links:view", "See CRM records, and what they are linked to", {"accountant", "viewer"})
LINKS_MANAGE = Permission("links:manage", "Hand in CRM records, link them and undo it", {"accountant"})

CRM_RECORDS = Limit("crm_records", 100_000, "CRM records")

CRM_RECORD_DELETED = Act("crm_record.deleted", "A CRM record and all that was kept of it were deleted")
MAPPING_SAVED = Act("mapping.saved", "A mapping of fields was saved")

capability = Capability(
    "links",
    "Links",
    packages=("links.records", "links.mappings"),
    permissions=(LINKS_VIEW, LINKS_MANAGE),
    limits=(CRM_RECORDS,),
    acts=(CRM_RECORD_DELETED, MAPPING_SAVED),
)
