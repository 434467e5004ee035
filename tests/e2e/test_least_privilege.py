"""The deployed roles, tried: what a function must not do is refused by the AWS that runs it.

The local AWS knows resources and actions, and not which item or prefix a request is about: those are judged by
tests/template/test_least_privilege.py alone."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local import deploy
from local.emulator import REGION
from tests.e2e.wizard import WizardUser

REFUSED = {"AccessDenied", "AccessDeniedException", "403", "AuthorizationError"}
TALKS_TO_ERPS = {"ConnectionsApi", "WizardTasks", "ImportTasks", "SyncApi", "TransferTasks"}
FUNCTIONS = (
    *("ConnectionsApi", "WebhookDeliveries", "WizardTasks", "DeletionTasks", "FirstAdmin", "ImportsApi"),
    *("LakeRows", "ImportTasks", "ImportSchedule", "SyncApi", "TransferTasks", "TransferSchedule"),
)


@pytest.fixture(scope="module")
def sessions(hub: Any) -> Iterator[Mapping[str, Any]]:
    """Each function's role, taken on as the function does: only Lambda may, so for the test the deployer may too."""
    functions = deploy.resources(hub.aws, hub.stack.name, "AWS::Lambda::Function")
    iam, sts = hub.aws.client("iam"), hub.aws.client("sts")
    me = sts.get_caller_identity()["Arn"]
    found: dict[str, Any] = {}
    trusted: dict[str, Any] = {}
    try:
        for name in FUNCTIONS:
            arn = hub.aws.client("lambda").get_function_configuration(FunctionName=functions[name])["Role"]
            role = arn.rpartition("/")[2]
            trusted[role] = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            also = {"Effect": "Allow", "Principal": {"AWS": me}, "Action": "sts:AssumeRole"}
            document = {**trusted[role], "Statement": [*trusted[role]["Statement"], also]}
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))
            given = sts.assume_role(RoleArn=arn, RoleSessionName="tried")["Credentials"]
            keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
            found[name] = boto3.Session(*keys, region_name=REGION)
        yield found
    finally:
        for role, document in trusted.items():
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))


@pytest.fixture(scope="module")
def things(hub: Any) -> Mapping[str, str]:
    """A password, a signing secret and objects that are there, so that no answer but a refusal hides them."""
    user = WizardUser.of_a_new_customer(hub)
    user.start()
    user.answer("server", user.server)
    manager, s3, bucket = hub.aws.client("secretsmanager"), hub.aws.client("s3"), hub.outputs["LakeBucket"]
    names = [one["Name"] for page in manager.get_paginator("list_secrets").paginate() for one in page["SecretList"]]
    password = next(name for name in names if "/connections/" in name and "webhook-" not in name)
    signing = password.rpartition("/")[0] + "/webhook-tried"
    manager.create_secret(Name=signing, SecretString="{}")
    for key in ("lake/C/t/x", "documents/C/X/1/1.pdf", "staging/uploads/C/X/U", "staging/C/R/x"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    return {
        "password": password,
        "signing": signing,
        "bucket": bucket,
        "pool": hub.outputs["UserPoolId"],
        "table": hub.outputs["TableName"],
    }


type Try = Callable[[Any, Mapping[str, str]], object]


def secret(operation: str, which: str, **more: str) -> Try:
    return lambda client, things: getattr(client("secretsmanager"), operation)(SecretId=things[which], **more)


def s3_object(operation: str, key: str, **more: Any) -> Try:
    return lambda client, things: getattr(client("s3"), operation)(Bucket=things["bucket"], Key=key, **more)


ACTS: Mapping[str, tuple[Try, set[str]]] = {
    "read a password": (secret("get_secret_value", "password"), TALKS_TO_ERPS),
    "read what webhooks are signed with": (
        secret("get_secret_value", "signing"),
        {"ConnectionsApi", "WebhookDeliveries"},
    ),
    "replace what webhooks are signed with": (
        secret("put_secret_value", "signing", SecretString='{"a": "b"}'),
        {"ConnectionsApi"},
    ),
    "read the lake": (s3_object("get_object", "lake/C/t/x"), {"LakeRows", "ImportTasks", "DeletionTasks"}),
    "write the lake": (s3_object("put_object", "lake/C/t/y", Body=b""), {"ImportTasks", "DeletionTasks"}),
    "read what is staged": (s3_object("get_object", "staging/C/R/x"), {"ImportTasks"}),
    "read a till's documents": (s3_object("get_object", "documents/C/X/1/1.pdf"), {"SyncApi", "TransferTasks"}),
    "read uploads": (s3_object("get_object", "staging/uploads/C/X/U"), {"SyncApi", "TransferTasks"}),
    "write uploads": (s3_object("put_object", "staging/uploads/C/X/V", Body=b""), {"SyncApi"}),
    "read all tenants at once": (lambda client, things: client("dynamodb").scan(TableName=things["table"]), set()),
    "set somebody's password": (
        lambda client, things: client("cognito-idp").admin_set_user_password(
            UserPoolId=things["pool"], Username="nobody", Password="Tried-it-1"
        ),
        set(),
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_only_those_may_who_have_to(sessions: Mapping[str, Any], things: Mapping[str, str], hub: Any, act: str) -> None:
    attempt, allowed = ACTS[act]
    could: set[str] = set()
    for name, session in sessions.items():
        try:
            attempt(lambda service, session=session: session.client(service, endpoint_url=hub.aws.endpoint), things)
        except ClientError as error:
            if error.response["Error"]["Code"] in REFUSED:
                continue
            raise
        could.add(name)
    assert could == allowed
