"""The AWS on this machine: starts the emulator on loopback, with IAM enforced and its state kept on disk."""

import os
import secrets
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import processes
from local.processes import Started, StartupError

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient

ROOT = Path(__file__).resolve().parent.parent
REGION = "eu-north-1"
ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Credentials:
    """Keys of an IAM user of the emulator."""

    access_key: str
    secret_key: str


@dataclass(frozen=True)
class Aws:
    """Where an AWS is and as whom to call it."""

    endpoint: str
    credentials: Credentials

    @overload
    def client(self, service: Literal["apigateway"]) -> "APIGatewayClient": ...
    @overload
    def client(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def client(self, service: Literal["cognito-idp"]) -> "CognitoIdentityProviderClient": ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["iam"]) -> "IAMClient": ...
    @overload
    def client(self, service: Literal["lambda"]) -> "LambdaClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
    @overload
    def client(self, service: Literal["stepfunctions"]) -> "SFNClient": ...
    def client(self, service: str) -> Any:
        """A boto3 client of `service`, that gives up after seconds rather than minutes."""
        config = Config(
            connect_timeout=5, read_timeout=120, retries={"mode": "standard"}, s3={"addressing_style": "path"}
        )
        return boto3.client(  # pyright: ignore[reportUnknownMemberType, reportCallIssue, reportUnknownVariableType]
            service,  # pyright: ignore[reportArgumentType]
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.credentials.access_key,
            aws_secret_access_key=self.credentials.secret_key,
            config=config,
        )

    def environment(self) -> dict[str, str]:
        """What a child process needs in order to reach this AWS, and nothing of the machine's own AWS settings."""
        return clean_environment() | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }


def clean_environment() -> dict[str, str]:
    """This process's environment without any AWS setting: a developer's real account must never be reached."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def start(directory: Path, port: int, root_key: str, *, bare: bool = False) -> Started:
    """Start the emulator on loopback `port`, its state below `directory`. Raises StartupError when it ends at once.

    A bare one keeps its state in memory and asks nobody who they are: for tests of what is stored, not of who may.
    """
    scratch = directory / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    own = {
        name: value for name, value in clean_environment().items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
    }
    own |= {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(directory / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(directory / "s3"),
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{directory}/no-container-engine",
        "TMPDIR": str(scratch),
        "AWS_ACCESS_KEY_ID": root_key,
        "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(16),
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": "INFO",
    }
    if bare:
        own |= {"AUTH": "false", "PERSIST_STATE": "0", "S3_PERSIST": "0", "LOG_LEVEL": "WARNING"}
    command = [str(ROOT / ".venv-aws/bin/python"), "-P", str(ROOT / "local/policy_variables.py")]
    return processes.start(command, log=_log(directory), environment=own, cwd=directory)


def _log(directory: Path) -> Path:
    return directory / "log" / "emulator.log"


def wait_until_ready(directory: Path, port: int, started: Started, seconds: float = 60) -> None:
    """Wait until the emulator answers. Raises StartupError with the end of its log when it does not."""
    log = _log(directory)
    processes.wait_until_listening(port, started, log, seconds)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=5).close()
        except (urllib.error.URLError, TimeoutError):
            if not processes.alive(started):
                raise StartupError(f"the emulator ended while starting:\n{processes.tail(log)}") from None
            time.sleep(0.1)
        else:
            return
    raise StartupError(f"the emulator does not answer:\n{processes.tail(log)}")


def deployer(endpoint: str, root_key: str, known: Credentials | None) -> Credentials:
    """The IAM user that deploys and administers; made with the emulator's root key when it is not there yet.

    Raises StartupError when the emulator refuses.
    """
    if known is not None:
        try:
            Aws(endpoint, known).client("iam").get_user(UserName="deployer")
        except (ClientError, BotoCoreError):
            known = None
    if known is not None:
        return known
    iam = Aws(endpoint, Credentials(root_key, "unused")).client("iam")
    try:
        iam.create_user(UserName="deployer")
        policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
        iam.put_user_policy(UserName="deployer", PolicyName="all", PolicyDocument=policy)
        key = iam.create_access_key(UserName="deployer")["AccessKey"]
    except (ClientError, BotoCoreError) as error:
        raise StartupError(f"the emulator would not make the deploying user: {error}") from error
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])
