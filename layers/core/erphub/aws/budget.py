"""How many calls a connection's ERP allows, counted in the tenant table by everybody who uses the connection.

Each process takes its calls by the dozen, so that counting costs a write for a dozen calls; whether the ERP has asked
us to wait is looked up once a second. Calls that a process took and did not make are lost for the hour, so the limit is
kept and never exceeded.
"""

from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from ..ports.budget import waiting
from ..ports.world import Clock
from . import keys
from .table import Item, Table, Taken

DOZEN = 12
LOOK_EVERY = timedelta(seconds=1)


class BudgetTable:
    """Satisfies `ports.budget.Budget` for one connection."""

    def __init__(self, table: Table, client_id: str, connection_id: str, clock: Clock) -> None:
        self._table = table
        self._client = client_id
        self._connection = connection_id
        self._clock = clock
        self._lock = Lock()
        self._taken: dict[str, tuple[datetime, int]] = {}
        self._looked: dict[str, datetime] = {}
        self._blocked: dict[str, datetime] = {}

    def take(self, kind: str, hourly: int | None = None) -> None:
        """See the port."""
        with self._lock:
            now = self._clock()
            self._look(kind, now)
            until = self._blocked.get(kind)
            if until is not None and until > now:
                raise waiting(until, now, "The ERP has asked us to wait.")
            if hourly is not None:
                self._count(kind, hourly, now)

    def block(self, kind: str, until: datetime) -> None:
        """See the port. A longer wait that somebody else was told stands."""
        with self._lock:
            self._blocked[kind] = max(until, self._blocked.get(kind, until))
            try:
                self._table.update(
                    keys.budget(self._client, self._connection, kind),
                    "SET blocked_until = :until, expires_at = :gone",
                    condition="attribute_not_exists(blocked_until) OR blocked_until < :until",
                    until=_stamp(until),
                    gone=_gone(until),
                )
            except Taken:
                return  # it waits longer already

    def _look(self, kind: str, now: datetime) -> None:
        looked = self._looked.get(kind)
        if looked is not None and looked <= now < looked + LOOK_EVERY:
            return
        item = self._table.get(keys.budget(self._client, self._connection, kind), consistent=False) or {}
        self._looked[kind] = now
        if "blocked_until" in item:
            until = datetime.fromisoformat(item["blocked_until"])
            self._blocked[kind] = max(until, self._blocked.get(kind, until))

    def _count(self, kind: str, hourly: int, now: datetime) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        mine, left = self._taken.get(kind, (hour, 0))
        if mine != hour or left == 0:
            left = self._fetch(kind, hourly, hour, now)
        self._taken[kind] = (hour, left - 1)

    def _fetch(self, kind: str, hourly: int, hour: datetime, now: datetime) -> int:
        """Take some of the hour's calls from the table. Raises Unavailable when there are none."""
        key = keys.budget(self._client, self._connection, kind)
        wanted = min(DOZEN, hourly)
        for calls in dict.fromkeys((wanted, 1)):
            for change, condition in (
                ("SET used = used + :calls, expires_at = :gone", "this_hour = :hour AND used <= :rest"),
                (
                    "SET this_hour = :hour, used = :calls, expires_at = :gone",
                    "attribute_not_exists(this_hour) OR this_hour < :hour",
                ),
            ):
                values: dict[str, Any] = {"hour": _stamp(hour), "calls": calls, "gone": _gone(hour)}
                if ":rest" in condition:
                    values["rest"] = hourly - calls
                if self._updated(key, change, condition, values) is not None:
                    return calls
        end = hour + timedelta(hours=1)
        raise waiting(end, now, f"The ERP allows {hourly} calls an hour, and this hour's are used up.")

    def _updated(self, key: keys.Key, change: str, condition: str, values: dict[str, Any]) -> Item | None:
        try:
            return self._table.update(key, change, condition=condition, **values)
        except Taken:
            return None


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def _gone(instant: datetime) -> int:
    return int((instant + timedelta(days=1)).timestamp())
