"""Problems of import jobs and of their runs."""

from erphub.platform.errors import Conflict, CredentialsRefused, ErpRefused, NotFound, Stopped, Unavailable
from erphub.platform.problem_types import FieldProblemType, ProblemType, Reason
from erphub.platform.problems import INVALID_REQUEST, UNAVAILABLE
from erphub.tenancy.problems import CONNECTION_NOT_FOUND


class NotReconciled(ErpRefused):
    """What arrived is not what the source said it would send."""

    code = "reconciliation_failed"


class SourceTooSlow(ErpRefused):
    """Reading a part has held workers for as long as it may."""

    code = "source_too_slow"


class ChangedWhileReading(Unavailable):
    """Somebody worked in the source between its counting and the last of its rows: that is no lie, and will pass."""

    code = "changed_while_reading"


JOB_NOT_FOUND = ProblemType(NotFound, "job_not_found", "There is no such import job.")
TIME_ZONE_UNKNOWN = FieldProblemType("time_zone_unknown", "Use an IANA time zone, such as Europe/Oslo.")
PERIOD_BACKWARDS = FieldProblemType("period_backwards", "The period ends before it begins.")
CONNECTION_UNKNOWN = FieldProblemType("connection_not_found", "This client has no such connection.")
COMPANY_UNKNOWN = FieldProblemType(
    "company_unknown",
    "The connection has no company {key!r}.",
    "Its companies are listed at the connection; one that is new in the ERP is added there first.",
)
RUN_NOT_FOUND = ProblemType(NotFound, "run_not_found", "There is no such run.")
UNIT_NOT_FOUND = ProblemType(NotFound, "unit_not_found", "The run has no such part.")
PART_NOT_FOUND = ProblemType(NotFound, "part_not_found", "The run has no such part.")
NOT_READ = ProblemType(NotReconciled, "not_read", "Not all of it was read.")
RUN_CANCELLED = ProblemType(Stopped, "stopped", "The run was cancelled.")
NOTHING_TO_IMPORT = ProblemType(
    ErpRefused, "nothing_to_import", "There is nothing to import: no company and dataset fits the job."
)
REAUTH_REQUIRED = ProblemType(
    CredentialsRefused, "reauth_required", "The ERP no longer accepts the connection's login.", "Connect again."
)
RUN_ENDED = ProblemType(Conflict, "run_ended", "The run has ended already.")
IMPORT_NOT_STARTED = UNAVAILABLE.saying("The import could not be started.", "Try again in a moment.")
NO_DATASETS = ProblemType(ErpRefused, "no_datasets", "{erp_system} has no data to import.")
LOGIN_NOT_ACCEPTED = REAUTH_REQUIRED.saying("The ERP no longer accepts the connection's login.", "Enter it again.")
CONNECTION_GONE = CONNECTION_NOT_FOUND.saying("The job's connection is no longer there.")
IMPORTS_NOT_STARTED = UNAVAILABLE.saying("{failed} of {due} due imports could not be started.")
COMPANIES_UNKNOWN = INVALID_REQUEST.saying(
    "The job names companies that the connection does not have.", "See `errors`."
)
JOB_INVALID = INVALID_REQUEST.saying("Something in the job is not valid; `errors` says what.")
DATASETS_NOT_OFFERED = INVALID_REQUEST.saying(
    "The job names datasets that the connection does not have.", "See `errors`."
)
DATASET_NOT_OFFERED = FieldProblemType(
    "dataset_not_offered",
    "The connection {name} has no {dataset}. It has {offered}; where tables are mapped, map its own first.",
)
SCHEDULE_NEEDS_DAYS = FieldProblemType(
    "schedule_needs_days",
    "Only a rolling window of days can be scheduled; start other periods by hand.",
    field="/schedule",
)
DATASET_UNKNOWN = FieldProblemType("dataset_unknown", "There is no such dataset. Known are {known}.")
DIFFERS_FROM_COUNT = ProblemType(
    NotReconciled,
    "reconciliation_failed",
    "What arrived differs from what the ERP counted: {differences}. Nothing was published.",
    "Run the import again; when it stays so, look at what the ERP's tables hold for these days.",
)
CHANGED_IN_STAGING = DIFFERS_FROM_COUNT.saying(
    "What was staged has changed since it was counted: {differences}.", "Run the import again."
)
SOURCE_TOO_SLOW = ProblemType(
    SourceTooSlow,
    "source_too_slow",
    "The ERP was given {minutes:.0f} minutes for one part of the data, all tries together, and that was not "
    "enough. At last: {last}",
    "Start the import anew when the ERP, or the line to it, is faster.",
)
CHANGED_WHILE_READING = ProblemType(
    ChangedWhileReading,
    "changed_while_reading",
    "The source changed while it was read.",
    "At a quieter hour it can be read in peace; a database that allows snapshot isolation can at any hour.",
)
SOURCE_PAUSED = ProblemType(ErpRefused, "connection_paused", "The connection {name} is paused.")
SOURCE_DELETING = ProblemType(ErpRefused, "connection_deleting", "The connection {name} is deleting.")
SOURCE_DELETED = ProblemType(ErpRefused, "connection_deleted", "The connection {name} is deleted.")

# Kept with runs and their parts, and in their logs

DATASETS_LEFT_OUT = Reason(
    "dataset_not_offered", "The connection no longer has {names}, which the job names: it is left out.", "Edit the job."
)
COMPANIES_LEFT_OUT = Reason(
    "company_not_in_connection",
    "The connection no longer has {names}, which the job names: it is left out.",
    "Edit the job.",
)
HISTORY_READ = Reason("history_read", "All the history of what is new is read: {names}.")
COMPANY_NOT_READABLE = Reason("company_gone", "The company {name} cannot be read: {problem}")
OVERLAPPING_RUN = Reason(
    "overlapping_run", "Run {run_id} is still importing some of the same data. This one was skipped."
)
WAITING = Reason("waiting", "Run {run_id} is still importing some of the same data. This one waits.")
NOT_PUBLISHED = Reason(
    "not_published", "Not published, because what arrived of another part of the run differs from the ERP's own count."
)
NOT_FINISHED = Reason("not_finished", "The run ended before this was done.")
CANCELLED = Reason("cancelled", "The run was cancelled; what was there before is unchanged.")
PLANNED = Reason("planned", "{units} datasets of companies with {rows}, in {parts} parts.")
REACHES_BACK = Reason(
    "reaches_back", "It reads from {from_date} on instead of {own_date}: the run before left something unread."
)
COLUMNS_MISSING = Reason("columns_missing", "This installation has no column for {columns}; they are empty.")
LATE_CHANGES_NOT_LOOKED_FOR = Reason(
    "late_changes_not_looked_for", "Earlier days are not looked at this time, only the days of the period: {reason}"
)
LATE_CHANGES_FOUND = Reason("late_changes_found", "{reason}")
PUBLISHED = Reason("published", "{rows} rows, {comparison}.")
SUCCEEDED = Reason("succeeded", "All of it is published: {counts}.")
PARTIALLY_SUCCEEDED = Reason("partially_succeeded", "Some of it is published: {counts}.")
FAILED = Reason("failed", "Nothing was published: {counts}.")
STOPPED = CANCELLED.saying("It was cancelled: {counts}.")
READER_LOST = Reason(
    "reader_lost", "The worker that read this part was lost while it read; it is read with another driver."
)
