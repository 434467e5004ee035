"""A tenant's secrets and objects are reached with credentials of that tenant, whatever happens on the way to them."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from erphub.platform import tenants
from erphub.platform.aws import clients, sessions
from erphub.platform.aws.files import S3Files
from erphub.platform.aws.objects import Bucket
from erphub.platform.aws.secrets import SecretsManager
from erphub.platform.aws.sessions import LIFETIME, MAX_KEPT, MIN_LEFT, TenantSessions, tags_of
from erphub.platform.errors import ServiceBusy
from erphub.platform.tenants import NoTenantAtHand, Tenant

ROLE = "arn:aws:iam::1:role/for-tenants"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class Sts:
    """Gives credentials whose access key tells the tags that they were asked for."""

    now: datetime = NOON
    asked: list[dict[str, Any]] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.fails:
            raise self.fails.pop(0)
        tags = "-".join(f"{tag['Key']}.{tag['Value']}" for tag in request["Tags"])
        keys = {"AccessKeyId": tags, "SecretAccessKey": "s", "SessionToken": f"token-{tags}-{len(self.asked)}"}
        return {"Credentials": {**keys, "Expiration": self.now + timedelta(seconds=request["DurationSeconds"])}}

    def key_of(self, tenant: Tenant) -> str:
        return "-".join(f"{name}.{value}" for name, value in tags_of(tenant).items())


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    """A deployment's function: with a role for tenants, and an STS to ask."""
    made = Sts(now=datetime.now(UTC))
    for name, value in {"AWS_ACCESS_KEY_ID": "own", "AWS_SECRET_ACCESS_KEY": "own", "AWS_REGION": "eu-north-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    monkeypatch.setenv("TENANT_ROLE", ROLE)
    monkeypatch.setattr(clients, "client", lambda service: {"sts": made}[service])
    sessions.forget_all()
    yield made
    sessions.forget_all()


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "AssumeRole")


def signed_by(headers: Any) -> str:
    """The access key that a request is signed with."""
    text = headers["Authorization"]
    found = re.search(r"Credential=([^/]+)/", text.decode() if isinstance(text, bytes) else text)
    assert found
    return found[1]


class Body:
    """A body that is streamed."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.content

    def read(self, _: int | None = None) -> bytes:
        content, self.content = self.content, b""
        return content


def answering(service: Any, *answers: tuple[int, bytes]) -> list[Any]:
    """Answer a service's requests without a network, the last answer again and again; the requests that came."""
    seen: list[Any] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        seen.append(request)
        status, body = answers[min(len(seen), len(answers)) - 1]
        return AWSResponse(request.url, status, {}, Body(body))

    sessions.tenant_client(service).meta.events.register("before-send", answer)
    return seen


TENANTS = st.builds(Tenant, st.sampled_from("ABCD"), st.sampled_from([None, "X", "Y", "webhook-X"]))


@given(st.lists(st.tuples(TENANTS, st.integers(0, 70)), max_size=40))
@settings(max_examples=200)
def test_nobody_is_ever_given_credentials_of_another_or_ones_that_end_before_the_function_does(steps: Any):
    sts = Sts()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "client", lambda _: sts)
        kept = TenantSessions(ROLE, lambda: sts.now)
        taken_at: dict[str, datetime] = {}
        for tenant, minutes in steps:
            sts.now += timedelta(minutes=minutes)
            calls = len(sts.asked)
            given_keys = kept.credentials(tenant)
            if len(sts.asked) > calls:
                taken_at[given_keys.token] = sts.now
            assert given_keys.access_key == sts.key_of(tenant)
            assert taken_at[given_keys.token] + LIFETIME - sts.now >= MIN_LEFT


def test_the_tags_are_all_that_the_session_is_asked_for(sts: Sts):
    TenantSessions(ROLE).credentials(Tenant("C1", "X1"))
    tags = [{"Key": "client", "Value": "C1"}, {"Key": "connection", "Value": "X1"}]
    assert sts.asked == [{"RoleArn": ROLE, "RoleSessionName": "client-C1", "DurationSeconds": 3600, "Tags": tags}]


def test_a_tenants_credentials_are_taken_once_and_anew_before_they_end(sts: Sts):
    kept = TenantSessions(ROLE, lambda: sts.now)
    for _ in range(5):
        kept.credentials(Tenant("C1"))
    assert len(sts.asked) == 1
    sts.now += LIFETIME - MIN_LEFT
    kept.credentials(Tenant("C1"))
    assert len(sts.asked) == 1
    sts.now += timedelta(seconds=1)
    kept.credentials(Tenant("C1"))
    assert len(sts.asked) == 2


def test_a_process_keeps_no_more_tenants_than_so_many_and_those_last_used(sts: Sts):
    kept = TenantSessions(ROLE, lambda: sts.now)
    for number in range(MAX_KEPT):
        kept.credentials(Tenant(f"C{number}"))
    kept.credentials(Tenant("C0"))
    kept.credentials(Tenant("another"))
    asked = len(sts.asked)
    kept.credentials(Tenant("C0"))
    assert len(sts.asked) == asked
    kept.credentials(Tenant("C1"))
    assert len(sts.asked) == asked + 1


UNHAD = {
    "throttled": refusal("Throttling"),
    "unavailable": refusal("ServiceUnavailable", 503),
    "refused": refusal("AccessDenied", 403),
    "expired": refusal("ExpiredTokenException", 403),
    "not reached": ConnectTimeoutError(endpoint_url="x"),
    "answer lost": ReadTimeoutError(endpoint_url="x"),
}


@pytest.mark.parametrize("error", UNHAD.values(), ids=UNHAD)
def test_credentials_that_cannot_be_had_are_waited_for_and_nobody_elses_are_used(sts: Sts, error: Exception):
    requests = answering("s3", (200, b"x"))
    with tenants.acting_for("C1"):
        assert Bucket("lake").read("lake/C1/x") == b"x"
    sts.fails.append(error)
    with tenants.acting_for("C2"):
        with pytest.raises(ServiceBusy) as raised:
            Bucket("lake").read("lake/C2/x")
        assert raised.value.code == "storage_busy"
        assert [signed_by(one.headers) for one in requests] == ["client.C1"]
        assert Bucket("lake").read("lake/C2/x") == b"x"
    assert [signed_by(one.headers) for one in requests] == ["client.C1", "client.C2"]


def test_what_is_nobodys_work_reaches_nobodys_part(sts: Sts):
    requests = answering("s3", (200, b""))
    with pytest.raises(NoTenantAtHand):
        Bucket("lake").read("lake/C1/x")
    with pytest.raises(NoTenantAtHand):
        sessions.engine_credentials()
    assert not requests
    assert not sts.asked


def test_threads_that_work_for_different_tenants_sign_with_their_own(sts: Sts):
    requests = answering("s3", (200, b""))

    def read(number: int) -> None:
        with tenants.acting_for(f"C{number % 4}"):
            Bucket("lake").read(f"lake/C{number % 4}/x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read, range(64)))
    assert len(requests) == 64
    for request in requests:
        assert signed_by(request.headers) == "client." + request.url.split("/lake/")[-1].split("/")[0]


def test_a_name_of_anothers_object_is_asked_for_with_the_credentials_of_the_tenant_at_hand(sts: Sts):
    """AWS then refuses it: the role's policy knows the tags, not the name."""
    requests = answering("s3", (403, b""))
    with tenants.acting_for("C1"), pytest.raises(Exception, match="did not answer"):
        Bucket("lake").read("lake/C2/x")
    assert signed_by(requests[0].headers) == "client.C1"


def test_a_name_of_anothers_secret_is_asked_for_with_the_credentials_of_the_tenant_at_hand(sts: Sts):
    requests = answering("secretsmanager", (200, b'{"SecretString": "{}"}'))
    store = SecretsManager("hub/")
    with tenants.acting_for("C1"):
        store.get("C2/X2")
    with tenants.acting_for("C1", "X1"):
        store.get("C1/X2/W1")
    assert [signed_by(one.headers) for one in requests] == ["client.C1-connection.X2", "client.C1-connection.X1"]


def test_each_secret_has_a_session_for_its_own_connection(sts: Sts):
    requests = answering("secretsmanager", (200, b'{"SecretString": "{}"}'))
    store = SecretsManager("hub/")
    with tenants.acting_for("C1"):
        store.put("C1/X1", {}, "C1")
        store.get("C1/X1/W1")
        store.delete("C1/webhook-H1")
    assert [signed_by(one.headers) for one in requests] == [
        "client.C1-connection.X1",
        "client.C1-connection.X1",
        "client.C1-connection.webhook-H1",
    ]
    assert len(sts.asked) == 2


def test_credentials_that_aws_calls_expired_are_not_used_again(sts: Sts):
    """A clock that goes wrong, or an administrator who ended all sessions."""
    expired = b"<Error><Code>ExpiredToken</Code><Message>no</Message></Error>"
    requests = answering("s3", (400, expired), (200, b"x"))
    with tenants.acting_for("C1"):
        with pytest.raises(ServiceBusy):
            Bucket("lake").read("lake/C1/x")
        assert Bucket("lake").read("lake/C1/x") == b"x"
    assert [one.headers["X-Amz-Security-Token"] for one in requests] == [b"token-client.C1-1", b"token-client.C1-2"]


def test_an_address_for_an_upload_is_signed_for_its_tenant_and_as_long_as_it_says(sts: Sts):
    with tenants.acting_for("C1", "X1"):
        slot = S3Files("lake").slot("documents/C1/X1/1.pdf", "application/pdf", sts.now)
    assert "X-Amz-Credential=client.C1-connection.X1%2F" in slot.url
    assert "X-Amz-Security-Token=token-" in slot.url
    assert slot.expires_at - sts.now < MIN_LEFT


def test_the_table_engine_is_told_the_credentials_of_the_tenant_at_hand(sts: Sts):
    with tenants.acting_for("C1"):
        told = sessions.engine_credentials()
    assert told == {
        "aws_access_key_id": "client.C1",
        "aws_secret_access_key": "s",
        "aws_session_token": "token-client.C1-1",
    }


def test_roles_are_taken_on_in_the_functions_own_region(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert clients._new_session().create_client("sts").meta.endpoint_url == "https://sts.eu-north-1.amazonaws.com"
