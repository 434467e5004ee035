"""Documents to the ERP, changes from it."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from .. import observe
from ..aws.table import Table
from ..errors import HubError
from ..web import as_problem
from . import deletion, erps, events, house

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..aws.exportlog import ExportLogTable
    from ..aws.papers import PaperBucket
    from ..aws.syncs import SyncTable
    from ..aws.worker import FunctionWorker
    from ..documents import Intake
    from ..models.connection import Connection
    from ..ports.sync import DueSync
    from ..sync_desk import SyncDesk
    from ..sync_front import SyncFront
    from ..transfers import Carrier
    from ..uploads import UploadDesk


@cache
def export_log() -> "ExportLogTable":
    """The export log, as it is kept."""
    from ..aws.exportlog import ExportLogTable

    return ExportLogTable(Table(house.settings().export_log_table))


@cache
def sync_table() -> "SyncTable":
    """Settings and due times of syncs, as they are kept."""
    from ..aws.syncs import SyncTable

    return SyncTable(house.table())


@cache
def papers() -> "PaperBucket":
    """Documents' PDFs and uploads."""
    from ..aws.papers import PaperBucket

    return PaperBucket(house.settings().lake_bucket)


@cache
def worker() -> "FunctionWorker":
    """Who does the work behind syncs."""
    from ..aws.worker import FunctionWorker

    return FunctionWorker(house.settings().transfer_function, house.settings().transfer_machine)


@cache
def intake() -> "Intake":
    """Documents, on their way in."""
    from ..documents import Intake

    return Intake(sync_table(), export_log(), papers(), house.clock, deletion.require_alive)


@cache
def desk() -> "SyncDesk":
    """Settings and transfers of syncs."""
    from ..notifications import SyncNotices
    from ..sync_desk import SyncDesk

    return SyncDesk(
        sync_table(),
        export_log(),
        house.connection_table(),
        erps.connected,
        worker(),
        house.clock,
        house.ids,
        SyncNotices(events.announcer(), house.clock),
    )


@cache
def uploads() -> "UploadDesk":
    """Uploads of many documents at once."""
    from ..uploads import UploadDesk

    return UploadDesk(intake(), export_log(), papers(), worker(), house.clock, house.ids)


@cache
def front() -> "SyncFront":
    """Syncs, for the API."""
    from ..changes import Changes
    from ..export_desk import ExportDesk
    from ..sync_front import SyncFront

    exports = ExportDesk(sync_table(), export_log(), intake(), house.clock)
    return SyncFront(desk(), intake(), exports, uploads(), Changes(export_log(), house.clock))


@cache
def carrier() -> "Carrier":
    """Carries documents to the ERP."""
    from ..notifications import SyncNotices
    from ..settlement_pdf import render
    from ..transfers import Carrier

    def report(entry_id: str, error: Exception) -> None:
        observe.logger().error("a document met something unforeseen", exc_info=error, extra={"entry_id": entry_id})

    return Carrier(
        sync_table(),
        export_log(),
        papers(),
        house.connection_table(),
        erps.connected,
        _credentials_refused,
        worker(),
        SyncNotices(events.announcer(), house.clock),
        house.clock,
        timedelta(seconds=house.settings().settle_seconds),
        render,
        as_problem,
        report,
    )


def _credentials_refused(connection: "Connection", error: HubError) -> None:
    """For the log; the transfer ends at once, and `transfer_done` has the connection wait for its people."""
    observe.logger().warning(
        "the ERP refused the connection's credentials", exc_info=error, extra={"connection_id": connection.id}
    )


def transfer_done(task: Mapping[str, Any], done: dict[str, Any]) -> dict[str, Any]:
    """What came of a transfer is told when it has finished; again is fine."""
    if done["outcome"] == "finished":
        names = str(task["client_id"]), str(task["connection_id"]), str(task["transfer_id"])
        if (transfer := export_log().transfer(*names)) is not None:
            events.health().transfer_ended(transfer)
    return done


def task(task: Mapping[str, Any], worker: str, time_left: "Callable[[], float]") -> dict[str, Any]:
    """One task of the work behind syncs, by its name."""
    match task["task"]:
        case "whole":
            return transfer_done(task, carrier().whole(task, worker, time_left))
        case "collect":
            return carrier().collect(task, worker, time_left)
        case "send":
            return carrier().send(task, worker, time_left)
        case "settle":
            return transfer_done(task, carrier().settle(task, worker))
        case "preview":
            return carrier().preview(task)
        case "read_upload":
            upload = uploads().read(str(task["client_id"]), str(task["connection_id"]), str(task["upload_id"]))
            return {"outcome": upload.state.value, "lines": upload.lines}
        case other:
            raise ValueError(f"there is no task {other!r}")


def tick() -> dict[str, int]:
    """Start the transfers that are due, sixteen at a time."""
    from concurrent.futures import ThreadPoolExecutor

    from ..sync_desk import tick

    def report(due: "DueSync", error: Exception) -> None:
        about = {"client_id": due.client_id, "connection_id": due.connection_id}
        observe.logger().error("a due transfer could not be started", exc_info=error, extra=about)

    with ThreadPoolExecutor(16) as pool:
        return tick(desk(), lambda function, due: list(pool.map(function, due)), report)
