"""AWS clients, made on first use and kept, with a count of every call: a run says what it cost.

botocore alone: `import boto3` brings a transfer manager and resources that nobody here uses (70 ms of a cold start).
"""

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast, overload, override
from zlib import crc32

import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver
from botocore.exceptions import ConnectionClosedError

from erphub.platform.aws.service_models import ServiceModels
from erphub.platform.settings import read_settings

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient


calls: Counter[str] = Counter()
"""Calls of this process by `service.Operation`, retries included; whoever wants a difference takes a copy first."""


class Session(botocore.session.Session):
    """botocore's session, whose clients take whole answers only."""

    @override
    def create_client(self, *arguments: Any, **options: Any) -> Any:
        made = cast(Any, super().create_client(*arguments, **options))
        made._endpoint.http_session = WholeAnswers(made._endpoint.http_session)
        return made


@cache
def _session() -> botocore.session.Session:
    return _new_session()


def _new_session() -> botocore.session.Session:
    session = Session()
    session.register_component("data_loader", ServiceModels())
    # Older versions ask STS in Virginia, wherever the function runs.
    session.set_config_variable("sts_regional_endpoints", "regional")
    session.register("before-send", _count)
    return session


def _count(event_name: str, **_: Any) -> None:
    calls[event_name.removeprefix("before-send.")] += 1


@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["stepfunctions"]) -> "SFNClient": ...
@overload
def client(service: Literal["lambda"]) -> "LambdaClient": ...
@overload
def client(service: Literal["cognito-idp"]) -> "CognitoIdentityProviderClient": ...
@overload
def client(service: Literal["events"]) -> "EventBridgeClient": ...
@overload
def client(service: Literal["sts"]) -> "STSClient": ...
@overload
def client(service: Literal["kms"]) -> Any: ...
@cache
def client(service: str) -> Any:
    """The client of a service, one per process, with time-outs short enough for a Lambda to answer in time."""
    return _create(_session(), service)


def make_client(service: str, credentials: CredentialProvider) -> Any:
    """Another client of a service, with credentials of its own; what is known of services is read once for all."""
    session = _new_session()
    session.register_component("data_loader", _session().get_component("data_loader"))
    session.register_component("credential_provider", CredentialResolver([credentials]))
    return _create(session, service)


def _create(session: botocore.session.Session, service: str) -> Any:
    config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 5})
    if service == "s3":
        config = config.merge(Config(signature_version="s3v4", s3=cast(Any, _addresses_of_s3())))
    return cast(Any, session.create_client(service, config=config))


class WholeAnswers:
    """The HTTP session of a client, with answers that ended early told apart from whole ones.

    botocore asks urllib3 not to look at an answer's length, and reads half a JSON document as one without content: a
    GetItem whose answer was cut would say that there is no such item. Here it is a connection that broke, and the
    request is sent again. Bodies that are streamed are looked at by botocore as they are read.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: Any) -> Any:
        """The answer. Raises ConnectionClosedError when it is not all there, and as botocore's session does."""
        answer = self._session.send(request)
        if not request.stream_output and request.method != "HEAD" and not _is_whole(answer):
            raise ConnectionClosedError(endpoint_url=request.url, request=request)
        return answer

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()


def _is_whole(answer: Any) -> bool:
    """Whether a body has the length and, from DynamoDB, the check sum that its head says."""
    length, checksum = answer.headers.get("content-length"), answer.headers.get("x-amz-crc32")
    if length is not None and len(answer.content) != int(length):
        return False
    return checksum is None or crc32(answer.content) == int(checksum)


def _addresses_of_s3() -> dict[str, str]:
    """How the bucket's address is made: with the region's own host, as pre-signed addresses need.

    Left alone, botocore signs for the global host, which sends callers on to the region's (then the signature no longer
    fits) or knows nothing of it (regions opened after March 2019). Source: "Amazon S3 user guide", request routing.
    An emulator is one host for every bucket: there the bucket is part of the path.
    """
    elsewhere = read_settings().aws_endpoint is not None
    return {"addressing_style": "path" if elsewhere else "virtual", "us_east_1_regional_endpoint": "regional"}
