"""What syncs bring to the hub."""

from erphub.platform.capability import Capability, EventType, Level, Limit, LimitKind, Permission, Variable

SYNC_MANAGE = Permission("sync:manage", "Set up what is sent to the ERP and fetched from it")
SYNC_RUN = Permission("sync:run", "Hand in documents, send them and mend what was refused", {"accountant"})
TRANSFER_FINISHED = EventType("transfer.finished", "A transfer has ended")
TRANSFER_FAILED = EventType("transfer.failed", "A transfer has failed", Level.ERROR)
EXPORT_REJECTED = EventType("export.rejected", "The ERP refused a document", Level.ERROR)
EXPORT_SILENT = EventType("export.silent", "Nothing was sent for longer than usual", Level.WARNING)
EXPORT_GAPS = EventType("export.gaps", "Settlements are missing between those that came", Level.WARNING)
DOCUMENTS = Limit("documents_per_day", 200_000, "Documents handed in, new or changed", LimitKind.RATE, seconds=86400)
UPLOADS = Limit("uploads_per_day", 1_000, "Uploads opened", LimitKind.RATE, seconds=86400)

capability = Capability(
    "sync",
    "Syncs",
    packages=(
        "sync.settings",
        "sync.documents",
        "sync.uploads",
        "sync.changes",
        "sync.transfers",
        "sync.export_log",
    ),
    permissions=(SYNC_MANAGE, SYNC_RUN),
    events=(TRANSFER_FINISHED, TRANSFER_FAILED, EXPORT_REJECTED, EXPORT_SILENT, EXPORT_GAPS),
    limits=(DOCUMENTS, UPLOADS),
    environment=(
        Variable("EXPORT_LOG_TABLE"),
        Variable("TRANSFER_MACHINE_ARN"),
        Variable("TRANSFER_FUNCTION", needed_by=("sync.uploads.api", "sync.transfers.api", "sync.scheduler")),
        Variable("LAKE_BUCKET"),
        Variable("RESEND_DELAY_SECONDS"),
    ),
)
