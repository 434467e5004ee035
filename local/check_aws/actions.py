"""Actions in policies: each is one that AWS knows; IAM itself takes any word and grants nothing by it."""

import functools
import re
from collections.abc import Iterator
from typing import Any, cast

import botocore.session

from .stack import Json, Stack

IAM_ONLY = {
    # Action: the operation that it is about; S3's are named after what is touched, not after the call.
    "apigateway:DELETE": "",
    "apigateway:GET": "",
    "apigateway:PATCH": "",
    "apigateway:POST": "",
    "apigateway:PUT": "",
    "apigateway:SetWebACL": "",
    "dynamodb:ConditionCheckItem": "TransactWriteItems",
    "iam:PassRole": "",
    "lambda:InvokeFunction": "Invoke",
    "logs:CreateLogDelivery": "",
    "logs:GetLogDelivery": "",
    "logs:UpdateLogDelivery": "",
    "logs:DeleteLogDelivery": "",
    "logs:ListLogDeliveries": "",
    "s3:AbortMultipartUpload": "AbortMultipartUpload",
    "s3:DeleteObjectVersion": "DeleteObject",
    "s3:GetBucketPublicAccessBlock": "GetPublicAccessBlock",
    "s3:GetEncryptionConfiguration": "GetBucketEncryption",
    "s3:GetLifecycleConfiguration": "GetBucketLifecycleConfiguration",
    "s3:GetObjectVersion": "GetObject",
    "s3:ListBucket": "ListObjectsV2",
    "s3:ListBucketMultipartUploads": "ListMultipartUploads",
    "s3:ListBucketVersions": "ListObjectVersions",
    "s3:ListMultipartUploadParts": "ListParts",
    "s3:PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "s3:PutEncryptionConfiguration": "PutBucketEncryption",
    "s3:PutLifecycleConfiguration": "PutBucketLifecycleConfiguration",
}
"""Reviewed by hand: actions that are no operation of their own ("Service Authorization Reference").

Empty where no operation carries the permission: vended logs, which Step Functions and API Gateway ask for; handing a
role to a service. API Gateway's actions are the methods of HTTP.
"""
S3_NOT_ACTIONS = {"ListObjects", "ListObjectsV2", "ListObjectVersions", "HeadObject", "HeadBucket", "CopyObject"}
"""Calls of S3 under whose own name there is no action: ListBucket, GetObject and PutObject stand for them."""


@functools.cache
def operations(prefix: str) -> frozenset[str]:
    """The operations of the services whose actions begin with this prefix; empty when AWS has none."""
    session = botocore.session.get_session()
    found: set[str] = set()
    for name in _services(prefix):
        model = session.get_service_model(name)
        if prefix in (name, model.signing_name, model.endpoint_prefix):
            found |= set(model.operation_names)
    return frozenset(found)


def _services(prefix: str) -> list[str]:
    """Services that may go by the prefix; all models are looked at only when none has it for its name."""
    known = {"states": ["stepfunctions"], "cloudwatch": ["cloudwatch"]}
    available = botocore.session.get_session().get_available_services()
    return known.get(prefix) or [name for name in available if name == prefix] or available


def statements(stack: Stack) -> Iterator[tuple[str, Json]]:
    """Every statement of every policy in the template, with the resource it belongs to."""

    def walk(where: str, value: Any) -> Iterator[tuple[str, Json]]:
        if isinstance(value, list):
            for one in cast(list[Any], value):
                yield from walk(where, one)
        elif isinstance(value, dict):
            given = cast(Json, value)
            if "Effect" in given and ("Action" in given or "NotAction" in given):
                yield where, given
            for one in given.values():
                yield from walk(where, one)

    for name, one in stack.resources.items():
        yield from walk(name, one.get("Properties", {}))


def unknown(action: str) -> bool:
    """Whether AWS has no such action."""
    prefix, _, name = action.partition(":")
    if action in IAM_ONLY:
        operation = IAM_ONLY[action]
        return bool(operation) and operation not in operations(prefix)
    if prefix == "sts" or action.endswith(":*"):
        return not operations(prefix)
    if prefix == "s3" and name in S3_NOT_ACTIONS:
        return True
    return not re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action) or name not in operations(prefix)


def exist(stack: Stack) -> list[str]:
    """Every action that a policy names is one of AWS's."""
    named: dict[str, str] = {}
    for where, statement in statements(stack):
        given = statement.get("Action", statement.get("NotAction"))
        for action in [given] if isinstance(given, str) else cast(list[str], given):
            named.setdefault(action, where)
    return [f"{where}: there is no action {action}" for action, where in sorted(named.items()) if unknown(action)]
