"""Documents that a till hands in."""

from typing import Any

from erphub.platform.http.router import Router
from erphub.platform.identity import Member
from erphub.sync.capability import SYNC_RUN
from erphub.sync.documents.schemas import CashRegisterView, HandedInView, PdfQuery
from erphub.sync.documents.service import DocumentService, read_incoming

router = Router("Sync")
DOCUMENTS = "/clients/{client_id}/connections/{connection}/documents"


@router.post(DOCUMENTS + "/saft-cash-register", needs=SYNC_RUN, status=200)
def hand_in_cash_register(service: DocumentService, member: Member, connection: str, body: bytes) -> CashRegisterView:
    """Hand in the Z-reports of a SAF-T Cash Register file (XML, up to 4 MB; larger ones by upload)."""
    return CashRegisterView.of(service.submit_cash_register(member.client_id, connection, member.user, body))


@router.put(DOCUMENTS + "/{kind}/{external_id}", needs=SYNC_RUN)
def hand_in_document(
    service: DocumentService,
    member: Member,
    connection: str,
    kind: str,
    external_id: str,
    query: PdfQuery,
    body: dict[str, Any],
) -> HandedInView:
    """Hand in a settlement, invoice, customer or product; the same again changes nothing."""
    coming = read_incoming(kind, external_id, body)
    submitted = service.submit(member.client_id, connection, member.user, coming, pdf_follows=query.pdf)
    return HandedInView.of_submitted(submitted)
