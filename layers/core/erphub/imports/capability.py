"""What imports bring to the hub."""

from erphub.platform.capability import Act, Capability, EventType, Level, Limit, Permission, Variable

IMPORTS_MANAGE = Permission("imports:manage", "Make, change and delete import jobs")
IMPORTS_RUN = Permission("imports:run", "See import jobs, start imports and watch them", {"accountant"})
IMPORT_FINISHED = EventType("import.finished", "An import has ended with new data")
IMPORT_FAILED = EventType("import.failed", "An import has failed", Level.ERROR)
JOBS = Limit("import_jobs", 500, "Import jobs")
RUNS = Limit("concurrent_runs", 20, "Imports that are going on")

JOB_CREATED = Act("job.created", "An import job was made")
JOB_CHANGED = Act("job.changed", "An import job was changed")
JOB_DELETED = Act("job.deleted", "An import job was deleted")
RUN_STARTED = Act("run.started", "An import was started by hand")
RUN_CANCELLED = Act("run.cancelled", "An import was stopped by hand")

capability = Capability(
    "imports",
    "Imports",
    packages=("imports.jobs", "imports.runs"),
    permissions=(IMPORTS_MANAGE, IMPORTS_RUN),
    events=(IMPORT_FINISHED, IMPORT_FAILED),
    limits=(JOBS, RUNS),
    environment=(
        Variable("IMPORT_MACHINE_ARN"),
        Variable("LAKE_BUCKET"),
        Variable("TENANT_ROLE", needed_by=("imports.tasks",)),
        Variable("SQL_SERVER_READER", needed_by=("imports.tasks",)),
    ),
    acts=(
        JOB_CREATED,
        JOB_CHANGED,
        JOB_DELETED,
        RUN_STARTED,
        RUN_CANCELLED,
    ),
)
