"""Documents to the ERP, changes from it."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from erphub.platform import logging
from erphub.platform.aws.table import Table
from erphub.platform.errors import HubError
from erphub.platform.problems import as_problem
from erphub.wiring import deletion, erps, events, house

if TYPE_CHECKING:
    from collections.abc import Callable

    from erphub.connections.models import Connection
    from erphub.platform.aws.workers import FunctionWorker
    from erphub.sync.documents.files import S3DocumentFiles
    from erphub.sync.documents.service import DocumentService
    from erphub.sync.export_log.dynamodb import ExportLogTable
    from erphub.sync.front import SyncFront
    from erphub.sync.settings.dynamodb import SyncTable
    from erphub.sync.settings.ports import DueSync
    from erphub.sync.settings.service import SyncService
    from erphub.sync.transfers.execution import TransferExecutor
    from erphub.sync.transfers.models import Transfer
    from erphub.sync.uploads.service import UploadService


@cache
def export_log() -> "ExportLogTable":
    """The export log, as it is kept."""
    from erphub.sync.export_log.dynamodb import ExportLogTable

    return ExportLogTable(Table(house.settings().export_log_table))


@cache
def sync_table() -> "SyncTable":
    """Settings and due times of syncs, as they are kept."""
    from erphub.sync.settings.dynamodb import SyncTable

    return SyncTable(house.table())


@cache
def papers() -> "S3DocumentFiles":
    """Documents' PDFs and uploads."""
    from erphub.sync.documents.files import S3DocumentFiles

    return S3DocumentFiles(house.settings().lake_bucket)


@cache
def worker() -> "FunctionWorker":
    """Who does the work behind syncs."""
    from erphub.platform.aws.workers import FunctionWorker

    return FunctionWorker(house.settings().transfer_function, house.settings().transfer_machine)


@cache
def intake() -> "DocumentService":
    """Documents, on their way in."""
    from erphub.sync.documents.service import DocumentService

    return DocumentService(sync_table(), export_log(), papers(), house.clock, deletion.require_alive)


@cache
def desk() -> "SyncService":
    """Settings and transfers of syncs."""
    from erphub.sync.settings.service import SyncService
    from erphub.sync.transfers.notices import SyncNotices

    return SyncService(
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
def uploads() -> "UploadService":
    """Uploads of many documents at once."""
    from erphub.sync.uploads.service import UploadService

    return UploadService(intake(), export_log(), papers(), worker(), house.clock, house.ids)


@cache
def front() -> "SyncFront":
    """Syncs, for the API."""
    from erphub.sync.changes.service import ChangeService
    from erphub.sync.export_log.service import ExportLogService
    from erphub.sync.front import SyncFront

    exports = ExportLogService(sync_table(), export_log(), intake(), house.clock)
    return SyncFront(desk(), intake(), exports, uploads(), ChangeService(export_log(), house.clock))


@cache
def carrier() -> "TransferExecutor":
    """Carries documents to the ERP."""
    from erphub.sync.transfers.execution import TransferExecutor
    from erphub.sync.transfers.notices import SyncNotices
    from erphub.sync.transfers.settlement_pdf import render

    def report(entry_id: str, error: Exception) -> None:
        logging.logger().error("a document met something unforeseen", exc_info=error, extra={"entry_id": entry_id})

    return TransferExecutor(
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
    logging.logger().warning(
        "the ERP refused the connection's credentials", exc_info=error, extra={"connection_id": connection.id}
    )


def transfer_done(task: Mapping[str, Any], done: dict[str, Any]) -> dict[str, Any]:
    """What came of a transfer is told when it has finished; again is fine."""
    if done["outcome"] == "finished":
        names = str(task["client_id"]), str(task["connection_id"]), str(task["transfer_id"])
        if (transfer := export_log().transfer(*names)) is not None:
            _report(transfer)
    return done


def _report(transfer: "Transfer") -> None:
    from erphub.sync.transfers import outcome

    if (ended := outcome.ended(transfer)) is not None:
        events.health().report(ended)


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

    from erphub.sync.settings.service import tick

    def report(due: "DueSync", error: Exception) -> None:
        about = {"client_id": due.client_id, "connection_id": due.connection_id}
        logging.logger().error("a due transfer could not be started", exc_info=error, extra=about)

    with ThreadPoolExecutor(16) as pool:
        return tick(desk(), lambda function, due: list(pool.map(function, due)), report)
