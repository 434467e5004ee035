"""Problems of imported data."""

from erphub.platform.errors import Conflict, Gone, NotFound, Unavailable
from erphub.platform.problem_types import FieldProblemType, ProblemType, Reason


class StagedDataChanged(Conflict):
    """What is in staging is not what was counted."""

    code = "staged_data_changed"


NEWER_RUN_PUBLISHED = ProblemType(
    Conflict,
    "newer_run_published",
    "A run that began later has published this company's data already; this one is out of date.",
)
LAKE_BUSY = ProblemType(Unavailable, "lake_busy", "Imports kept writing to the same table.", "Try again in a moment.")
PAGE_EXPIRED = ProblemType(
    Gone,
    "page_expired",
    "The data was imported anew since the first page and the old state is no longer kept.",
    "Begin again.",
)
TABLE_BEING_WRITTEN = LAKE_BUSY.saying("Other imports kept writing to the same table.", "Try again in a moment.")
DATASET_WITHOUT_DATES = FieldProblemType("dataset_without_dates", "Rows of {dataset_id} have no date to choose by.")
PERIOD_BACKWARDS = FieldProblemType("period_backwards", "The period ends before it begins.")
DATASET_NOT_FOUND = ProblemType(
    NotFound, "dataset_not_found", "There is no such dataset. GET /clients/{{client_id}}/datasets lists them."
)
COLUMN_UNKNOWN = FieldProblemType("column_unknown", "No such column in {dataset_id}: {names}.", field="/columns")
COLUMN_REQUIRED = COLUMN_UNKNOWN.saying("Name at least one column.")
STAGED_DATA_CHANGED = ProblemType(
    StagedDataChanged, "staged_data_changed", "{difference}. Nothing was published.", "Run the import again."
)
KEY_MISSING = Reason("key_missing", "A row has no key of its own; it is left out.")
KEY_REPEATED = Reason("key_repeated", "Several rows have the same key; one of them is kept.")
