"""What each function may not do: every role × every act that would hurt a tenant, judged as AWS judges it.

The table says for each act who may do it, and nobody else may: a role that is given more, and a new function, fail here
until somebody has written down that they need it. A function has two roles: its own, and one that it takes on for the
tenant at hand, whose policy is judged with that tenant's session tags."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

import pytest

from erphub.api_keys.credentials.dynamodb import credential_key
from erphub.audit.dynamodb import audit_key
from erphub.connections.dynamodb import connection_key
from erphub.platform.aws.credentials.sealed import credentials_key
from erphub.platform.aws.sessions import tags_of
from erphub.platform.tenants import Tenant
from erphub.tenancy.dynamodb import platform_admin_key
from local import template

DRAWN = template.load()
ROLES: Mapping[str, Mapping[str, Any]] = {
    name: properties
    for kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
    for name, properties in template.of_type(DRAWN, kind).items()
}
FOR_TENANTS: Mapping[str, Mapping[str, Any]] = {
    name.removesuffix("Tenant"): properties
    for name, properties in template.of_type(DRAWN, "AWS::IAM::Role").items()
    if name.endswith("Tenant")
}
"""The role that a function takes on for a tenant, by the function."""
ARNS = {
    **{f"{name}Tenant": f"arn:aws:iam::1:role/{name}Tenant" for name in FOR_TENANTS},
    "Tenants": "arn:aws:dynamodb:eu-north-1:1:table/tenants",
    "ExportLog": "arn:aws:dynamodb:eu-north-1:1:table/export-log",
    "Credentials": "arn:aws:dynamodb:eu-north-1:1:table/credentials",
    "Lake": "arn:aws:s3:::lake",
    "UserPool": "arn:aws:cognito-idp:eu-north-1:1:userpool/pool",
    "EventBus": "arn:aws:events:eu-north-1:1:event-bus/bus",
    "TokenKey": "arn:aws:kms:eu-north-1:1:key/tokens",
}
NAMES = {"Partition": "aws", "Region": "eu-north-1", "AccountId": "1", "StackName": "hub"}
SECRETS = "arn:aws:secretsmanager:eu-north-1:1:secret:"
CLIENT_KEY = f"{SECRETS}hub/client-keys/C1/K1-AbCdEf"
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
    return said.replace("${!", "${")


VARIABLE = re.compile(r"\$\{([^}]+)\}")


def filled(pattern: str, context: Mapping[str, Sequence[str]]) -> str | None:
    """A pattern with IAM's variables filled in; None, which matches nothing, when one has no value."""
    if any(name not in context for name in VARIABLE.findall(pattern)):
        return None
    return VARIABLE.sub(lambda found: context[found[1]][0], pattern)


def matches(value: str, pattern: str, context: Mapping[str, Sequence[str]]) -> bool:
    known = filled(pattern, context)
    return known is not None and fnmatchcase(value, known)


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
        known = ("StringLike", "StringNotLike", "StringEquals", "StringLikeIfExists", "ArnLike")
        assert compare in known, f"teach this test {operator}"
        for key, patterns in keys.items():
            given = context.get(key)
            if compare == "StringNotLike":
                if any(matches(one, pattern, context) for one in given or () for pattern in listed(patterns)):
                    return False
                continue
            if given is None:
                if kind == "ForAllValues" or compare.endswith("IfExists"):
                    continue
                return False
            agree = [any(matches(one, pattern, context) for pattern in listed(patterns)) for one in given]
            if not (any(agree) if kind == "ForAnyValue" else all(agree)):
                return False
    return True


def allowed_by(
    policy: Iterator[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, Sequence[str]]
) -> bool:
    """Whether a policy allows it: somebody allows it and nobody denies it."""
    effects = {
        one["Effect"]
        for one in policy
        if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in listed(one["Action"]))
        and any(matches(resource, text(pattern), context) for pattern in listed(one["Resource"]))
        and holds(one.get("Condition", {}), context)
    }
    return "Allow" in effects and "Deny" not in effects


def statements_for_tenants(name: str) -> Iterator[Mapping[str, Any]]:
    for policy in FOR_TENANTS[name]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def trusts(name: str, tags: Mapping[str, str]) -> bool:
    """Whether the role of a function is given out with these session tags."""
    context = {f"aws:RequestTag/{tag}": [value] for tag, value in tags.items()}
    known = context | ({"aws:TagKeys": list(tags)} if tags else {})
    [trust] = FOR_TENANTS[name]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Effect"] == "Allow"
    assert set(trust["Action"]) == {"sts:AssumeRole", "sts:TagSession"}
    return holds(trust["Condition"], known)


def may(
    name: str, action: str, resource: str, context: Mapping[str, Sequence[str]], acting_for: Sequence[Tenant] = ()
) -> bool:
    """Whether a function may: by its own role, or by the one that it takes on for one of these tenants."""
    if allowed_by(statements(name), action, resource, context):
        return True
    if name not in FOR_TENANTS:
        return False
    sessions = [tags_of(one) for one in acting_for if trusts(name, tags_of(one))]
    tagged = [{f"aws:PrincipalTag/{tag}": [value] for tag, value in tags.items()} for tags in sessions]
    return any(allowed_by(statements_for_tenants(name), action, resource, {**context, **tags}) for tags in tagged)


def item(key: Mapping[str, str]) -> dict[str, list[str]]:
    return {"dynamodb:LeadingKeys": [key["pk"]]}


ADMINISTRATOR, AUDIT = item(platform_admin_key("somebody")), item(audit_key("C1", "X1", "entry"))
CONNECTION = item(connection_key("C1", "X1"))
OWN = (Tenant("C1"), Tenant("C1", "X1"), Tenant("C1", "webhook-W1"))
"""For whom a function may be at work that touches what the table is about."""
ANOTHERS = (
    *(
        Tenant("C2"),
        Tenant("C2", "X1"),
        Tenant("C2", "X2"),
        Tenant("C2", "webhook-W1"),
        Tenant("C"),
        Tenant("C", "1/X1"),
    ),
    *(Tenant("uploads"), Tenant("c1", "x1"), Tenant("C11", "X1")),
)
"""Others, and such as whose names nearly are."""
SEALED = item(credentials_key("C1/X1"))
DISK, PAPERS = f"{ARNS['Lake']}/lake/C1/customers/part.parquet", f"{ARNS['Lake']}/documents/C1/X1/7/1.pdf"
UPLOADS, STAGED = f"{ARNS['Lake']}/staging/uploads/C1/X1/U1", f"{ARNS['Lake']}/staging/C1/R1/part.parquet"
NOBODY: frozenset[str] = frozenset()
TALKS_TO_ERPS = frozenset({"ConnectionsApi", "WizardTasks", "ImportTasks", "SyncApi", "TransferTasks"})
MAKES_KEYS = frozenset({"ConnectionsApi", "WizardTasks"})
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
    "open sealed credentials": ("secretsmanager:GetSecretValue", CLIENT_KEY, {}, TALKS_TO_ERPS),
    "make a client's key": ("secretsmanager:CreateSecret", CLIENT_KEY, {}, MAKES_KEYS),
    "write over a client's key": ("secretsmanager:PutSecretValue", CLIENT_KEY, {}, NOBODY),
    "destroy a client's key": ("secretsmanager:DeleteSecret", CLIENT_KEY, {}, NOBODY),
    "let others read a client's key": ("secretsmanager:PutResourcePolicy", CLIENT_KEY, {}, NOBODY),
    "read sealed credentials": ("dynamodb:GetItem", ARNS["Credentials"], SEALED, TALKS_TO_ERPS),
    "list sealed credentials of a client": (
        "dynamodb:Query",
        ARNS["Credentials"],
        SEALED,
        frozenset({"DeletionTasks"}),
    ),
    "read everybody's sealed credentials": ("dynamodb:Scan", ARNS["Credentials"], {}, NOBODY),
    "list the names of everybody's sealed credentials": (
        "dynamodb:Query",
        f"{ARNS['Credentials']}/index/kind",
        {},
        frozenset({"WizardTasks"}),
    ),
    "write sealed credentials": (
        "dynamodb:PutItem",
        ARNS["Credentials"],
        SEALED,
        frozenset({"ConnectionsApi", "WizardTasks"}),
    ),
    "change sealed credentials in place": ("dynamodb:UpdateItem", ARNS["Credentials"], SEALED, NOBODY),
    "remove sealed credentials": (
        "dynamodb:DeleteItem",
        ARNS["Credentials"],
        SEALED,
        frozenset({"ConnectionsApi", "WizardTasks", "DeletionTasks"}),
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
        - {"FirstAdmin", "LakeRows", "SignIn", "ConnectMachine", "ImportMachine", "DeleteMachine", "TransferMachine"},
    ),
    "read a connection": (
        "dynamodb:GetItem",
        ARNS["Tenants"],
        CONNECTION,
        frozenset(ROLES)
        - {"FirstAdmin", "SignIn", "ConnectMachine", "ImportMachine", "DeleteMachine", "TransferMachine"},
    ),
    "read what an API key is recognised by": (
        "dynamodb:GetItem",
        ARNS["Tenants"],
        item(credential_key("K1")),
        frozenset(ROLES) - {"FirstAdmin", "ConnectMachine", "ImportMachine", "DeleteMachine", "TransferMachine"},
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
    "read what was put there before": ("s3:GetObjectVersion", PAPERS, {}, SYNC),
    "see all that was put there": (
        "s3:ListBucketVersions",
        ARNS["Lake"],
        {"s3:prefix": ["documents/C1/X1/7/1.pdf"]},
        SYNC | {"DeletionTasks"},
    ),
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
    assert {name for name in ROLES if may(name, action, resource, context, OWN)} == allowed


OF_A_TENANT = {act: given for act, given in ACTS.items() if given[0].split(":")[0] in ("s3", "secretsmanager")}


@pytest.mark.parametrize("act", OF_A_TENANT)
def test_nobody_may_for_another_tenant_or_for_nobody(act: str) -> None:
    action, resource, context, _ = OF_A_TENANT[act]
    assert [name for name in ROLES if may(name, action, resource, context, ANOTHERS)] == []
    assert [name for name in ROLES if may(name, action, resource, context)] == []


OF_A_CONNECTION = [
    act
    for act, (action, resource, *_) in OF_A_TENANT.items()
    # A client's key is for all of its connections: that is why it costs a secret a client.
    if action.startswith("secretsmanager:") and resource != CLIENT_KEY
]


@pytest.mark.parametrize("act", OF_A_CONNECTION)
def test_nobody_may_for_another_connection_of_the_client(act: str) -> None:
    action, resource, context, _ = OF_A_TENANT[act]
    others = [Tenant("C1"), Tenant("C1", "X2"), Tenant("C1", "X"), Tenant("C1", "X11"), Tenant("C1", "webhook-W2")]
    assert [name for name in ROLES if may(name, action, resource, context, others)] == []


@pytest.mark.parametrize("name", sorted(TALKS_TO_ERPS))
def test_a_clients_key_is_read_for_whichever_of_its_connections_is_at_work(name: str) -> None:
    assert all(may(name, "secretsmanager:GetSecretValue", CLIENT_KEY, {}, [tenant]) for tenant in OWN)


def test_a_function_reaches_the_secrets_of_edits_and_of_those_that_are_not_there_yet() -> None:
    for secret in ("X1", "X1-AbCdEf", "X1/W1-AbCdEf"):
        where = f"{SECRETS}hub/connections/C1/{secret}"
        assert may("WizardTasks", "secretsmanager:CreateSecret", where, {}, [Tenant("C1", "X1")])


def test_no_functions_own_role_touches_a_secret_or_an_object() -> None:
    """A new function is in by itself; names of secrets are listed by sweepers, and a list shows no value."""
    own = {
        (name, action)
        for name in ROLES
        for one in statements(name)
        if one["Effect"] == "Allow"
        for action in listed(one["Action"])
        if action.split(":")[0] in ("s3", "secretsmanager", "*")
    }
    assert own == {(name, "secretsmanager:ListSecrets") for name in ("WizardTasks", "DeletionTasks")}


def test_whatever_is_allowed_for_a_tenant_names_that_tenant() -> None:
    for name in FOR_TENANTS:
        for one in statements_for_tenants(name):
            if one["Effect"] == "Deny":
                continue
            named = [text(pattern) for pattern in listed(one["Resource"])]
            if one["Action"] in ("s3:ListBucket", "s3:ListBucketVersions"):
                conditions = chain.from_iterable(one["Condition"].values())
                assert list(conditions) == ["s3:prefix"], name
                named = [pattern for keys in one["Condition"].values() for pattern in listed(keys["s3:prefix"])]
            assert all("${aws:PrincipalTag/client}/" in pattern for pattern in named), (name, one["Sid"])


def test_a_role_for_tenants_is_taken_on_by_its_own_function_alone() -> None:
    for role in FOR_TENANTS:
        for action in ("sts:AssumeRole", "sts:TagSession"):
            arn = ARNS[f"{role}Tenant"]
            assert [name for name in ROLES if may(name, action, arn, {})] == [role]
            assert not any(allowed_by(statements_for_tenants(one), action, arn, {}) for one in FOR_TENANTS)


@pytest.mark.parametrize("role", FOR_TENANTS)
def test_a_role_for_tenants_is_never_taken_on_without_a_tenant(role: str) -> None:
    assert all(trusts(role, tags_of(tenant)) for tenant in OWN)
    assert not trusts(role, {})
    assert not trusts(role, {"connection": "X1"})
    assert not trusts(role, {"client": ""})
    assert not trusts(role, {"client": "C1", "another": "x"})
    assert not trusts(role, {"client": "uploads"})
    assert not trusts(role, {"client": "C1/X1"})


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
