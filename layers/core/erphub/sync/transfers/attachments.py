"""A settlement's PDF: the till's own or as the hub renders it, put beside the voucher, and tried again alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from erphub.erp.documents import Document, Settlement
from erphub.erp.posting import Posted, Posting, PostsDocuments
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Invalid, NotFound
from erphub.sync.export_log.canonical import from_text, pdf_name
from erphub.sync.export_log.models import Attachment, Entry
from erphub.sync.export_log.ports import DocumentFiles
from erphub.sync.transfers.attempts import AttemptContext, AttemptRecorder, erp_message_of

LARGEST_PDF = 10 * 1024 * 1024


@dataclass(frozen=True)
class PdfAttacher:
    """Attaches PDFs for one transfer."""

    system: PostsDocuments
    book: AttemptRecorder
    papers: DocumentFiles
    settle: timedelta
    render: Callable[[Settlement], bytes]
    report: Callable[[str, HubError | Exception], None]

    def pdf(self, entry: Entry, document: Document) -> tuple[bytes | None, str]:
        """The till's own PDF, or the settlement as the hub renders it; and its name. None when it cannot be made."""
        if not isinstance(document, Settlement):
            return None, ""
        name = f"Z-{document.number}-{document.date.isoformat()}.pdf"
        size = self.papers.size(pdf_name(entry)) if entry.wants_pdf_until else None
        if size is not None and 0 < size <= LARGEST_PDF:
            pdf = self.papers.read(pdf_name(entry))
            if pdf.startswith(b"%PDF-"):
                return pdf, name
        try:
            return self.render(document), name
        except Exception as error:  # noqa: BLE001 — a PDF that cannot be made does not hold the voucher back
            self.report(entry.id, error)
            return None, name

    def attach(self, entry: Entry, posted: Posted, posting: Posting) -> bool:
        """Attach the PDF to what was posted; whether it is there. Raises CredentialsRefused."""
        trial = AttemptContext(entry, from_text(entry.body), posting, self.book.clock())
        try:
            if posting.pdf is None:
                raise ErpRefused("The PDF could not be made.", code="pdf_not_made")
            done = self.system.attach(posted, posting, posting.pdf, posting.pdf_name)
        except CredentialsRefused as error:
            self._again_later(trial, error)
            raise
        except (ErpRefused, Invalid, NotFound) as error:
            self._refused(trial, error)
            return False
        except HubError as error:
            self._again_later(trial, error)
            return False
        except Exception as error:  # noqa: BLE001 — the voucher is there; attaching is repeated, and repeats safely
            self.report(entry.id, error)
            self._again_later(trial, HubError("The PDF could not be attached.", code="internal_error"))
            return False
        self.book.note(trial, "attached", posted=done)
        self.book.put(
            entry,
            attachment=Attachment.ATTACHED,
            code="",
            detail=entry.detail if not entry.code else "",
            not_before=None,
        )
        return True

    def _again_later(self, trial: AttemptContext, error: HubError) -> None:
        wait = self.settle * 2 ** min(trial.entry.attempts, 6)
        self._not_attached(trial, error, Attachment.FAILED, "attachment_failed", self.book.clock() + wait)

    def _refused(self, trial: AttemptContext, error: HubError) -> None:
        """Trying again would only repeat it: it waits for somebody to retry it, or to say that it is not needed."""
        self._not_attached(trial, error, Attachment.REFUSED, "attachment_refused", None)

    def _not_attached(
        self, trial: AttemptContext, error: HubError, became: Attachment, code: str, not_before: datetime | None
    ) -> None:
        self.book.note(trial, code, error=error)
        self.book.put(
            trial.entry,
            attachment=became,
            code=code,
            detail=f"The voucher is in the ERP, its PDF is not: {error.detail}",
            erp_words=erp_message_of(error),
            not_before=not_before,
        )
