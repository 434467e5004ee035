"""Where the house is put together: the only place where a use-case meets AWS.

Everything is made once, on first use, and imported then: a function starts with what all its requests need.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from . import observe
from .access import Access
from .aws.table import Table
from .aws.tenancy import TenancyTable
from .errors import HubError
from .ids import new_id
from .settings import Settings, read_settings
from .web import Hall, as_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .audit import AuditTrail
    from .aws.exportlog import ExportLogTable
    from .aws.notices import NoticeTable
    from .aws.papers import PaperBucket
    from .aws.runs import RunTable
    from .aws.syncs import SyncTable
    from .aws.worker import FunctionWorker
    from .connecting import Connecting
    from .connections import ConnectionDesk
    from .courier import Courier
    from .datasets import Datasets, Rows
    from .deletion import Deleting, DeletionDesk
    from .documents import Intake
    from .editing import Editors
    from .finishing import Finishing
    from .health import HealthDesk, PauseDesk
    from .identities import Identities
    from .importing import Importing
    from .jobs import ImportJobs
    from .models.connection import Connection
    from .models.job import Job
    from .models.licence import Holder
    from .models.notification import Event
    from .models.run import RunRef
    from .models.webhook import Delivery
    from .notifications import Announcer, NotificationDesk
    from .ports.deletion import Kind
    from .ports.erp import FoundCompany, System
    from .ports.imports import Jobs
    from .ports.once import Once
    from .ports.shared import Shared
    from .ports.world import Clock, Ids, Secrets
    from .runs import ImportRuns
    from .schedule import Scheduler
    from .sync_desk import SyncDesk
    from .sync_front import SyncFront
    from .tenancy import Tenants
    from .transfers import Carrier
    from .uploads import UploadDesk
    from .webhooks import WebhookDesk
    from .wizards import WizardDesk


@cache
def settings() -> Settings:
    """What the deployment told this function."""
    return read_settings()


@cache
def table() -> Table:
    """The tenant table."""
    return Table(settings().table)


def now() -> datetime:
    """Now in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


clock: "Clock" = now
ids: "Ids" = new_id


@cache
def access() -> Access:
    """Who may do what."""
    return Access(TenancyTable(table()))


@cache
def once() -> "Once":
    """Requests that come twice."""
    from .aws.once import KeptAnswers

    return KeptAnswers(settings().table)


hall = Hall(access, once)


@cache
def secrets() -> "Secrets":
    """Passwords; each one that is read or written is kept out of the log from then on."""
    from .aws.secrets import SecretsManager

    return observe.GuardedSecrets(SecretsManager(settings().secret_prefix))


@cache
def tenants() -> "Tenants":
    """Customers, clients, roles, members."""
    from .aws.users import UserPool
    from .tenancy import Tenants

    return Tenants(TenancyTable(table()), UserPool(settings().user_pool), clock, ids)


@cache
def audit() -> "AuditTrail":
    """Who did what to a connection; `record` is for everybody who changes one."""
    from .audit import AuditTrail
    from .aws.audit import AuditTable

    return AuditTrail(AuditTable(table()), observe, clock, ids)


@cache
def editors() -> "Editors":
    """Who may edit a connection."""
    from .aws.connections import ConnectionTable
    from .editing import Editors

    return Editors(ConnectionTable(table()), TenancyTable(table()))


@cache
def identities() -> "Identities":
    """Companies of customers, each connected once, and their licences."""
    from .aws.connections import ConnectionTable
    from .aws.identities import IdentityTable
    from .identities import Identities

    return Identities(IdentityTable(table()), ConnectionTable(table()), TenancyTable(table()), _access_requested)


def _access_requested(holder: "Holder", about: str, detail: str, facts: Mapping[str, Any]) -> None:
    """The people of a connection learn, once a day, that somebody would like to use a company of theirs."""
    from .models.notification import EventType
    from .notifications import event

    today = clock().replace(hour=0, minute=0, second=0, microsecond=0)
    kind = EventType.COMPANY_ACCESS_REQUESTED
    announcer().announce(event(kind, holder.client_id, holder.connection_id, today, about, detail, **facts))


@cache
def finishing() -> "Finishing":
    """The end of a wizard."""
    from .aws.connections import ConnectionTable
    from .aws.wizards import WizardTable
    from .finishing import Finishing

    return Finishing(
        WizardTable(table()),
        ConnectionTable(table()),
        secrets(),
        identities(),
        audit(),
        clock,
        new_connection,
        connection_edited,
    )


def _adopt(connection: "Connection", found: "Sequence[FoundCompany]") -> "list[FoundCompany]":
    """New companies of a connection to all of them; one that is not its to take is written down, once."""
    from .models.audit import HUB

    def skipped(company: "FoundCompany", why: HubError) -> None:
        new = {"company": company.key, "name": company.name, "code": why.code, "detail": why.detail}
        occasion = f"skipped {company.key} {why.code}"
        audit().record(connection.client_id, connection.id, HUB, "company.skipped", new=new, once=occasion)

    return identities().adopt(connection, found, skipped)


def connection_edited(before: "Connection", after: "Connection") -> None:
    """An edit is in use: when it passed a test, what stood still because of its login goes on. Again is fine."""
    if after.last_test != before.last_test:
        health().reconnected(after.client_id, after.id)


@cache
def wizards() -> "WizardDesk":
    """The wizard, for the API."""
    from .aws.connections import ConnectionTable
    from .aws.machines import StateMachine
    from .aws.wizards import WizardTable
    from .wizards import WizardDesk

    return WizardDesk(
        WizardTable(table()),
        ConnectionTable(table()),
        secrets(),
        StateMachine(settings().connect_machine),
        observe,
        clock,
        ids,
        settings().answer_seconds,
        editors(),
        identities(),
    )


@cache
def connections() -> "ConnectionDesk":
    """Connections, for the API."""
    from .aws.connections import ConnectionTable
    from .aws.machines import StateMachine
    from .connections import ConnectionDesk

    return ConnectionDesk(
        ConnectionTable(table()),
        StateMachine(settings().connect_machine),
        clock,
        ids,
        editors(),
        audit(),
        identities(),
    )


@cache
def connecting() -> "Connecting":
    """The tasks of connect.asl.json."""
    from .aws.connections import ConnectionTable
    from .aws.wizards import WizardTable
    from .connecting import Connecting

    return Connecting(
        WizardTable(table()),
        ConnectionTable(table()),
        secrets(),
        observe,
        clock,
        open_system,
        finishing(),
        as_problem,
        health().tested,
    )


def open_system(
    erp_system: str, settings_of: Mapping[str, Any], secret: Mapping[str, str], secret_name: str = ""
) -> "System":
    """A connected ERP; nothing is dialled until it is asked something.

    By its secret's name the ERP's tokens and its budget of calls are shared with whoever else uses the connection.
    """
    from . import erp

    networks = [str(network) for network in settings().allowed_erp_networks]
    lent = shared(*secret_name.split("/")[:2]) if "/" in secret_name else None
    return erp.open_system(erp_system, settings_of, secret, networks=networks, shared=lent)


def shared(client_id: str, connection_id: str) -> "Shared":
    """What everybody who uses a connection shares: its ERP's tokens and budget of calls."""
    from .aws.budget import BudgetTable
    from .aws.tokens import TokenTable
    from .ports.shared import Shared

    return Shared(
        TokenTable(table(), settings().token_key, client_id, connection_id),
        BudgetTable(table(), client_id, connection_id, clock),
        clock,
        settings().erp_addresses,
        settings().erp_applications,
        hide=lambda value: observe.hide([value]),
    )


def new_connection(client_id: str, connection_id: str, owner: str) -> None:
    """A connection was made: it gets its first import jobs, and the first of them runs."""
    import_jobs().create_defaults(client_id, connection_id, owner)


# --- events: what happens, for people, for the bus, for webhooks -----------------------------------------------------


@cache
def _notices() -> "NoticeTable":
    from .aws.notices import NoticeTable

    return NoticeTable(table())


@cache
def announcer() -> "Announcer":
    """The one place that publishes."""
    from .aws.events import EventBus
    from .notifications import Announcer

    def report(event: "Event", error: Exception) -> None:
        about = {"event_id": event.id, "client_id": event.client_id}
        observe.logger().warning("an event waits to be published", exc_info=error, extra=about)

    return Announcer(_notices(), EventBus(settings().event_bus), clock, report)


@cache
def health() -> "HealthDesk":
    """How connections are doing."""
    from .aws.connections import ConnectionTable
    from .health import HealthDesk
    from .making_up import MissedImports

    def catch_up(connection: "Connection", since: datetime) -> None:
        sync_desk().reconnected(connection.client_id, connection.id)
        MissedImports(_jobs(), _runs(), import_runs(), clock)(connection.client_id, connection.id, since)

    return HealthDesk(ConnectionTable(table()), announcer(), catch_up, clock)


@cache
def pausing() -> "PauseDesk":
    """Pausing by hand, for the API."""
    from .health import PauseDesk

    return PauseDesk(connections().editors, health(), audit())


def run_met(ref: "RunRef") -> None:
    """A run has met something: refused credentials concern everybody who uses the connection, at once."""
    run = _runs().get(ref)
    problem = run.problem or {}
    if problem.get("code") == "credentials_refused":
        began = datetime.fromisoformat(run.started_at or run.created_at)
        health().refused(ref.client_id, run.connection_id, problem, began)


def run_ended(ref: "RunRef") -> None:
    """An import has ended: people, programs and the connection's status learn of it. Again is fine."""
    health().run_ended(_runs().get(ref))


@cache
def notifications() -> "NotificationDesk":
    """Notifications, for the API."""
    from .notifications import NotificationDesk

    return NotificationDesk(_notices(), clock)


@cache
def webhooks() -> "WebhookDesk":
    """Webhooks, for the API."""
    from .aws.webhooks import WebhookTable
    from .erp import network
    from .webhooks import WebhookDesk

    allowed = settings().allowed_erp_networks
    return WebhookDesk(WebhookTable(table()), secrets(), lambda host: network.addresses(host, allowed), clock, ids)


@cache
def courier() -> "Courier":
    """Delivers events to webhooks."""
    from .aws.webhooks import WebhookTable
    from .courier import Courier
    from .outbound import HttpsPost

    def report(delivery: "Delivery", error: Exception) -> None:
        about = {"delivery_id": delivery.id, "client_id": delivery.client_id}
        observe.logger().error("a delivery met something unforeseen", exc_info=error, extra=about)

    post = HttpsPost(settings().allowed_erp_networks, settings().webhook_authority)
    return Courier(WebhookTable(table()), secrets(), post, announcer(), clock, report)


# --- imports: their modules are loaded by the doors that use them, not by every door ---------------------------------


@cache
def _jobs() -> "Jobs":
    from .aws.jobs import JobTable

    return JobTable(table())


@cache
def _runs() -> "RunTable":
    from .aws.runs import RunTable

    return RunTable(table())


@cache
def import_jobs() -> "ImportJobs":
    """Import jobs, for the API and for new connections."""
    from .aws.connections import ConnectionTable
    from .deletion import refuse_condemned
    from .jobs import ImportJobs

    found = ConnectionTable(table())

    def has(client_id: str, connection_id: str) -> bool:
        connection = found.get(client_id, connection_id)
        refuse_condemned(connection)
        return connection is not None

    return ImportJobs(_jobs(), import_runs(), has, clock, ids)


@cache
def import_runs() -> "ImportRuns":
    """Runs: started, watched, cancelled."""
    from .aws.machines import StateMachine
    from .runs import ImportRuns

    return ImportRuns(_jobs(), _runs(), StateMachine(settings().import_machine), clock, ids, _require_alive)


@cache
def datasets() -> "Datasets":
    """The list of datasets."""
    from .datasets import Datasets

    return Datasets(_runs().known_types)


@cache
def rows() -> "Rows":
    """Rows of the lake."""
    from .aws.deletions import DeletionTable
    from .aws.lake_rows import LakeRows
    from .datasets import Rows

    reader = LakeRows(f"s3://{settings().lake_bucket}", _lake_options())
    return Rows(reader, DeletionTable(table()).condemned)


@cache
def scheduler() -> "Scheduler":
    """What is due."""
    from .aws.connections import ConnectionTable
    from .schedule import Scheduler

    def report(job: "Job", error: Exception) -> None:
        about = {"client_id": job.client_id, "job_id": job.id}
        observe.logger().error("a due import could not be started", exc_info=error, extra=about)

    found = ConnectionTable(table())

    def may_run(job: "Job") -> bool:
        connection = found.get(job.client_id, job.connection_id)
        return connection is None or connection.works

    return Scheduler(_jobs(), import_runs(), clock, report, may_run)


@cache
def importing() -> "Importing":
    """The tasks of import.asl.json."""
    from . import erp
    from .aws.connections import ConnectionTable
    from .aws.files import S3Files
    from .aws.lake import DeltaLake
    from .importing import Importing
    from .sources import ConnectedSources

    bucket = settings().lake_bucket
    sources = ConnectedSources(ConnectionTable(table()), secrets(), open_system, erp.describe, _adopt)
    lake = DeltaLake(f"s3://{bucket}", S3Files(bucket), _lake_options())
    return Importing(_jobs(), _runs(), sources, lake, clock)


def calls_so_far() -> dict[str, int]:
    """The AWS calls of this process until now."""
    from .aws.clients import calls

    return dict(calls)


def spend(ref: "RunRef", before: dict[str, int], milliseconds: int) -> None:
    """Add a task's calls and time to its run; a run that is gone costs nobody anything."""
    from .runs import spent

    try:
        _runs().spend(ref, spent(before, calls_so_far()), milliseconds)
    except HubError as error:
        observe.logger().warning("the cost of a task was not noted", exc_info=error)


def _lake_options() -> dict[str, str]:
    """What the table engine must be told about S3; credentials it finds in the environment by itself."""
    options = {"aws_region": settings().region, "aws_conditional_put": "etag"}
    endpoint = settings().aws_endpoint
    return options | ({"aws_endpoint": endpoint, "aws_allow_http": "true"} if endpoint else {})


# --- syncs: documents to the ERP, changes from it ---------------------------------------------------------------------


@cache
def _exports() -> "ExportLogTable":
    from .aws.exportlog import ExportLogTable

    return ExportLogTable(Table(settings().export_log_table))


@cache
def _syncs() -> "SyncTable":
    from .aws.syncs import SyncTable

    return SyncTable(table())


@cache
def _papers() -> "PaperBucket":
    from .aws.papers import PaperBucket

    return PaperBucket(settings().lake_bucket)


@cache
def _sync_worker() -> "FunctionWorker":
    from .aws.worker import FunctionWorker

    return FunctionWorker(settings().transfer_function, settings().transfer_machine)


@cache
def _intake() -> "Intake":
    from .documents import Intake

    return Intake(_syncs(), _exports(), _papers(), clock, _require_alive)


@cache
def sync_desk() -> "SyncDesk":
    """Settings and transfers of syncs."""
    from .aws.connections import ConnectionTable
    from .sync_desk import SyncDesk

    return SyncDesk(_syncs(), _exports(), ConnectionTable(table()), connected, _sync_worker(), clock, ids)


@cache
def _uploads() -> "UploadDesk":
    from .uploads import UploadDesk

    return UploadDesk(_intake(), _exports(), _papers(), _sync_worker(), clock, ids)


@cache
def sync() -> "SyncFront":
    """Syncs, for the API."""
    from .changes import Changes
    from .export_desk import ExportDesk
    from .sync_front import SyncFront

    exports = ExportDesk(_syncs(), _exports(), _intake(), clock)
    return SyncFront(sync_desk(), _intake(), exports, _uploads(), Changes(_exports(), clock))


def connected(connection: "Connection") -> "System":
    """The ERP of a connection that is kept."""
    from . import credentials
    from .aws.connections import ConnectionTable

    known, secret = credentials.read(ConnectionTable(table()), secrets(), connection)
    return open_system(known.erp_system, known.settings, secret, known.secret_name)


@cache
def _carrier() -> "Carrier":
    from .aws.connections import ConnectionTable
    from .notifications import SyncNotices
    from .settlement_pdf import render
    from .transfers import Carrier

    def report(entry_id: str, error: Exception) -> None:
        observe.logger().error("a document met something unforeseen", exc_info=error, extra={"entry_id": entry_id})

    return Carrier(
        _syncs(),
        _exports(),
        _papers(),
        ConnectionTable(table()),
        connected,
        _credentials_refused,
        _sync_worker(),
        SyncNotices(announcer(), clock),
        clock,
        timedelta(seconds=settings().settle_seconds),
        render,
        as_problem,
        report,
    )


def _credentials_refused(connection: "Connection", error: HubError) -> None:
    """For the log; the transfer ends at once, and `_transfer_done` has the connection wait for its people."""
    observe.logger().warning(
        "the ERP refused the connection's credentials", exc_info=error, extra={"connection_id": connection.id}
    )


def _transfer_done(task: Mapping[str, Any], done: dict[str, Any]) -> dict[str, Any]:
    """What came of a transfer is told when it has finished; again is fine."""
    if done["outcome"] == "finished":
        names = str(task["client_id"]), str(task["connection_id"]), str(task["transfer_id"])
        if (transfer := _exports().transfer(*names)) is not None:
            health().transfer_ended(transfer)
    return done


def sync_task(task: Mapping[str, Any], worker: str, time_left: "Callable[[], float]") -> dict[str, Any]:
    """One task of the work behind syncs, by its name."""
    match task["task"]:
        case "whole":
            return _transfer_done(task, _carrier().whole(task, worker, time_left))
        case "collect":
            return _carrier().collect(task, worker, time_left)
        case "send":
            return _carrier().send(task, worker, time_left)
        case "settle":
            return _transfer_done(task, _carrier().settle(task, worker))
        case "preview":
            return _carrier().preview(task)
        case "read_upload":
            upload = _uploads().read(str(task["client_id"]), str(task["connection_id"]), str(task["upload_id"]))
            return {"outcome": upload.state.value, "lines": upload.lines}
        case other:
            raise ValueError(f"there is no task {other!r}")


def sync_tick() -> dict[str, int]:
    """Start the transfers that are due, sixteen at a time."""
    from concurrent.futures import ThreadPoolExecutor

    from .sync_desk import tick

    with ThreadPoolExecutor(16) as pool:
        return tick(sync_desk(), lambda function, due: list(pool.map(function, due)))


# --- deletion: connections that go, with all that hangs on them ------------------------------------------------------


@cache
def _kinds() -> "list[Kind]":
    from .aws.dependents import Stores, kinds
    from .aws.machines import StateMachine
    from .aws.objects import Bucket
    from .aws.secrets import SecretsManager

    given = settings()
    return kinds(
        Stores(
            table(),
            Table(given.export_log_table),
            Bucket(given.lake_bucket),
            secrets(),
            SecretsManager(given.secret_prefix).names,
            StateMachine(given.connect_machine),
            StateMachine(given.import_machine),
            clock,
            _erase_from_lake,
            lambda client, connection: identities().held(client, connection),
            lambda client, connection: identities().release(client, connection),
        )
    )


def _require_alive(client_id: str, connection_id: str) -> None:
    """Nothing begins on a connection that is being deleted. Raises Conflict."""
    from .aws.connections import ConnectionTable
    from .deletion import refuse_condemned

    refuse_condemned(ConnectionTable(table()).get(client_id, connection_id))


def _erase_from_lake(client_id: str, connection_id: str, time_left: "Callable[[], float]") -> bool:
    """Only the function that removes carries the table engine; those that only count never come here."""
    from .aws.lake_removal import LakeRemoval
    from .aws.objects import Bucket

    bucket = settings().lake_bucket
    removal = LakeRemoval(f"s3://{bucket}", Bucket(bucket), _lake_options())
    return removal.remove(client_id, connection_id, time_left)


@cache
def deletions() -> "DeletionDesk":
    """Deletion, for the API."""
    from .aws.deletions import DeletionTable
    from .aws.machines import StateMachine
    from .deletion import DeletionDesk

    return DeletionDesk(
        DeletionTable(table()),
        _kinds(),
        StateMachine(settings().delete_machine),
        audit(),
        editors().connection,
        connections().get,
        clock,
        timedelta(seconds=settings().grace_seconds),
    )


@cache
def deleting() -> "Deleting":
    """The tasks of delete.asl.json."""
    from .aws.connections import ConnectionTable
    from .aws.deletions import DeletionTable
    from .deletion import Deleting

    return Deleting(DeletionTable(table()), ConnectionTable(table()), _kinds(), audit(), clock)
