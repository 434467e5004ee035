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

from erphub.sync.settings.models import TransferHistory

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
class Next:
    """When, and why, in words."""

    at: datetime
    why: str


def next_transfer(
    sync: str, rhythm: TransferHistory, now: datetime, *, waiting: int = 0, oldest: datetime | None = None, zone: str
) -> Next:
    """When the sync's next transfer is best. `waiting` documents wait since `oldest`; `zone` is the till's own."""
    share = _share(sync)
    if rhythm.restored:
        return Next(now, "At once, because the connection works again.")
    if rhythm.failures:
        return _backed_off(rhythm, now, share)
    if waiting:
        return _waiting(rhythm, now, share, waiting, oldest or now, ZoneInfo(zone))
    usual = _usual(rhythm, now, share, ZoneInfo(zone))
    interval = _interval(rhythm, share)
    at = max(now + NEAREST, (rhythm.last_at or now) + interval)
    if usual is not None and (usual.at <= at or not rhythm.quiet):
        return usual
    if rhythm.quiet >= 2:
        return Next(at, f"Nothing came in the last {rhythm.quiet} transfers, so the next one can wait.")
    return usual or Next(at, "A day after the last one, as normal.")


def _share(sync: str) -> float:
    """This sync's own fixed number between 0 and 1."""
    return int.from_bytes(sha256(sync.encode()).digest()[:6]) / (1 << 48)


def _backed_off(rhythm: TransferHistory, now: datetime, share: float) -> Next:
    wait = min(NEAREST * 2 ** min(rhythm.failures - 1, 10), timedelta(hours=12)) * (1 + share / 4)
    times = "did not answer" if rhythm.failures == 1 else f"did not answer {rhythm.failures} times in a row"
    return Next(now + wait, f"The ERP {times}; it is tried again after {_words(wait)}.")


def _waiting(
    rhythm: TransferHistory, now: datetime, share: float, waiting: int, oldest: datetime, zone: ZoneInfo
) -> Next:
    soon = max(now, oldest + WAITING * (0.75 + share / 4))
    documents = "One document waits" if waiting == 1 else f"{waiting} documents wait"
    usual = _usual(rhythm, now, share, zone)
    if usual is not None and usual.at <= soon + WAITING:
        return Next(max(usual.at, now), f"{documents}, and more usually come about this hour.")
    return Next(soon, f"{documents}.")


def _interval(rhythm: TransferHistory, share: float) -> timedelta:
    """A day, longer after transfers that found nothing; a little shorter or longer by the sync's own share."""
    stretched = NORMAL * 2 ** min(max(rhythm.quiet - 1, 0), 4)
    return min(stretched, FARTHEST) * (0.95 + share / 10)


def _usual(rhythm: TransferHistory, now: datetime, share: float, zone: ZoneInfo) -> Next | None:
    """Shortly after the hour at which documents usually come, on the next weekday on which they do."""
    local = [at.astimezone(zone) for at in rhythm.arrivals]
    days = {at.date() for at in local}
    if len(days) < 3:
        return None
    minutes = [at.hour * 60 + at.minute for at in local]
    middle = _middle(minutes)
    spread = median(abs(_apart(minute, middle)) for minute in minutes)
    if timedelta(minutes=spread) > _REGULAR:
        return None
    # Later than most: what comes a little late is not missed by a day.
    late = sorted(_apart(minute, middle) for minute in minutes)[int(len(minutes) * 0.9) - 1 if len(minutes) > 9 else -1]
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
            return Next(at, f"Documents usually come about {hour}; it follows shortly after.")
    return None


def _middle(minutes: list[int]) -> int:
    """The minute of the day that lies in the middle of all, round the clock."""
    return min(minutes, key=lambda candidate: sum(abs(_apart(minute, candidate)) for minute in minutes))


def _apart(minute: int, other: int) -> int:
    """How far after the other a minute of the day lies, -720 to 719."""
    return (minute - other + 720) % 1440 - 720


def _words(wait: timedelta) -> str:
    minutes = round(wait / timedelta(minutes=1))
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"


def remember(rhythm: TransferHistory, arrivals: list[datetime], now: datetime) -> TransferHistory:
    """The rhythm with new arrivals in it, grouped, the oldest forgotten."""
    kept = [at for at in rhythm.arrivals if now - at < timedelta(days=70)]
    for at in sorted(arrivals):
        if not kept or at - kept[-1] >= GROUP:
            kept.append(at)
    return rhythm.model_copy(update={"arrivals": tuple(kept[-REMEMBERED:])})


def usual_silence(rhythm: TransferHistory) -> timedelta | None:
    """How long nothing may come before that is odd: three usual gaps, at least two days; None without a habit."""
    gaps = [later - earlier for earlier, later in zip(rhythm.arrivals, rhythm.arrivals[1:], strict=False)]
    if len(gaps) < 4:
        return None
    return max(3 * sorted(gaps)[len(gaps) // 2], 1.5 * max(gaps[-20:]), 2 * _DAY)
