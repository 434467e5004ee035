"""When a job is due by the clock on its wall, and starting what is due."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from .errors import Unavailable
from .models.job import HOME_ZONE, WEEKDAYS, Everything, Job, Range, Schedule, ThisYear
from .ports.erp import Window
from .ports.imports import DueJob, Jobs
from .ports.world import Clock
from .runs import ImportRuns

AT_ONCE = 8


def next_due(schedule: Schedule, after: datetime) -> datetime:
    """The first instant after `after` at which the schedule's clock shows its time, in UTC.

    When the clock jumps forward over the time, the job starts as much later as the clock jumped; when the clock shows
    the time twice, the job starts the first time. So every day has exactly one start.
    """
    hours, minutes = map(int, schedule.time.split(":"))
    today = after.astimezone(schedule.zone).date()
    for days in range(-1, 9):
        day = today + timedelta(days=days)
        if schedule.days != "daily" and WEEKDAYS[day.weekday()] not in schedule.days:
            continue
        instant = datetime.combine(day, time(hours, minutes), schedule.zone).astimezone(UTC)
        if instant > after:
            return instant
    raise AssertionError("a week has every weekday")


def window(job: Job, now: datetime, since: datetime | None = None) -> Window:
    """The days a run of the job is about when it starts now; `since`, when earlier, is when it should have.

    Days are those of the schedule's clock; of the home zone's for a job that only runs by hand.
    """
    zone = job.schedule.zone if job.schedule else ZoneInfo(HOME_ZONE)
    today = now.astimezone(zone).date()
    counted_from = min(today, since.astimezone(zone).date()) if since else today
    match job.period:
        case Everything():
            return Window()
        case Range(first=first, last=last):
            return Window(first, last + timedelta(days=1) if last < date.max else None)
        case ThisYear():
            return Window(date(counted_from.year, 1, 1), date(today.year + 1, 1, 1))
        case rolling:
            return Window(counted_from - timedelta(days=rolling.days), None)


@dataclass(frozen=True)
class Scheduler:
    """Starts what is due. Its cost grows with what is due, not with what exists."""

    jobs: Jobs
    runs: ImportRuns
    clock: Clock
    report: Callable[[DueJob, Exception], None]
    """Told about a job that could not be started; the next tick tries it again."""
    may_run: Callable[[Job], bool] = lambda _: True
    """Whether the job's connection works; what is missed meanwhile is made up for when it does again."""

    def tick(self) -> int:
        """Start every due job and move it to its next instant; returns how many.

        A run belongs to its job and due instant: whoever comes twice, or after dying half-way, finds it started.
        Raises Unavailable when some could not be started, after the others were.
        """
        now = self.clock()

        def start(one: DueJob) -> bool:
            return self._start(one, now)

        due = list(self.jobs.due(now))  # all of them, before the first is moved on in the list they are read from
        with ThreadPoolExecutor(AT_ONCE) as pool:
            started = list(pool.map(start, due))
        if not all(started):
            raise Unavailable(f"{started.count(False)} of {len(started)} due imports could not be started.")
        return len(started)

    def _start(self, due: DueJob, now: datetime) -> bool:
        try:
            job = due.read()
            if job.due_at and job.schedule:
                if self.may_run(job):
                    self.runs.start_due(job, job.due_at)
                self.jobs.move_on(job, next_due(job.schedule, now))
            else:
                self.jobs.move_on(job, None)
        except Exception as error:  # noqa: BLE001  one job's trouble must not keep the others waiting
            self.report(due, error)
            return False
        return True
