"""A settlement's PDF: the till's own or as the hub renders it, put beside the voucher, and tried again alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from erphub.erp.documents import Document, Settlement
from erphub.erp.posting import Posted, Posting, PostsDocuments
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Invalid, NotFound
from erphub.sync import problems
from erphub.sync.canonical import from_text
from erphub.sync.export_log.models import BY_THE_HUB, Attachment, Entry
from erphub.sync.export_log.pdfs import HandedPdfs
from erphub.sync.transfers.attempts import AttemptContext, AttemptRecorder, erp_message_of, report_unexpected
from erphub.sync.transfers.ports import SettlementRenderer


def pdf_name(settlement: Settlement) -> str:
    """The name of a settlement's PDF: number, shop, register and day, in letters and digits that any system takes."""
    words = (str(settlement.number), settlement.department, settlement.till, settlement.date.isoformat())
    named = "-".join(filter(None, (re.sub(r"[^\w]+", "-", word).strip("-") for word in words)))
    return f"Z-{named}.pdf"


@dataclass(frozen=True)
class ChosenPdf:
    """A PDF that goes with a document, its name, and what its entry is to say of it; none when it cannot be made."""

    content: bytes | None = None
    name: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class PdfAttacher:
    """Attaches PDFs for one transfer."""

    adapter: PostsDocuments
    recorder: AttemptRecorder
    handed: HandedPdfs
    renderer: SettlementRenderer
    resend_delay: timedelta

    def choose(self, entry: Entry, document: Document) -> ChosenPdf:
        """The till's own PDF, or without one the settlement as the hub renders it."""
        if not isinstance(document, Settlement):
            return ChosenPdf()
        name, handed = pdf_name(document), self.handed.look(entry)
        changes = handed.changes(entry)
        if handed.chosen is not None:
            return ChosenPdf(self.handed.content(handed.chosen), name, changes | {"offered_pdf": handed.chosen.digest})
        try:
            return ChosenPdf(self.renderer.render(document), name, changes | {"offered_pdf": BY_THE_HUB})
        except Exception as error:  # noqa: BLE001 — a PDF that cannot be made does not hold the voucher back
            report_unexpected(entry.id, error)
            return ChosenPdf(None, name, changes)

    def attach(self, entry: Entry, posted: Posted, posting: Posting) -> bool:
        """Attach the PDF to what was posted; whether it is there. Raises CredentialsRefused."""
        attempt = AttemptContext(entry, from_text(entry.body), posting, self.recorder.clock())
        try:
            if posting.pdf is None:
                raise problems.PDF_NOT_MADE()
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
