"""What each function may not do: every role × every act that would hurt a tenant, judged as AWS judges it.

The table says for each act who may do it, and nobody else may: a role that is given more, and a new function, fail here
until somebody has written down that they need it."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import pytest

from erphub.audit.dynamodb import audit_key
from erphub.connections.dynamodb import connection_key
from erphub.tenancy.dynamodb import platform_admin_key
from local import template

DRAWN = template.load()
ROLES: Mapping[str, Mapping[str, Any]] = {
    name: properties
    for kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
    for name, properties in template.of_type(DRAWN, kind).items()
}
ARNS = {
    "Tenants": "arn:aws:dynamodb:eu-north-1:1:table/tenants",
    "ExportLog": "arn:aws:dynamodb:eu-north-1:1:table/export-log",
    "Lake": "arn:aws:s3:::lake",
    "UserPool": "arn:aws:cognito-idp:eu-north-1:1:userpool/pool",
    "EventBus": "arn:aws:events:eu-north-1:1:event-bus/bus",
    "TokenKey": "arn:aws:kms:eu-north-1:1:key/tokens",
}
NAMES = {"Partition": "aws", "Region": "eu-north-1", "AccountId": "1", "StackName": "hub"}
SECRETS = "arn:aws:secretsmanager:eu-north-1:1:secret:"
PASSWORD, SIGNING = f"{SECRETS}hub/connections/C1/X1-AbCdEf", f"{SECRETS}hub/connections/C1/webhook-W1-AbCdEf"


def text(value: Any) -> str:
    """A resource of the template as the name that it will have."""
    if isinstance(value, str):
        return value
    if "Fn::GetAtt" in value:
        return ARNS.get(value["Fn::GetAtt"][0], f"arn:aws:other:{value['Fn::GetAtt'][0]}")
    said = str(value["Fn::Sub"])
    for name, arn in ARNS.items():
        said = said.replace(f"${{{name}.Arn}}", arn)
    for name, is_called in NAMES.items():
        said = said.replace(f"${{AWS::{name}}}", is_called)
    return said


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def statements(name: str) -> Iterator[Mapping[str, Any]]:
    for policy in ROLES[name].get("Policies", []):
        assert isinstance(policy, dict), "a managed policy may do more than is seen here"
        yield from policy.get("Statement", [])


def holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, Sequence[str]]) -> bool:
    """As IAM: every operator and every key of it must agree; an absent key satisfies IfExists and ForAllValues."""
    for operator, keys in condition.items():
        kind, _, compare = operator.rpartition(":")
        assert compare in ("StringLike", "StringEquals", "StringLikeIfExists"), f"teach this test {operator}"
        for key, patterns in keys.items():
            given = context.get(key)
            if given is None:
                if kind == "ForAllValues" or compare.endswith("IfExists"):
                    continue
                return False
            agree = [any(fnmatchcase(one, pattern) for pattern in listed(patterns)) for one in given]
            if not (any(agree) if kind == "ForAnyValue" else all(agree)):
                return False
    return True


def may(name: str, action: str, resource: str, context: Mapping[str, Sequence[str]]) -> bool:
    """Whether the role may: somebody allows it and nobody denies it."""
    effects = {
        one["Effect"]
        for one in statements(name)
        if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in listed(one["Action"]))
        and any(fnmatchcase(resource, text(pattern)) for pattern in listed(one["Resource"]))
        and holds(one.get("Condition", {}), context)
    }
    return "Allow" in effects and "Deny" not in effects


def item(key: Mapping[str, str]) -> dict[str, list[str]]:
    return {"dynamodb:LeadingKeys": [key["pk"]]}


ADMINISTRATOR, AUDIT = item(platform_admin_key("somebody")), item(audit_key("C1", "X1", "entry"))
CONNECTION = item(connection_key("C1", "X1"))
DISK, PAPERS = f"{ARNS['Lake']}/lake/C1/customers/part.parquet", f"{ARNS['Lake']}/documents/C1/X1/7/1.pdf"
UPLOADS, STAGED = f"{ARNS['Lake']}/staging/uploads/C1/X1/U1", f"{ARNS['Lake']}/staging/C1/R1/part.parquet"
NOBODY: frozenset[str] = frozenset()
TALKS_TO_ERPS = frozenset({"ConnectionsApi", "WizardTasks", "ImportTasks", "SyncApi", "TransferTasks"})
SYNC = frozenset({"SyncApi", "TransferTasks"})
WRITES = ("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem")

type Act = tuple[str, str, Mapping[str, Sequence[str]], frozenset[str]]
ACTS: Mapping[str, Act] = {
    "read a connection's password": ("secretsmanager:GetSecretValue", PASSWORD, {}, TALKS_TO_ERPS),
    "write a connection's password": (
        "secretsmanager:PutSecretValue",
        PASSWORD,
        {},
        frozenset({"ConnectionsApi", "WizardTasks"}),
    ),
    "remove a connection's password": (
        "secretsmanager:DeleteSecret",
        PASSWORD,
        {},
        frozenset({"ConnectionsApi", "WizardTasks", "DeletionTasks"}),
    ),
    "read what webhooks are signed with": (
        "secretsmanager:GetSecretValue",
        SIGNING,
        {},
        frozenset({"ConnectionsApi", "WebhookDeliveries"}),
    ),
    "replace what webhooks are signed with": (
        "secretsmanager:PutSecretValue",
        SIGNING,
        {},
        frozenset({"ConnectionsApi"}),
    ),
    "remove what webhooks are signed with": (
        "secretsmanager:DeleteSecret",
        SIGNING,
        {},
        frozenset({"ConnectionsApi", "WizardTasks"}),
    ),
    "read another deployment's passwords": (
        "secretsmanager:GetSecretValue",
        f"{SECRETS}hub2/connections/C1/X1-AbCdEf",
        {},
        NOBODY,
    ),
    "read a secret that is no connection's": (
        "secretsmanager:GetSecretValue",
        f"{SECRETS}hub/other-AbCdEf",
        {},
        NOBODY,
    ),
    "let others read a secret": ("secretsmanager:PutResourcePolicy", PASSWORD, {}, NOBODY),
    "make a platform administrator": (
        "dynamodb:PutItem",
        ARNS["Tenants"],
        ADMINISTRATOR,
        frozenset({"ConnectionsApi", "FirstAdmin"}),
    ),
    "change a platform administrator": (
        "dynamodb:UpdateItem",
        ARNS["Tenants"],
        ADMINISTRATOR,
        frozenset({"ConnectionsApi"}),
    ),
    "remove a platform administrator": (
        "dynamodb:DeleteItem",
        ARNS["Tenants"],
        ADMINISTRATOR,
        frozenset({"ConnectionsApi", "FirstAdmin"}),
    ),
    **{f"rewrite the audit by {action}": (action, ARNS["Tenants"], AUDIT, NOBODY) for action in WRITES},
    "remove a connection": (
        "dynamodb:DeleteItem",
        ARNS["Tenants"],
        CONNECTION,
        frozenset(ROLES)
        - {"FirstAdmin", "LakeRows", "ConnectMachine", "ImportMachine", "DeleteMachine", "TransferMachine"},
    ),
    "read all tenants at once": ("dynamodb:Scan", ARNS["Tenants"], {}, NOBODY),
    "drop the tables": ("dynamodb:DeleteTable", ARNS["Tenants"], {}, NOBODY),
    "switch off the tables' copies": ("dynamodb:UpdateContinuousBackups", ARNS["Tenants"], {}, NOBODY),
    "write the export log": (
        "dynamodb:PutItem",
        ARNS["ExportLog"],
        CONNECTION,
        SYNC | {"TransferSchedule", "DeletionTasks"},
    ),
    "read the export log": (
        "dynamodb:Query",
        ARNS["ExportLog"],
        CONNECTION,
        SYNC | {"TransferSchedule", "DeletionTasks", "ConnectionsApi"},
    ),
    "read the lake": ("s3:GetObject", DISK, {}, frozenset({"LakeRows", "ImportTasks", "DeletionTasks"})),
    "write the lake": ("s3:PutObject", DISK, {}, frozenset({"ImportTasks", "DeletionTasks"})),
    "remove old versions of the lake": ("s3:DeleteObjectVersion", DISK, {}, frozenset({"DeletionTasks"})),
    "read what is staged": ("s3:GetObject", STAGED, {}, frozenset({"ImportTasks"})),
    "read a till's documents": ("s3:GetObject", PAPERS, {}, SYNC),
    "write a till's documents": ("s3:PutObject", PAPERS, {}, frozenset({"SyncApi"})),
    "read uploads": ("s3:GetObject", UPLOADS, {}, SYNC),
    "write uploads": ("s3:PutObject", UPLOADS, {}, frozenset({"SyncApi"})),
    "remove uploads": ("s3:DeleteObject", UPLOADS, {}, frozenset({"DeletionTasks"})),
    "list tills' documents": (
        "s3:ListBucket",
        ARNS["Lake"],
        {"s3:prefix": ["documents/C1/"]},
        SYNC | {"ConnectionsApi", "DeletionTasks"},
    ),
    "list the lake": (
        "s3:ListBucket",
        ARNS["Lake"],
        {"s3:prefix": ["lake/C1/"]},
        frozenset({"ConnectionsApi", "DeletionTasks", "ImportTasks", "LakeRows"}),
    ),
    "open the lake to others": ("s3:PutBucketPolicy", ARNS["Lake"], {}, NOBODY),
    "invite somebody": (
        "cognito-idp:AdminCreateUser",
        ARNS["UserPool"],
        {},
        frozenset({"ConnectionsApi", "FirstAdmin"}),
    ),
    "set somebody's password": ("cognito-idp:AdminSetUserPassword", ARNS["UserPool"], {}, NOBODY),
    "remove somebody": ("cognito-idp:AdminDeleteUser", ARNS["UserPool"], {}, NOBODY),
    "open sealed tokens": ("kms:Decrypt", ARNS["TokenKey"], {}, TALKS_TO_ERPS - {"ConnectionsApi"}),
    "destroy the key of tokens": ("kms:ScheduleKeyDeletion", ARNS["TokenKey"], {}, NOBODY),
    "start a wizard": (
        "states:StartExecution",
        "arn:aws:states:eu-north-1:1:stateMachine:hub-connect",
        {},
        frozenset({"ConnectionsApi"}),
    ),
    "start a deletion": (
        "states:StartExecution",
        "arn:aws:states:eu-north-1:1:stateMachine:hub-delete",
        {},
        frozenset({"ConnectionsApi"}),
    ),
    "read what executions were given": (
        "states:GetExecutionHistory",
        "arn:aws:states:eu-north-1:1:execution:hub-connect:E",
        {},
        NOBODY,
    ),
    "become somebody else": ("sts:AssumeRole", "arn:aws:iam::1:role/any", {}, NOBODY),
    "give rights": ("iam:PutRolePolicy", "arn:aws:iam::1:role/any", {}, NOBODY),
    "change a function": ("lambda:UpdateFunctionCode", "arn:aws:lambda:eu-north-1:1:function:any", {}, NOBODY),
    "remove logs": ("logs:DeleteLogGroup", "arn:aws:logs:eu-north-1:1:log-group:any", {}, NOBODY),
}


@pytest.mark.parametrize("act", ACTS)
def test_only_those_may_who_have_to(act: str) -> None:
    action, resource, context, allowed = ACTS[act]
    assert {name for name in ROLES if may(name, action, resource, context)} == allowed


def test_the_audit_and_administrators_cannot_be_written_beside_something_else() -> None:
    """A batch holds many keys: one of them that is denied denies it all."""
    for other in (AUDIT, ADMINISTRATOR):
        keys = {"dynamodb:LeadingKeys": [*CONNECTION["dynamodb:LeadingKeys"], *other["dynamodb:LeadingKeys"]]}
        assert not may("ImportTasks", "dynamodb:BatchWriteItem", ARNS["Tenants"], keys)
    assert may("ImportTasks", "dynamodb:BatchWriteItem", ARNS["Tenants"], CONNECTION)


def test_policies_of_templates_are_only_those_that_invoke_one_function() -> None:
    for name, properties in ROLES.items():
        for policy in properties.get("Policies", []):
            assert set(policy) <= {"Statement", "LambdaInvokePolicy"}, name
