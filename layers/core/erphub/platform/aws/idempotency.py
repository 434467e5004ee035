"""Answers of requests that may come twice, kept for a day beside the tenants' data."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, override

from erphub.platform import problems
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError, Unavailable, Uncertain
from erphub.platform.idempotency import IdempotencyStore
from erphub.platform.ids import repeatable
from erphub.platform.writes import Key

KEPT_SECONDS = 24 * 3600
LEASE_SECONDS = 30
"""API Gateway gives an answer 29 seconds: whoever has not answered by then is not going to."""
_MAY_HAVE_STORED = (Unavailable, Uncertain)
"""After these a repetition goes on where the work ended; after all other errors it begins from nothing."""


def answer_key(owner: str, key: str) -> Key:
    """The key of the answer to a request of an owner."""
    return make_key(f"IDEMPOTENCY#{owner}", "request", sha256(key.encode()).hexdigest()[:32])


@dataclass(frozen=True)
class IdempotencyRecords(IdempotencyStore):
    """Items under `IDEMPOTENCY#<owner>`: the request's digest, when it first came, until when it is being worked on,
    and its answer (`data`) once there is one.
    """

    table: Table
    clock: Clock

    @override
    def __call__(self, owner: str, key: str, request: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        place = answer_key(owner, key)
        record = self._begin(place, sha256(request.encode()).hexdigest())
        if (answer := record.get("data")) is not None:
            return json.loads(answer)
        try:
            with repeatable(int(record["first_at"]), owner, key):
                done = work()
        except HubError as error:
            self._give_up(place, keep=isinstance(error, _MAY_HAVE_STORED))
            raise
        except Exception:
            self._give_up(place, keep=True)
            raise
        self.table.update(place, "SET #data = :answer", names={"#data": "data"}, answer=json.dumps(done))
        return done

    def _begin(self, place: Key, request: str) -> Item:
        """The record, ours to work on unless it has an answer. Raises Conflict, Invalid."""
        now = self.clock()
        found = self.table.get(place)
        if found is not None and found["expires_at"] <= now.timestamp():
            found = None
        if found is not None and found["request"] != request:
            raise problems.IDEMPOTENCY_KEY_REUSED()
        if found is not None and "data" in found:
            return found
        first_at = _milliseconds(now) if found is None else int(found["first_at"])
        record = {
            **place,
            "request": request,
            "first_at": first_at,
            "leased_until": _milliseconds(now) + 1000 * LEASE_SECONDS,
            "expires_at": int(now.timestamp()) + KEPT_SECONDS,
        }
        try:
            self.table.put(
                record,
                condition="attribute_not_exists(pk) OR expires_at <= :today"
                " OR (attribute_not_exists(#data) AND leased_until < :now)",
                names={"#data": "data"},
                today=int(now.timestamp()),
                now=_milliseconds(now),
            )
        except VersionConflict as error:
            raise problems.IDEMPOTENCY_KEY_IN_USE() from error
        return record

    def _give_up(self, place: Mapping[str, str], *, keep: bool) -> None:
        """Let the next one begin at once: with the same identifiers, or as if this one had not been."""
        if keep:
            self.table.update(dict(place), "SET leased_until = :past", past=0)
        else:
            self.table.delete(dict(place))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
