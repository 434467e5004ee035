"""Upkeep of the lake's tables: checkpoints, so that opening one stays quick, and removal of what is no longer theirs.

It comes after a publication and never fails it: what is missed now is done by a later one.
"""

from collections.abc import Callable

from deltalake import DeltaTable

from erphub.lake.delta.storage import NO_HOOK, is_engine_error
from erphub.platform.logging import logger

COMMITS_PER_CHECKPOINT = 10
"""Commits. Whoever opens a table reads each commit since its last checkpoint, in two requests."""
COMMITS_PER_VACUUM = 40
"""Commits between two removals of older files."""
KEPT_HOURS = 7 * 24
"""How long files stay that a publication replaced: whoever pages through an older state still finds them."""


def maintain(table: DeltaTable) -> None:
    """After a commit to a table that was opened before it, do what is due."""
    before = table.version()
    _log_failure_of(table.update_incremental)
    now = table.version()
    if now // COMMITS_PER_CHECKPOINT > before // COMMITS_PER_CHECKPOINT:
        _log_failure_of(table.create_checkpoint)
    if now // COMMITS_PER_VACUUM > before // COMMITS_PER_VACUUM:
        _log_failure_of(lambda: _vacuum(table))


def _vacuum(table: DeltaTable) -> None:
    """Remove files that have not been part of the table for a week, published once or never; and the log's oldest.

    Commits of more than a month ago go only once a checkpoint has just been seen to hold them.
    """
    table.vacuum(retention_hours=KEPT_HOURS, dry_run=False, full=True, post_commithook_properties=NO_HOOK)
    table.create_checkpoint()
    table.cleanup_metadata()


def _log_failure_of(step: Callable[[], object]) -> None:
    try:
        step()
    except Exception as error:
        if not is_engine_error(error):
            raise
        logger().warning("Upkeep of a table failed and will be done later", exc_info=True)
