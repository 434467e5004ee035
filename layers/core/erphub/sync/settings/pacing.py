"""When the next transfer is best: a pure function of what happened so far, with its reason in words.

Normally a day lies between two transfers. It comes nearer when documents wait or are expected at their usual hour,
moves further away when nothing comes, backs off while the ERP does not answer, and comes at once when it does again.
Every sync has its own fixed share of chance, from its id, so that a thousand of them do not meet at the same minute.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from statistics import median
from zoneinfo import ZoneInfo

from erphub.sync.settings.models import Sync, TransferHistory

NORMAL = timedelta(hours=24)
NEAREST = timedelta(minutes=15)
FARTHEST = timedelta(hours=72)
WAITING = timedelta(hours=1)
"""How long a document waits at most while the ERP answers: others that come along share its transfer."""
GROUP = timedelta(minutes=45)
"""Arrivals nearer to each other than this are one group."""
REMEMBERED = 60
_REGULAR = timedelta(minutes=75)
_GRACE = timedelta(minutes=10)
_SPREAD = timedelta(minutes=20)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class NextTransfer:
    """When the next transfer starts, and the reason as a sentence."""

    at: datetime
    reason: str


def plan_next(sync: Sync, now: datetime, *, waiting: int, oldest: datetime | None) -> NextTransfer:
    """When this sync's next transfer is best, while so many documents wait since `oldest`."""
    return next_transfer(
        sync.connection_id, sync.history, now, waiting=waiting, oldest=oldest, zone=sync.settings.time_zone
    )


def next_transfer(
    sync: str, history: TransferHistory, now: datetime, *, waiting: int = 0, oldest: datetime | None = None, zone: str
) -> NextTransfer:
    """When the sync's next transfer is best. `waiting` documents wait since `oldest`; `zone` is the till's own."""
    share = _share(sync)
    if history.restored:
        return NextTransfer(now, "At once, because the connection works again.")
    if history.failures:
        return _backed_off(history, now, share)
    if waiting:
        return _waiting(history, now, share, waiting, oldest or now, ZoneInfo(zone))
    usual = _usual(history, now, share, ZoneInfo(zone))
    interval = _interval(history, share)
    at = max(now + NEAREST, (history.last_at or now) + interval)
    if usual is not None and (usual.at <= at or not history.empty_transfers):
        return usual
    if history.empty_transfers >= 2:
        return NextTransfer(
            at, f"Nothing came in the last {history.empty_transfers} transfers, so the next one can wait."
        )
    return usual or NextTransfer(at, "A day after the last one, as normal.")


def _share(sync: str) -> float:
    """This sync's own fixed number between 0 and 1."""
    return int.from_bytes(sha256(sync.encode()).digest()[:6]) / (1 << 48)


def _backed_off(history: TransferHistory, now: datetime, share: float) -> NextTransfer:
    wait = min(NEAREST * 2 ** min(history.failures - 1, 10), timedelta(hours=12)) * (1 + share / 4)
    times = "did not answer" if history.failures == 1 else f"did not answer {history.failures} times in a row"
    return NextTransfer(now + wait, f"The ERP {times}; it is tried again after {_in_words(wait)}.")


def _waiting(
    history: TransferHistory, now: datetime, share: float, waiting: int, oldest: datetime, zone: ZoneInfo
) -> NextTransfer:
    soon = max(now, oldest + WAITING * (0.75 + share / 4))
    documents = "One document waits" if waiting == 1 else f"{waiting} documents wait"
    usual = _usual(history, now, share, zone)
    if usual is not None and usual.at <= soon + WAITING:
        return NextTransfer(max(usual.at, now), f"{documents}, and more usually come about this hour.")
    return NextTransfer(soon, f"{documents}.")


def _interval(history: TransferHistory, share: float) -> timedelta:
    """A day, longer after transfers that found nothing; a little shorter or longer by the sync's own share."""
    stretched = NORMAL * 2 ** min(max(history.empty_transfers - 1, 0), 4)
    return min(stretched, FARTHEST) * (0.95 + share / 10)


def _usual(history: TransferHistory, now: datetime, share: float, zone: ZoneInfo) -> NextTransfer | None:
    """Shortly after the hour at which documents usually come, on the next weekday on which they do."""
    local = [at.astimezone(zone) for at in history.arrivals]
    days = {at.date() for at in local}
    if len(days) < 3:
        return None
    minutes = [at.hour * 60 + at.minute for at in local]
    middle = _median_minute(minutes)
    spread = median(abs(_minutes_after(minute, middle)) for minute in minutes)
    if timedelta(minutes=spread) > _REGULAR:
        return None
    # Later than most: what comes a little late is not missed by a day.
    late = sorted(_minutes_after(minute, middle) for minute in minutes)[
        int(len(minutes) * 0.9) - 1 if len(minutes) > 9 else -1
    ]
    after = timedelta(minutes=middle + min(late, 90)) + _GRACE + _SPREAD * share
    known = (max(local) - min(local)) >= timedelta(days=21)
    # The day whose usual hour an arrival belongs to: half a day before that hour, half a day after.
    weekdays = {(at - timedelta(minutes=middle - 720)).weekday() for at in local}
    today = now.astimezone(zone).date()
    for ahead in range(-1, 8):
        day = today + timedelta(days=ahead)
        at = (datetime.combine(day, time(), zone) + after).astimezone(now.tzinfo)
        if at > now and (not known or day.weekday() in weekdays):
            hour = (datetime.combine(day, time()) + timedelta(minutes=middle)).strftime("%H:%M")
            return NextTransfer(at, f"Documents usually come about {hour}; it follows shortly after.")
    return None


def _median_minute(minutes: list[int]) -> int:
    """The minute of the day that lies in the middle of all, round the clock."""
    return min(minutes, key=lambda candidate: sum(abs(_minutes_after(minute, candidate)) for minute in minutes))


def _minutes_after(minute: int, other: int) -> int:
    """How far after the other a minute of the day lies, -720 to 719."""
    return (minute - other + 720) % 1440 - 720


def _in_words(wait: timedelta) -> str:
    minutes = round(wait / timedelta(minutes=1))
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"


def with_arrivals(history: TransferHistory, arrivals: list[datetime], now: datetime) -> TransferHistory:
    """The history with new arrivals in it, grouped, the oldest forgotten."""
    kept = [at for at in history.arrivals if now - at < timedelta(days=70)]
    for at in sorted(arrivals):
        if not kept or at - kept[-1] >= GROUP:
            kept.append(at)
    return history.model_copy(update={"arrivals": tuple(kept[-REMEMBERED:])})


def usual_pause(history: TransferHistory) -> timedelta | None:
    """How long nothing may come before that is unexpected: three usual gaps, two days at least; None without habit."""
    gaps = [later - earlier for earlier, later in zip(history.arrivals, history.arrivals[1:], strict=False)]
    if len(gaps) < 4:
        return None
    return max(3 * sorted(gaps)[len(gaps) // 2], 1.5 * max(gaps[-20:]), 2 * _DAY)
