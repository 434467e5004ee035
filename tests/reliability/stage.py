"""The stage on which a fault sweep plays: the local AWS behind the fault proxy, the functions in this process.

Requests to DynamoDB, S3, Secrets Manager and KMS reach the local AWS; Step Functions walks the machines' own files,
Lambda's queue and the event bus are kept here. All of them are reached through the proxy, so each can fail. Time is
the process's own, and moves when somebody would wait.
"""

import importlib.util
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError

from erphub import app
from erphub.platform.aws import clients
from erphub.platform.aws.items import decode
from erphub.platform.aws.table import Table
from erphub.platform.ids import derived_id, new_id
from local import emulator, processes
from tests.reliability.fault_proxy import Answer, FaultProxy, Request, answered
from tests.reliability.machines import Execution, Failure, Invocations, Machines
from tests.support.aws import CREDENTIALS, EXPORTS, TENANTS, everything_in, table_request
from tests.support.gateway import addressed, said_of
from tests.support.tenants import add_client, add_customer

ROOT = Path(__file__).resolve().parents[2]
CLIENT, CUSTOMER, USER = derived_id("client"), derived_id("customer"), "0f0e0d0c-0000-4000-8000-000000000001"
_ARN = "arn:aws:states:eu-north-1:000000000000:stateMachine:"
MACHINES = {"connect": "connect", "import": "import", "transfer": "transfer", "delete": "delete"}
FUNCTIONS = {
    "WizardTasks": "connections/wizard",
    "DeletionTasks": "connections/deletion",
    "ImportTasks": "imports/tasks",
    "TransferTasks": "sync/tasks",
    "SyncSchedule": "sync/schedule",
    "ImportSchedule": "imports/schedule",
    "WebhookDeliveries": "connections/deliveries",
}
_TRIES_OF_A_PERSON = 8
_TRIES_OF_A_CALL_THAT_NOBODY_WAITS_FOR = (0, 60, 120)
_TRIES_OF_AN_EVENT = 10


class Context:
    """Lambda's word on an invocation."""

    def __init__(self) -> None:
        self.aws_request_id = new_id()

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@cache
def handler_module(name: str) -> ModuleType:
    """A function's module, as Lambda loads it: from its folder."""
    spec = importlib.util.spec_from_file_location(
        f"reliability_{name.replace('/', '_')}", ROOT / f"functions/{name}.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Reply:
    """What the API answered."""

    status: int
    json: Any

    @property
    def code(self) -> str:
        return self.json.get("code", "") if isinstance(self.json, dict) else ""


@dataclass
class Stage:
    """A hub with nobody in it yet but a client and its administrator."""

    proxy: FaultProxy
    upstream: int
    time: time_machine.Traveller
    name: str = field(default_factory=lambda: new_id().lower())
    user: str = USER
    bus: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)
    """What a scene has read once and need not read again until it is played again."""
    erp: Any = None
    """The ERP of a scene."""

    def __post_init__(self) -> None:
        self.queue = Invocations()
        self.machines = Machines(
            {
                name: json.loads((ROOT / f"statemachines/{file}.asl.json").read_text())
                for name, file in MACHINES.items()
            },
            self._invoked_by_a_machine,
            self._dynamodb_of_a_machine,
            self.wait,
            {"Table": self.tenants},
            ended=self._tell_of_an_end,
        )
        self.proxy.answers.by_service = {
            "stepfunctions": self.machines.answer,
            "lambda": self.queue.answer,
            "events": self._take_events,
        }

    @property
    def tenants(self) -> str:
        return f"tenants-{self.name}"

    @property
    def exports(self) -> str:
        return f"exports-{self.name}"

    @property
    def credentials(self) -> str:
        return f"credentials-{self.name}"

    @property
    def bucket(self) -> str:
        return f"lake-{self.name}"

    def settings(self) -> dict[str, str]:
        """What the deployment tells its functions."""
        return {
            "TABLE_NAME": self.tenants,
            "EXPORT_LOG_TABLE": self.exports,
            "LAKE_BUCKET": self.bucket,
            "SECRET_PREFIX": f"{self.name}/connections/",
            "SEALED_TABLE": self.credentials,
            "CONNECT_MACHINE_ARN": _ARN + "connect",
            "IMPORT_MACHINE_ARN": _ARN + "import",
            "TRANSFER_MACHINE_ARN": _ARN + "transfer",
            "DELETE_MACHINE_ARN": _ARN + "delete",
            "TRANSFER_FUNCTION": "TransferTasks",
            "EVENT_BUS": "bus",
            "ALLOWED_ERP_NETWORKS": "127.0.0.0/8",
            "RESEND_DELAY_SECONDS": "600",
            "DELETION_GRACE_SECONDS": "86400",
            "POWERTOOLS_SERVICE_NAME": "erphub",
            "POWERTOOLS_METRICS_NAMESPACE": "erphub",
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
            "POWERTOOLS_METRICS_DISABLED": "true",
        }

    # --- furnishing --------------------------------------------------------------------------------------------------

    def build(self) -> None:
        """The tables and the bucket, as in the template."""
        dynamodb, s3 = clients.client("dynamodb"), clients.client("s3")
        dynamodb.create_table(**table_request(TENANTS, self.tenants))
        dynamodb.create_table(**table_request(EXPORTS, self.exports))
        dynamodb.create_table(**table_request(CREDENTIALS, self.credentials))
        s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def settle_in(self) -> None:
        """A client with its administrator."""
        table, now = Table(self.tenants), app.services().platform.clock()
        add_customer(table, CUSTOMER, USER, now)
        add_client(table, CLIENT, CUSTOMER, USER, now)

    def clear(self) -> None:
        """Nothing is left in the local AWS, which keeps everything in memory."""
        dynamodb, s3 = clients.client("dynamodb"), clients.client("s3")
        for table in (self.tenants, self.exports, self.credentials):
            dynamodb.delete_table(TableName=table)
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            gone: Any = [{"Key": one.get("Key"), "VersionId": one.get("VersionId")} for one in versions]
            if gone:
                s3.delete_objects(Bucket=self.bucket, Delete={"Objects": gone, "Quiet": True})
        s3.delete_bucket(Bucket=self.bucket)
        for name in self.secrets():
            clients.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)

    # --- as it was before --------------------------------------------------------------------------------------------

    def remembered(self) -> "Memory":
        """All that is stored now."""
        s3, secrets = clients.client("s3"), clients.client("secretsmanager")
        return Memory(
            {name: everything_in(Table(name)) for name in (self.tenants, self.exports, self.credentials)},
            {name: s3.get_object(Bucket=self.bucket, Key=name)["Body"].read() for name in self.objects()},
            {name: secrets.get_secret_value(SecretId=name)["SecretString"] for name in self.secrets()},
            self.name,
        )

    def recall(self, memory: "Memory") -> None:
        """Store what was remembered of another stage."""
        dynamodb, s3 = clients.client("dynamodb"), clients.client("s3")
        for name, items in memory.items.items():
            mine = name.replace(memory.name, self.name)
            for start in range(0, len(items), 25):
                puts: Any = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
                dynamodb.batch_write_item(RequestItems={mine: puts})
        for name, body in memory.objects.items():
            s3.put_object(Bucket=self.bucket, Key=name, Body=body)
        for name, value in memory.secrets.items():
            mine = name.replace(memory.name, self.name)
            clients.client("secretsmanager").create_secret(Name=mine, SecretString=value)

    # --- who acts ----------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, body: Any = None, *, api: str = "connections", key: str = "") -> Reply:
        """One request to the API, repeated while the hub says that it may be."""
        for number in range(_TRIES_OF_A_PERSON):
            reply = self._call(method, path, body, api, key)
            if reply.status < 500 and reply.code not in ("idempotency_key_in_use", "step_being_answered"):
                return reply
            self.wait(5 + 15 * number)
        return reply

    def _call(self, method: str, path: str, body: Any, api: str, key: str) -> Reply:
        event = json.loads((ROOT / "events/connections/api.json").read_text())
        path, _, asked = path.partition("?")
        event = addressed(event, handler_module(f"{api}/api").handler.routes.all(), method, path)
        event["queryStringParameters"] = dict(pair.split("=") for pair in asked.split("&")) if asked else None
        event["body"] = None if body is None else json.dumps(body)
        if key:
            event["headers"] |= {"Idempotency-Key": key}
        event["requestContext"]["authorizer"] = said_of(self.user)
        event["requestContext"]["requestTimeEpoch"] = int(datetime.now(UTC).timestamp() * 1000)
        try:
            answer = handler_module(f"{api}/api").handler(event, Context())
        finally:
            self.proxy.light()
        return Reply(answer["statusCode"], json.loads(answer["body"] or "null"))

    def drain(self) -> None:
        """Let everything go on that goes on by itself: executions, and calls that nobody waits for."""
        self.machines.drain()
        while self.queue.waiting:
            function, event = self.queue.waiting.popleft()
            self._tried(function, event, _TRIES_OF_A_CALL_THAT_NOBODY_WAITS_FOR)
            self.machines.drain()

    def clock_strikes(self, minutes: int, every: int = 1) -> None:
        """The clock calls its functions, minute by minute."""
        for _ in range(0, minutes, every):
            self.wait(60.0 * every)
            for function in ("SyncSchedule", "ImportSchedule", "WebhookDeliveries"):
                self._tried(function, {"time": datetime.now(UTC).isoformat()}, (0, 1))
                self.drain()

    def _tried(self, function: str, event: Mapping[str, Any], pauses: tuple[int, ...]) -> bool:
        """Lambda's tries of a call that nobody waits for: they have one request id in common."""
        context = Context()
        for pause in pauses:
            self.wait(pause)
            try:
                self.invoke(function, event, context)
            except Failure:
                continue
            return True
        return False

    def invoke(self, function: str, event: Mapping[str, Any], context: Context | None = None) -> Any:
        """Call a function. Raises Failure."""
        try:
            answer = handler_module(FUNCTIONS[function]).handler(dict(event), context or Context())
        except Exception as error:
            raise Failure(type(error).__name__, str(error)) from error
        finally:
            self.proxy.light()
        return json.loads(json.dumps(answer, default=str))

    def _invoked_by_a_machine(self, function: str, event: Mapping[str, Any]) -> Any:
        return self.invoke(function, event)

    def _dynamodb_of_a_machine(self, operation: str, request: Mapping[str, Any]) -> None:
        try:
            getattr(clients.client("dynamodb"), operation)(**request)
        except ClientError as error:
            code: str = error.response.get("Error", {}).get("Code", "")
            raise Failure(f"DynamoDb.{code.removesuffix('Exception')}Exception", str(error)) from error
        except Exception as error:
            raise Failure("DynamoDb.SdkClientException", str(error)) from error
        finally:
            self.proxy.light()

    def _tell_of_an_end(self, execution: Execution) -> None:
        """EventBridge, which tries for an hour."""
        function_of = {"connect": "WizardTasks", "import": "ImportTasks"}.get(execution.machine)
        if function_of is None:
            return
        event = {"source": "aws.states", "detail": {"status": execution.status, "input": json.dumps(execution.input)}}
        self._tried(function_of, event, (0, *[60] * _TRIES_OF_AN_EVENT))

    def _take_events(self, request: Request) -> Answer:
        entries = json.loads(request.body)["Entries"]
        self.bus += [json.loads(entry["Detail"]) for entry in entries]
        return answered({"FailedEntryCount": 0, "Entries": [{"EventId": new_id()} for _ in entries]})

    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.time.shift(seconds)

    # --- looking -----------------------------------------------------------------------------------------------------

    def items(self) -> list[dict[str, Any]]:
        """Every item of both tables, the writers' own marks left out."""
        found = [decode(item) for name in (self.tenants, self.exports) for item in everything_in(Table(name))]
        return sorted(found, key=lambda item: (item["pk"], item["sk"]))

    def objects(self) -> list[str]:
        """The names of all objects as they are now."""
        pages = clients.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [one.get("Key", "") for page in pages for one in page.get("Contents", [])]

    def secrets(self) -> list[str]:
        """The names of all secrets."""
        wanted: Any = [{"Key": "name", "Values": [self.name]}]
        pages = clients.client("secretsmanager").get_paginator("list_secrets").paginate(Filters=wanted)
        return [secret.get("Name", "") for page in pages for secret in page["SecretList"]]


@dataclass(frozen=True)
class Memory:
    """What is stored on a stage: items by table, objects and secrets by name."""

    items: dict[str, list[dict[str, Any]]]
    objects: dict[str, bytes]
    secrets: dict[str, str]
    name: str


@dataclass
class Theatre:
    """The local AWS and the proxy, for as many stages as there are runs."""

    proxy: FaultProxy
    upstream: int
    key: str
    """The KMS key of all stages."""

    @contextmanager
    def stage(self, equip: Callable[[pytest.MonkeyPatch, Stage], None], hour: int = 9) -> Iterator[Stage]:
        """A new stage, furnished; `equip` sets up the outside world that a scene needs."""
        # In the morning, whenever the tests run: what starts by itself at night starts in no scene.
        morning = datetime.now(UTC).replace(hour=hour, minute=0, second=0)
        with time_machine.travel(morning, tick=True) as time, pytest.MonkeyPatch.context() as patch:
            stage = Stage(self.proxy, self.upstream, time)
            for name, value in (stage.settings() | {"TOKEN_KEY_ID": self.key}).items():
                patch.setenv(name, value)
            forget_parts()
            _hurry(patch, stage)
            equip(patch, stage)
            stage.build()
            try:
                yield stage
            finally:
                self.proxy.rest()
                stage.clear()
                forget_parts()


def _hurry(patch: pytest.MonkeyPatch, stage: Stage) -> None:
    """Whoever waits within a call moves the clock instead."""
    patch.setattr("erphub.wizards.machine._MAX_START_SECONDS", 0.05)
    patch.setattr("erphub.wizards.machine.WizardMachine.__init__.__defaults__", (stage.wait,))


def forget_parts() -> None:
    """The services are made anew."""
    app.services.cache_clear()


@contextmanager
def theatre() -> Iterator[Theatre]:
    """Start a local AWS with a proxy before it, and end both."""
    directory = Path(tempfile.mkdtemp(prefix="erphub-reliability-"))
    port = processes.free_port()
    started = emulator.start(directory, port, "AKIATESTING", bare=True)
    proxy: FaultProxy | None = None
    try:
        emulator.wait_until_ready(directory, port, started)
        proxy = FaultProxy(port)
        own = {
            "AWS_ENDPOINT_URL": proxy.address,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-north-1",
            "AWS_REGION": "eu-north-1",
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in own.items():
                patch.setenv(name, value)
            # Between two tries the clients wait for seconds; nothing here gets better by waiting.
            patch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
            _forget_clients()
            yield Theatre(proxy, port, clients.client("kms").create_key()["KeyMetadata"]["KeyId"])
            _forget_clients()
    finally:
        if proxy is not None:
            proxy.close()
        processes.stop(started, 0)
        shutil.rmtree(directory, ignore_errors=True)


def _forget_clients() -> None:
    clients.client.cache_clear()
    clients._session.cache_clear()
