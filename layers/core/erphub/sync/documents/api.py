"""Documents that a till hands in."""

from typing import Any

from erphub.platform.capability import NoAct
from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.sync.capability import SYNC_RUN
from erphub.sync.documents.schemas import CashRegisterView, PdfQuery, SubmittedDocumentView
from erphub.sync.documents.service import DocumentService, read_incoming
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


@router.put(DOCUMENTS + "/{kind}/{external_id}", needs=SYNC_RUN, audit=NoAct(_IN_THE_EXPORT_LOG))
def submit_document(
    service: DocumentService,
    actors: MemberDirectory,
    member: Member,
    connection_id: str,
    kind: str,
    external_id: str,
    query: PdfQuery,
    body: dict[str, Any],
) -> SubmittedDocumentView:
    """Hand in a settlement, invoice, customer or product; the same again changes nothing."""
    coming = read_incoming(kind, external_id, body)
    submitted = service.submit(member.client_id, connection_id, member.user, coming, pdf_follows=query.pdf)
    people = actors.find(member.client_id, [submitted.entry.posted_manually_by])
    return SubmittedDocumentView.of_submitted(submitted, people)
