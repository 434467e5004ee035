"""Refused tries in the tenant table."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, override

from erphub.connections.attempts import Refusals, RefusalStore
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.wire import instant
from erphub.platform.writes import Key


class RefusalTable(RefusalStore):
    """One item per subject, in a partition of its own."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, subject: str) -> Refusals | None:
        item = self._table.get(refused_attempts_key(subject))
        return Refusals(int(item["refused"]), datetime.fromisoformat(item["last_at"])) if item else None

    @override
    def add(self, subject: str, answer: str, now: datetime, *, anew: bool) -> Refusals:
        counted = "refused = :one" if anew else "refused = if_not_exists(refused, :none) + :one"
        none: dict[str, Any] = {} if anew else {"none": 0}
        try:
            item = self._table.update(
                refused_attempts_key(subject),
                f"SET {counted}, last_at = :now, last_answer = :answer, expires_at = :gone",
                condition="attribute_not_exists(last_answer) OR last_answer <> :answer",
                one=1,
                **none,
                now=instant(now),
                answer=answer,
                gone=int((now + timedelta(days=1)).timestamp()),
            )
        except VersionConflict:  # this answer was counted before
            item = self._table.get(refused_attempts_key(subject)) or {"refused": 1, "last_at": instant(now)}
        return Refusals(int(item["refused"]), datetime.fromisoformat(item["last_at"]))


def refused_attempts_key(subject: str) -> Key:
    """The key of the refused tries of a subject, whose own words are not in it."""
    return make_key(f"ATTEMPTS#{sha256(subject.encode()).hexdigest()}", "ATTEMPTS")
