"""CRM records: handed in one by one or together, read, and deleted.

Handing in is a statement about some fields: those left out stay as they are. The same statement again changes nothing,
so whoever lost the answer hands the record in once more. A CRM that numbers its states is protected from its own late
messages: what is older than what the hub has is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from erphub.links import problems
from erphub.links.capability import CRM_RECORDS
from erphub.links.records.models import MAX_RECORD_BYTES, CrmEntity, CrmRecord, RecordChange, RecordKey
from erphub.links.records.ports import MAX_CHANGES, CrmRecordStore
from erphub.links.records.schemas import (
    CrmRecordResult,
    CrmRecordResults,
    CrmRecordView,
    NewCrmRecord,
    NewCrmRecords,
    SubmittedCrmRecordView,
)
from erphub.platform.actors import ActorDirectory
from erphub.platform.acts import describe_act
from erphub.platform.capability import LimitScope
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError, Invalid
from erphub.platform.identity import Member
from erphub.platform.lexical import is_external_id
from erphub.platform.limits import Limits, Owner
from erphub.platform.problems import STOCK_EXHAUSTED, VERSION_CONFLICT
from erphub.platform.versions import is_wanted, require_version

_ATTEMPTS = 5


@dataclass(frozen=True)
class _Submission:
    """A record on its way in."""

    key: RecordKey
    body: NewCrmRecord
    version: int | None = None
    """The record's that it was made from (`platform.versions`); None where that does not matter."""


@dataclass(frozen=True)
class CrmRecordService:
    """The use cases of CRM records."""

    store: CrmRecordStore
    limits: Limits
    actors: ActorDirectory
    clock: Clock

    def submit(
        self, member: Member, entity: str, record_id: str, body: NewCrmRecord, version: int | None = None
    ) -> SubmittedCrmRecordView:
        """Take a record. Raises NotFound, Invalid, TooLarge, LimitReached, Conflict (`another_crm`,
        `crm_record_outdated`, `version_conflict` when it is not of that version)."""
        key = _record_key(entity, record_id)
        if key is None:
            raise Invalid.of(problems.RECORD_ID_INVALID("/record_id"))
        submission = _Submission(key, body, version)
        (result,) = self._save(member, [submission])
        if isinstance(result, HubError):
            raise result
        actors = self.actors.find(member.client_id, [result.after.updated_by])
        return SubmittedCrmRecordView.of_change(result, actors)

    def submit_many(self, member: Member, body: NewCrmRecords) -> CrmRecordResults:
        """Take records, each for itself: one that is refused keeps back no other.

        Raises Invalid (`crm_record_twice`), Unavailable: then those before may have been taken; hand all in again.
        """
        submissions = [_Submission(RecordKey(one.entity, one.record_id), one) for one in body.records]
        seen: set[RecordKey] = set()
        for at, one in enumerate(submissions):
            if one.key in seen:
                raise problems.CRM_RECORD_TWICE.alone(f"/records/{at}")
            seen.add(one.key)
        results: list[CrmRecordResult] = []
        for some in batched(submissions, MAX_CHANGES, strict=False):
            saved = self._save(member, some)
            results += [_result(one.key, result) for one, result in zip(some, saved, strict=True)]
        return CrmRecordResults(results=results)

    def get(self, member: Member, entity: str, record_id: str) -> CrmRecordView:
        """One record. Raises NotFound."""
        record = self._read(member.client_id, entity, record_id)
        return CrmRecordView.of(record, self.actors.find(member.client_id, [record.updated_by]))

    def delete(self, member: Member, entity: str, record_id: str, version: int | None = None) -> None:
        """Remove a record with all that is kept of it. Raises NotFound, Conflict (`version_conflict`)."""
        for _ in range(_ATTEMPTS):
            record = self._read(member.client_id, entity, record_id)
            require_version(version, record.version)
            # What was in it is the person's whom it told of; that it is gone is all that stays.
            describe_act(old={"entity": record.entity, "record_id": record.record_id})
            if self.store.delete(record):
                return
        raise VERSION_CONFLICT()

    def _read(self, client_id: str, entity: str, record_id: str) -> CrmRecord:
        key = _record_key(entity, record_id)
        record = self.store.get(client_id, key) if key else None
        if record is None:
            raise problems.CRM_RECORD_NOT_FOUND()
        return record

    def _save(self, member: Member, submissions: Sequence[_Submission]) -> list[RecordChange | HubError]:
        """What becomes of each: kept all together, but for those that are refused."""
        owner = Owner(LimitScope.CLIENT, member.client_id)
        for _ in range(_ATTEMPTS):
            crm = self.store.crm(member.client_id)
            taken_by = crm.name if crm and crm.record_count else None
            there = self.store.get_many(member.client_id, [one.key for one in submissions])
            maximum = self.limits.maximum(CRM_RECORDS, owner)
            available = maximum - (crm.record_count if crm else 0)
            judged = list(self._judge(member, submissions, there, taken_by, available, maximum))
            changes = [one for one in judged if isinstance(one, RecordChange) and one.after != one.before]
            if not changes or self.store.save(member.client_id, changes[0].after.crm, changes, maximum):
                return judged
        raise VERSION_CONFLICT()

    def _judge(
        self,
        member: Member,
        submissions: Sequence[_Submission],
        there: Mapping[RecordKey, CrmRecord],
        crm: str | None,
        available: int,
        maximum: int,
    ) -> Iterator[RecordChange | HubError]:
        for one in submissions:
            before = there.get(one.key)
            crm = crm or one.body.crm  # several that come first: the first of them says which CRM it is
            after = self._merged(member, one, before)
            refusal = _refusal(one, before, after, crm)
            if refusal is None and before is None:
                available -= 1
                if available < 0:
                    summary = CRM_RECORDS.summary.lower()
                    refusal = STOCK_EXHAUSTED(maximum=maximum, summary=summary, limit=CRM_RECORDS.name)
            if refusal is None and _size(after) > MAX_RECORD_BYTES:
                refusal = problems.CRM_RECORD_TOO_LARGE(maximum=MAX_RECORD_BYTES >> 10)
            yield refusal or RecordChange(before, after)

    def _merged(self, member: Member, submission: _Submission, before: CrmRecord | None) -> CrmRecord:
        """The record with what was stated; the very same when that says nothing new."""
        body, now = submission.body, self.clock()
        stated: dict[str, Any] = {"revision": body.revision} if body.revision is not None else {}
        if "parent_id" in body.model_fields_set:
            stated["parent_id"] = body.parent_id
        if before is None:
            return CrmRecord(
                client_id=member.client_id,
                crm=body.crm,
                entity=submission.key.entity,
                record_id=submission.key.record_id,
                fields=body.fields,
                created_at=now,
                updated_at=now,
                updated_by=member.user,
                **stated,
            )
        stated["fields"] = {**before.fields, **body.fields}
        if before.model_copy(update=stated) == before:
            return before
        anew = {"version": before.version + 1, "updated_at": now, "updated_by": member.user}
        return before.model_copy(update=stated | anew)


def _refusal(submission: _Submission, before: CrmRecord | None, after: CrmRecord, crm: str) -> HubError | None:
    body = submission.body
    if not is_wanted(submission.version, before.version if before else None):
        return VERSION_CONFLICT()
    if body.crm != crm:
        return problems.ANOTHER_CRM(crm=crm)
    if before is None or before.revision is None or body.revision is None:
        return None
    is_news = body.revision > before.revision or (body.revision == before.revision and after == before)
    return None if is_news else problems.CRM_RECORD_OUTDATED(revision=before.revision)


def _record_key(entity: str, record_id: str) -> RecordKey | None:
    """The record that an address is about; None where no record can have it. Raises NotFound for an unknown kind."""
    if entity not in {known.value for known in CrmEntity}:
        raise problems.UNKNOWN_CRM_ENTITY(entity=entity)
    return RecordKey(CrmEntity(entity), record_id) if is_external_id(record_id) else None


def _size(record: CrmRecord) -> int:
    return sum(len(name) + len((value or "").encode()) for name, value in record.fields.items())


def _result(key: RecordKey, result: RecordChange | HubError) -> CrmRecordResult:
    if isinstance(result, HubError):
        return CrmRecordResult(
            entity=key.entity,
            record_id=key.record_id,
            outcome=None,
            version=None,
            code=result.code,
            detail=result.detail,
        )
    return CrmRecordResult(
        entity=key.entity, record_id=key.record_id, outcome=result.outcome, version=result.after.version
    )
