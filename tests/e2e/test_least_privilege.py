"""The deployed roles, tried: what a function must not do is refused by the AWS that runs it.

A function has its own role, and one that it takes on with the tenant at hand as session tags. Which item a request is
about (`dynamodb:LeadingKeys`) the local AWS does not know: tests/template/test_least_privilege.py judges that alone."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from erphub.platform.aws.sessions import tags_of
from erphub.platform.tenants import Tenant
from local import deploy
from local.emulator import REGION
from tests.e2e.wizard import WizardUser

REFUSED = {"AccessDenied", "AccessDeniedException", "403", "AuthorizationError"}
TALKS_TO_ERPS = {"ConnectionsApi", "WizardTasks", "ImportTasks", "SyncApi", "TransferTasks"}
FUNCTIONS = (
    *("ConnectionsApi", "WebhookDeliveries", "WizardTasks", "DeletionTasks", "FirstAdmin", "ImportsApi"),
    *("LakeRows", "ImportTasks", "ImportSchedule", "SyncApi", "TransferTasks", "TransferSchedule"),
)


@dataclass
class Roles:
    """What a function may be: itself, and whoever it acts for."""

    own: Any
    role: str | None
    """The role that it takes on for tenants."""
    endpoint: str
    taken: dict[tuple[str, Tenant], Any] = field(default_factory=dict)

    def acting_for(self, tenant: Tenant, role: str | None = None) -> Any:
        """Its session for a tenant, or None when it gets none."""
        wanted = role or self.role
        if wanted is None:
            return None
        if (wanted, tenant) not in self.taken:
            tags = [{"Key": name, "Value": value} for name, value in tags_of(tenant).items()]
            self.taken[wanted, tenant] = self.take_on(wanted, Tags=tags)
        return self.taken[wanted, tenant]

    def take_on(self, role: str, **request: Any) -> Any:
        sts = self.own.client("sts", endpoint_url=self.endpoint)
        try:
            return _session(sts.assume_role(RoleArn=role, RoleSessionName="tried", **request)["Credentials"])
        except ClientError as error:
            if error.response["Error"]["Code"] in REFUSED:
                return None
            raise


def _session(given: Mapping[str, str]) -> Any:
    keys = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    return boto3.Session(*keys, region_name=REGION)


@pytest.fixture(scope="module")
def sessions(hub: Any) -> Iterator[Mapping[str, Roles]]:
    """Each function's role, taken on as the function does: only Lambda may, so for the test the deployer may too."""
    functions = deploy.resources(hub.aws, hub.stack.name, "AWS::Lambda::Function")
    iam, sts = hub.aws.client("iam"), hub.aws.client("sts")
    me = sts.get_caller_identity()["Arn"]
    found: dict[str, Roles] = {}
    trusted: dict[str, Any] = {}
    try:
        for name in FUNCTIONS:
            known = hub.aws.client("lambda").get_function_configuration(FunctionName=functions[name])
            role = known["Role"].rpartition("/")[2]
            trusted[role] = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            also = {"Effect": "Allow", "Principal": {"AWS": me}, "Action": "sts:AssumeRole"}
            document = {**trusted[role], "Statement": [*trusted[role]["Statement"], also]}
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(document))
            given = sts.assume_role(RoleArn=known["Role"], RoleSessionName="tried")["Credentials"]
            for_tenants = known["Environment"]["Variables"].get("TENANT_ROLE")
            found[name] = Roles(_session(given), for_tenants, hub.aws.endpoint)
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
    client, connection = password.split("/connections/")[1].split("/")[:2]
    signing = password.partition(client)[0] + f"{client}/webhook-tried"
    manager.create_secret(Name=signing, SecretString="{}")
    for key in ("lake/{}/t/x", "documents/{}/X/1/1.pdf", "staging/uploads/{}/X/U", "staging/{}/R/x"):
        s3.put_object(Bucket=bucket, Key=key.format(client), Body=b"x")
    return {
        "client": client,
        "connection": connection,
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
    return lambda client, things: getattr(client("s3"), operation)(
        Bucket=things["bucket"], Key=key.format(things["client"]), **more
    )


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
    "read the lake": (s3_object("get_object", "lake/{}/t/x"), {"LakeRows", "ImportTasks", "DeletionTasks"}),
    "write the lake": (s3_object("put_object", "lake/{}/t/y", Body=b""), {"ImportTasks", "DeletionTasks"}),
    "read what is staged": (s3_object("get_object", "staging/{}/R/x"), {"ImportTasks"}),
    "read a till's documents": (s3_object("get_object", "documents/{}/X/1/1.pdf"), {"SyncApi", "TransferTasks"}),
    "read uploads": (s3_object("get_object", "staging/uploads/{}/X/U"), {"SyncApi", "TransferTasks"}),
    "write uploads": (s3_object("put_object", "staging/uploads/{}/X/V", Body=b""), {"SyncApi"}),
    "list the lake": (
        lambda client, things: client("s3").list_objects_v2(
            Bucket=things["bucket"], Prefix=f"lake/{things['client']}/"
        ),
        {"LakeRows", "ImportTasks", "DeletionTasks", "ConnectionsApi"},
    ),
    "read all tenants at once": (lambda client, things: client("dynamodb").scan(TableName=things["table"]), set()),
    "set somebody's password": (
        lambda client, things: client("cognito-idp").admin_set_user_password(
            UserPoolId=things["pool"], Username="nobody", Password="Tried-it-1"
        ),
        set(),
    ),
}


NOT_A_TENANTS = {"read all tenants at once", "set somebody's password"}
OF_A_TENANT = [act for act in ACTS if act not in NOT_A_TENANTS]


def could(session: Any, act: str, things: Mapping[str, str], endpoint: str) -> bool:
    """Whether AWS lets whoever holds this session do it."""
    if session is None:
        return False
    try:
        ACTS[act][0](lambda service: session.client(service, endpoint_url=endpoint), things)
    except ClientError as error:
        if error.response["Error"]["Code"] in REFUSED:
            return False
        raise
    return True


@pytest.mark.parametrize("act", ACTS)
def test_only_those_may_who_have_to(sessions: Mapping[str, Roles], things: Mapping[str, str], act: str) -> None:
    own = [
        Tenant(things["client"]),
        *(Tenant(things["client"], one) for one in (things["connection"], "webhook-tried")),
    ]
    able: set[str] = set()
    for name, roles in sessions.items():
        ways = [roles.own, *(roles.acting_for(tenant) for tenant in own)]
        if any(could(way, act, things, roles.endpoint) for way in ways):
            able.add(name)
    assert able == ACTS[act][1]


@pytest.mark.parametrize("act", OF_A_TENANT)
def test_nobody_may_for_another_client_or_for_nobody(
    sessions: Mapping[str, Roles], things: Mapping[str, str], act: str
) -> None:
    another, connection = things["client"] + "0", things["connection"]
    others = [Tenant(another), Tenant(another, connection), Tenant(another, "webhook-tried")]
    for name, roles in sessions.items():
        for way in (roles.own, *(roles.acting_for(tenant) for tenant in others)):
            assert not could(way, act, things, roles.endpoint), name


def test_nobody_reads_a_password_for_another_connection(
    sessions: Mapping[str, Roles], things: Mapping[str, str]
) -> None:
    client = things["client"]
    for name, roles in sessions.items():
        for tenant in (Tenant(client), Tenant(client, "another"), Tenant(client, "webhook-tried")):
            assert not could(roles.acting_for(tenant), "read a password", things, roles.endpoint), (name, tenant)


def test_a_role_for_tenants_is_given_to_its_own_function_alone_and_never_without_a_tenant(
    sessions: Mapping[str, Roles],
) -> None:
    tenant = Tenant("C", "X")
    owners = {roles.role: name for name, roles in sessions.items() if roles.role}
    assert len(owners) == 8
    for name, roles in sessions.items():
        for role, owner in owners.items():
            assert (roles.acting_for(tenant, role) is not None) == (name == owner), (name, owner)
            assert roles.take_on(role) is None
            assert roles.take_on(role, Tags=[{"Key": "connection", "Value": "X"}]) is None
            assert roles.take_on(role, Tags=[{"Key": "client", "Value": "uploads"}]) is None
