"""Documents that a till hands in."""

from typing import Annotated, Any

from erphub.platform.capability import NoAct
from erphub.platform.http.router import AnyOf, Router
from erphub.platform.identity import Member
from erphub.sync.canonical import shapes_by_name
from erphub.sync.capability import DOCUMENT_PDF_KEPT, SYNC_RUN
from erphub.sync.documents.pdfs import DocumentPdfs
from erphub.sync.documents.reading import DocumentReader
from erphub.sync.documents.schemas import (
    CashRegisterView,
    DocumentQuery,
    DocumentView,
    PdfLink,
    PdfQuery,
    ReplaceQuery,
    SubmittedDocumentView,
    SubmittedPdfView,
)
from erphub.sync.documents.service import DocumentService, read_incoming
from erphub.sync.export_log.schemas import EntryPage
from erphub.tenancy.actors import MemberDirectory

router = Router("Sync")
DOCUMENTS = "/clients/{client_id}/connections/{connection_id}/documents"
_IN_THE_EXPORT_LOG = "A till hands documents in all day; the export log has an entry for each, with who handed it in."


@router.post(DOCUMENTS + "/saft-cash-register", needs=SYNC_RUN, audit=NoAct(_IN_THE_EXPORT_LOG), status=200)
def submit_cash_register_file(
    service: DocumentService, actors: MemberDirectory, member: Member, connection_id: str, body: bytes
) -> CashRegisterView:
    """Hand in the Z-reports of a SAF-T Cash Register file (XML, up to 4 MB; larger ones by upload)."""
    result = service.submit_cash_register(member.client_id, connection_id, member.user, body)
    people = [one.entry.posted_manually_by for one in result.settlements]
    return CashRegisterView.of(result, actors.find(member.client_id, people))


@router.get(DOCUMENTS, needs=SYNC_RUN)
def list_documents(
    reader: DocumentReader, actors: MemberDirectory, member: Member, connection_id: str, query: DocumentQuery
) -> EntryPage:
    """List documents that were handed in, the newest day first."""
    page = reader.list_documents(member.client_id, connection_id, query)
    return EntryPage.of(page, actors.find(member.client_id, [entry.posted_manually_by for entry in page.items]))


@router.get(DOCUMENTS + "/{kind}/{external_id}", needs=SYNC_RUN)
def get_document(
    reader: DocumentReader, actors: MemberDirectory, member: Member, connection_id: str, kind: str, external_id: str
) -> DocumentView:
    """Show a document as it was handed in and as it was sent, with its status, its reason and the ERP's reference."""
    entry, attempts = reader.get(member.client_id, connection_id, kind, external_id)
    return DocumentView.of_read(entry, attempts, actors.find(member.client_id, [entry.posted_manually_by]))


@router.get(DOCUMENTS + "/{kind}/{external_id}/pdf", needs=SYNC_RUN)
def get_document_pdf(pdfs: DocumentPdfs, member: Member, connection_id: str, kind: str, external_id: str) -> PdfLink:
    """Say where the till's own PDF of a document, the one that counts, can be fetched, for a few minutes."""
    return PdfLink.of(pdfs.link(member.client_id, connection_id, kind, external_id))


@router.put(DOCUMENTS + "/{kind}/{external_id}/pdf", needs=SYNC_RUN, audit=DOCUMENT_PDF_KEPT)
def submit_document_pdf(
    pdfs: DocumentPdfs,
    actors: MemberDirectory,
    member: Member,
    connection_id: str,
    kind: str,
    external_id: str,
    query: ReplaceQuery,
    body: bytes,
) -> SubmittedPdfView:
    """Hand in a settlement's PDF (up to 4 MB; a larger one by the address of `?pdf=true`).

    The same again changes nothing. Another one replaces it only when `replace` says so; each is kept.
    """
    named = (member.client_id, connection_id, kind, external_id)
    entry, outcome = pdfs.hand_in(named, member.user, body, replace=query.replace)
    return SubmittedPdfView.of_handed_in(entry, outcome, actors.find(member.client_id, [entry.posted_manually_by]))


@router.put(DOCUMENTS + "/{kind}/{external_id}", needs=SYNC_RUN, audit=NoAct(_IN_THE_EXPORT_LOG))
def submit_document(
    service: DocumentService,
    actors: MemberDirectory,
    member: Member,
    connection_id: str,
    kind: str,
    external_id: str,
    query: PdfQuery,
    body: Annotated[dict[str, Any], AnyOf("A document of the kind that the address says", shapes_by_name)],
) -> SubmittedDocumentView:
    """Hand in a settlement, invoice, customer or product; the same again changes nothing."""
    coming = read_incoming(kind, external_id, body)
    submitted = service.submit(member.client_id, connection_id, member.user, coming, pdf_follows=query.pdf)
    people = actors.find(member.client_id, [submitted.entry.posted_manually_by])
    return SubmittedDocumentView.of_submitted(submitted, people)
