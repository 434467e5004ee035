"""AWS clients, made on first use and kept, with a count of every call: a run says what it cost.

botocore alone: `import boto3` brings a transfer manager and resources that nobody here uses (70 ms of a cold start).
"""

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import botocore.session
from botocore.config import Config

from erphub.platform.settings import read_settings

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient


calls: Counter[str] = Counter()
"""Calls of this process by `service.Operation`, retries included; whoever wants a difference takes a copy first."""


@cache
def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
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
def client(service: Literal["kms"]) -> Any: ...
@cache
def client(service: str) -> Any:
    """The client of a service, one per process, with time-outs short enough for a Lambda to answer in time."""
    config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "max_attempts": 5})
    if service == "s3":
        config = config.merge(Config(signature_version="s3v4", s3=cast(Any, _addresses_of_s3())))
    return cast(Any, _session().create_client(service, config=config))


def _addresses_of_s3() -> dict[str, str]:
    """How the bucket's address is made: with the region's own host, as pre-signed addresses need.

    Left alone, botocore signs for the global host, which sends callers on to the region's (then the signature no longer
    fits) or knows nothing of it (regions opened after March 2019). Source: "Amazon S3 user guide", request routing.
    An emulator is one host for every bucket: there the bucket is part of the path.
    """
    elsewhere = read_settings().aws_endpoint is not None
    return {"addressing_style": "path" if elsewhere else "virtual", "us_east_1_regional_endpoint": "regional"}
