"""When a job is due next, and which dates a run of it covers."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from erphub.erp.reading import DateRange
from erphub.imports.jobs.models import HOME_ZONE, WEEKDAYS, Everything, Job, Range, Schedule, ThisYear


def next_due(schedule: Schedule, after: datetime) -> datetime:
    """The first instant after `after` at which the schedule's clock shows its time, in UTC.

    When the clock jumps forward over the time, the job starts as much later as the clock jumped; when the clock shows
    the time twice, the job starts the first time. So every day has exactly one start.
    """
    hours, minutes = map(int, schedule.run_time.split(":"))
    today = after.astimezone(schedule.zone).date()
    for days in range(-1, 9):
        day = today + timedelta(days=days)
        if schedule.weekdays != "daily" and WEEKDAYS[day.weekday()] not in schedule.weekdays:
            continue
        instant = datetime.combine(day, time(hours, minutes), schedule.zone).astimezone(UTC)
        if instant > after:
            return instant
    raise AssertionError("a week has every weekday")


def date_range(job: Job, now: datetime, since: datetime | None = None) -> DateRange:
    """The days a run of the job is about when it starts now; `since`, when earlier, is when it should have.

    Days are those of the schedule's clock; of the home zone's for a job that only runs by hand.
    """
    zone = job.schedule.zone if job.schedule else ZoneInfo(HOME_ZONE)
    today = now.astimezone(zone).date()
    counted_from = min(today, since.astimezone(zone).date()) if since else today
    match job.period:
        case Everything():
            return DateRange()
        case Range(from_date=first, to_date=last):
            return DateRange(first, last + timedelta(days=1) if last < date.max else None)
        case ThisYear():
            return DateRange(date(counted_from.year, 1, 1), date(today.year + 1, 1, 1))
        case rolling:
            return DateRange(counted_from - timedelta(days=rolling.days), None)
