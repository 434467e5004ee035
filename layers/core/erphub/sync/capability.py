"""What syncs bring to the hub."""

from erphub.platform.capability import Act, Capability, EventType, Level, Limit, LimitKind, Permission, Variable

SYNC_MANAGE = Permission("sync:manage", "Set up what is sent to the ERP and fetched from it")
SYNC_RUN = Permission("sync:run", "Hand in documents, send them and mend what was refused", {"accountant"})
TRANSFER_FINISHED = EventType("transfer.finished", "A transfer has ended")
TRANSFER_FAILED = EventType("transfer.failed", "A transfer has failed", Level.ERROR)
EXPORT_REJECTED = EventType("export.rejected", "The ERP refused a document", Level.ERROR)
EXPORT_SILENT = EventType("export.silent", "Nothing was sent for longer than usual", Level.WARNING)
EXPORT_GAPS = EventType("export.gaps", "Settlements are missing between those that came", Level.WARNING)
EXPORT_APPROVED = EventType("export.approved", "A voucher in the ERP's inbox was approved there")
EXPORT_DISCARDED = EventType("export.discarded", "A voucher in the ERP's inbox was discarded there", Level.WARNING)
EXPORT_UNAPPROVED = EventType(
    "export.unapproved", "Vouchers in the ERP's inbox have waited long for approval", Level.WARNING
)
DOCUMENTS = Limit("documents_per_day", 200_000, "Documents handed in, new or changed", LimitKind.RATE, seconds=86400)
UPLOADS = Limit("uploads_per_day", 1_000, "Uploads opened", LimitKind.RATE, seconds=86400)

SETTINGS_SAVED = Act("sync.settings_saved", "The settings of sending were saved")
GIFT_CARD_CREATED = Act("sync.gift_card_product_created", "The product of gift cards was asked for in the ERP")
CHANGES_ACKNOWLEDGED = Act("changes.acknowledged", "The till took changes of the ERP over")
UPLOAD_CREATED = Act("upload.created", "A place for a file with documents was asked for")
UPLOAD_TAKEN = Act("upload.taken", "A file with documents was taken")
DOCUMENTS_RETRIED = Act("documents.retried", "Documents were let go again")
DOCUMENT_RETRIED = Act("document.retried", "A document was let go again")
DOCUMENT_SKIPPED = Act("document.skipped", "A document was left out for good")
DOCUMENT_POSTED = Act("document.posted_by_hand", "A document was marked as posted in the ERP")
DOCUMENT_PDF_KEPT = Act("document.pdf_kept", "A document's PDF was handed in or replaced")
TRANSFER_STARTED = Act("transfer.started", "A transfer was started by hand")

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
    events=(
        TRANSFER_FINISHED,
        TRANSFER_FAILED,
        EXPORT_REJECTED,
        EXPORT_SILENT,
        EXPORT_GAPS,
        EXPORT_APPROVED,
        EXPORT_DISCARDED,
        EXPORT_UNAPPROVED,
    ),
    limits=(DOCUMENTS, UPLOADS),
    environment=(
        Variable("EXPORT_LOG_TABLE"),
        Variable("TRANSFER_MACHINE_ARN"),
        Variable("TRANSFER_FUNCTION", needed_by=("sync.uploads.api", "sync.transfers.api", "sync.scheduler")),
        Variable("LAKE_BUCKET"),
        Variable("TENANT_ROLE", needed_by=("sync.tasks", "sync.documents.api", "sync.uploads.api")),
        Variable("RESEND_DELAY_SECONDS"),
    ),
    acts=(
        SETTINGS_SAVED,
        GIFT_CARD_CREATED,
        CHANGES_ACKNOWLEDGED,
        UPLOAD_CREATED,
        UPLOAD_TAKEN,
        DOCUMENTS_RETRIED,
        DOCUMENT_RETRIED,
        DOCUMENT_SKIPPED,
        DOCUMENT_POSTED,
        DOCUMENT_PDF_KEPT,
        TRANSFER_STARTED,
    ),
)
