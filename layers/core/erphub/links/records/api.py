"""CRM records: handed in, read, deleted."""

from erphub.links.capability import CRM_RECORD_DELETED, LINKS_MANAGE, LINKS_VIEW
from erphub.links.records.schemas import (
    CrmRecordResults,
    CrmRecordView,
    NewCrmRecord,
    NewCrmRecords,
    SubmittedCrmRecordView,
)
from erphub.links.records.service import CrmRecordService
from erphub.platform.capability import NoAct
from erphub.platform.http.router import Router
from erphub.platform.identity import Member

router = Router("Links")
RECORDS = "/clients/{client_id}/crm-records"
_KEPT_WITH_IT = "A CRM hands its records in all day; each says who did it last, and when."


@router.post(RECORDS, needs=LINKS_MANAGE, audit=NoAct(_KEPT_WITH_IT), status=200)
def submit_crm_records(service: CrmRecordService, member: Member, body: NewCrmRecords) -> CrmRecordResults:
    """Hand in up to 1,000 CRM records, each for itself; the same again changes nothing."""
    return service.submit_many(member, body)


@router.put(RECORDS + "/{entity}/{record_id}", needs=LINKS_MANAGE, audit=NoAct(_KEPT_WITH_IT))
def submit_crm_record(
    service: CrmRecordService, member: Member, entity: str, record_id: str, body: NewCrmRecord, version: int | None
) -> SubmittedCrmRecordView:
    """Hand in a CRM record; fields that are left out stay as they are, and the same again changes nothing."""
    return service.submit(member, entity, record_id, body, version)


@router.get(RECORDS + "/{entity}/{record_id}", needs=LINKS_VIEW)
def get_crm_record(service: CrmRecordService, member: Member, entity: str, record_id: str) -> CrmRecordView:
    """Show a CRM record as the hub has it."""
    return service.get(member, entity, record_id)


@router.delete(RECORDS + "/{entity}/{record_id}", needs=LINKS_MANAGE, audit=CRM_RECORD_DELETED)
def delete_crm_record(
    service: CrmRecordService, member: Member, entity: str, record_id: str, version: int | None
) -> None:
    """Delete a CRM record with all that the hub keeps of it; the CRM's own stays as it is."""
    service.delete(member, entity, record_id, version)
