"""A settlement's PDF: the till's own or as the hub renders it, put beside the voucher, and tried again alone."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from erphub.erp.documents import Document, Settlement
from erphub.erp.posting import Posted, Posting, PostsDocuments
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Invalid, NotFound
from erphub.platform.files import Files
from erphub.sync import problems
from erphub.sync.canonical import from_text
from erphub.sync.export_log.models import Attachment, Entry
from erphub.sync.transfers.attempts import AttemptContext, AttemptRecorder, erp_message_of, report_unexpected
from erphub.sync.transfers.ports import SettlementRenderer

MAX_PDF_BYTES = 10 * 1024 * 1024


def pdf_name(settlement: Settlement) -> str:
    """The name of a settlement's PDF: number, shop, register and day, in letters and digits that any system takes."""
    words = (str(settlement.number), settlement.department, settlement.till, settlement.date.isoformat())
    named = "-".join(filter(None, (re.sub(r"[^\w]+", "-", word).strip("-") for word in words)))
    return f"Z-{named}.pdf"


@dataclass(frozen=True)
class PdfAttacher:
    """Attaches PDFs for one transfer."""

    adapter: PostsDocuments
    recorder: AttemptRecorder
    files: Files
    renderer: SettlementRenderer
    resend_delay: timedelta

    def pdf(self, entry: Entry, document: Document) -> tuple[bytes | None, str]:
        """The till's own PDF, or without one the settlement as the hub renders it; and its name.

        None when it cannot be made, and when what the till handed over is none: then people are told, see `attach`.
        """
        if not isinstance(document, Settlement):
            return None, ""
        name = pdf_name(document)
        size = self.files.size(entry.pdf_file) if entry.wants_pdf_until else None
        if size is not None:
            pdf = self.files.read(entry.pdf_file) if 0 < size <= MAX_PDF_BYTES else b""
            return (pdf if pdf.startswith(b"%PDF-") else None), name
        try:
            return self.renderer.render(document), name
        except Exception as error:  # noqa: BLE001 — a PDF that cannot be made does not hold the voucher back
            report_unexpected(entry.id, error)
            return None, name

    def attach(self, entry: Entry, posted: Posted, posting: Posting) -> bool:
        """Attach the PDF to what was posted; whether it is there. Raises CredentialsRefused."""
        attempt = AttemptContext(entry, from_text(entry.body), posting, self.recorder.clock())
        try:
            if posting.pdf is None:
                raise self._no_pdf(entry)
            done = self.adapter.attach(posted, posting, posting.pdf, posting.pdf_name)
        except CredentialsRefused as error:
            self._try_later(attempt, error)
            raise
        except (ErpRefused, Invalid, NotFound) as error:
            self._refused(attempt, error)
            return False
        except HubError as error:
            self._try_later(attempt, error)
            return False
        except Exception as error:  # noqa: BLE001 — the voucher is there; attaching is repeated, and repeats safely
            report_unexpected(entry.id, error)
            self._try_later(attempt, problems.ATTACHING_FAILED())
            return False
        self.recorder.record(attempt, "attached", posted=done)
        self.recorder.update(
            entry,
            attachment=Attachment.ATTACHED,
            code="",
            detail=entry.detail if not entry.code else "",
            retry_at=None,
        )
        return True

    def _no_pdf(self, entry: Entry) -> ErpRefused:
        if entry.wants_pdf_until and self.files.size(entry.pdf_file) is not None:
            return problems.PDF_INVALID(maximum=MAX_PDF_BYTES >> 20)
        return problems.PDF_NOT_MADE()

    def _try_later(self, attempt: AttemptContext, error: HubError) -> None:
        wait = self.resend_delay * 2 ** min(attempt.entry.attempt_count, 6)
        self._not_attached(attempt, error, Attachment.FAILED, "attachment_failed", self.recorder.clock() + wait)

    def _refused(self, attempt: AttemptContext, error: HubError) -> None:
        """Trying again would only repeat it: it waits for somebody to retry it, or to say that it is not needed."""
        self._not_attached(attempt, error, Attachment.REFUSED, "attachment_refused", None)

    def _not_attached(
        self, attempt: AttemptContext, error: HubError, attachment: Attachment, code: str, retry_at: datetime | None
    ) -> None:
        self.recorder.record(attempt, code, error=error)
        self.recorder.update(
            attempt.entry,
            attachment=attachment,
            code=code,
            detail=f"The voucher is in the ERP, its PDF is not: {error.detail}",
            erp_message=erp_message_of(error),
            retry_at=retry_at,
        )
