"""What outlives a stack: which resources that are, how they are found again, and the template that takes them up."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from . import KEPT_TYPES, Clients

Json = dict[str, Any]


@dataclass(frozen=True)
class Left:
    """Something that an earlier deployment has left behind."""

    logical: str
    """Its name in the template."""
    kind: str
    id: str
    """What it is imported by: a name, an id or an address."""


def kept(written: Json) -> dict[str, str]:
    """{logical name: type} of what the template keeps when its stack is deleted."""
    found = {name: one["Type"] for name, one in written["Resources"].items() if one.get("DeletionPolicy") == "Retain"}
    return cast(dict[str, str], found)


def left_behind(client: Clients, stack: str, written: Json) -> list[Left]:
    """Resources of an earlier stack of this name; CloudFormation names them <stack>-<logical name>-<characters>."""
    known = {kind: list(_names(client, kind, stack)) for kind in set(kept(written).values()) if kind in KEPT_TYPES}
    found: list[Left] = []
    for logical, kind in kept(written).items():
        for name, identifier in known.get(kind, []):
            # A bucket's name is in small letters; a pool has the stack's own name.
            if name == stack or name.lower().startswith(f"{stack}-{logical}-".lower()):
                found.append(Left(logical, kind, identifier))
    return found


def _names(client: Clients, kind: str, stack: str) -> Iterator[tuple[str, str]]:
    """(name, what it is imported by) of everything of a type that may be the stack's."""
    if kind == "AWS::DynamoDB::Table":
        for page in client("dynamodb").get_paginator("list_tables").paginate():
            yield from ((name, name) for name in page["TableNames"])
    elif kind == "AWS::S3::Bucket":
        yield from ((one["Name"], one["Name"]) for one in client("s3").list_buckets()["Buckets"])
    elif kind == "AWS::Cognito::UserPool":
        for page in client("cognito-idp").get_paginator("list_user_pools").paginate(MaxResults=60):
            yield from ((one["Name"], one["Id"]) for one in page["UserPools"] if one["Name"] == stack)
    elif kind == "AWS::SQS::Queue":
        for page in client("sqs").get_paginator("list_queues").paginate(QueueNamePrefix=f"{stack}-"):
            yield from ((url.rsplit("/", 1)[1], url) for url in page.get("QueueUrls", []))


def template_of(written: Json, logical: set[str]) -> Json:
    """The part of the template that draws these resources alone, with the parameters and conditions it needs.

    A change set that imports may make nothing new, so everything else comes with the deployment that follows.
    """
    drawn = {name: _without_comments(one) for name, one in written["Resources"].items() if name in logical}
    conditions = _reached(written.get("Conditions", {}), drawn)
    words = json.dumps([drawn, conditions])
    parameters = {name: one for name, one in written.get("Parameters", {}).items() if f'"{name}"' in words}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What an earlier deployment of ERP Hub has left behind, taken up again",
        "Parameters": parameters,
        "Conditions": conditions,
        "Resources": drawn,
    }


def _without_comments(resource: Json) -> Json:
    return {key: value for key, value in resource.items() if key not in ("Metadata", "Condition", "DependsOn")}


def _reached(conditions: Mapping[str, Any], drawn: Json) -> Json:
    words = json.dumps(drawn)
    found = {name: one for name, one in conditions.items() if f'"Fn::If": ["{name}"' in words}
    while more := {
        name: one
        for name, one in conditions.items()
        if name not in found and f'"Condition": "{name}"' in json.dumps(found)
    }:
        found |= more
    return found
