"""Secrets in the AWS service, and what all of AWS says when it is busy."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from erphub.platform.aws import clients
from erphub.platform.aws.secrets import SecretsManager
from erphub.platform.aws.state_machines import StepFunctionsMachine
from erphub.platform.errors import Unavailable
from erphub.tenancy.cognito import CognitoUsers
from tests.support.aws import on_moto
from tests.support.integration import integration


@pytest.fixture
@integration
def aws() -> Iterator[None]:
    with on_moto():
        yield


def test_a_secret_of_another_deployment_is_never_found(aws: None):
    SecretsManager("hub/").put("c/1", {"password": "x"}, "c")
    SecretsManager("hub-2/").put("c/2", {"password": "x"}, "c")
    assert list(SecretsManager("hub/").stored_before(datetime.now(UTC) + timedelta(minutes=1))) == ["c/1"]


def test_a_secret_carries_its_tenant_and_the_deployments_prefix(aws: None):
    SecretsManager("hub/").put("c/1", {"password": "x"}, "c")
    (kept,) = clients.client("secretsmanager").list_secrets()["SecretList"]
    assert kept.get("Name") == "hub/c/1"
    assert kept.get("Tags") == [{"Key": "erphub:client", "Value": "c"}]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


CALLS = [
    ("secretsmanager", "get_secret_value", lambda: SecretsManager("hub/").get("x"), "secrets_busy"),
    ("secretsmanager", "create_secret", lambda: SecretsManager("hub/").put("x", {}, "c"), "secrets_busy"),
    ("secretsmanager", "delete_secret", lambda: SecretsManager("hub/").delete("x"), "secrets_busy"),
    (
        "stepfunctions",
        "start_execution",
        lambda: StepFunctionsMachine("a:stateMachine:m").start("n", {}),
        "machine_busy",
    ),
    (
        "stepfunctions",
        "send_task_success",
        lambda: StepFunctionsMachine("a:stateMachine:m").resume("t", {}),
        "machine_busy",
    ),
    ("cognito-idp", "admin_get_user", lambda: CognitoUsers("p").find("x"), "sign_in_busy"),
]


@pytest.mark.parametrize(("service", "operation", "call", "code"), CALLS, ids=[call[1] for call in CALLS])
@pytest.mark.parametrize(
    "error", [refusal("ThrottlingException"), refusal("InternalServiceError"), ConnectTimeoutError(endpoint_url="x")]
)
def test_what_may_pass_by_itself_is_worth_another_try(aws: None, service, operation, call, code, error):
    with mock.patch.object(clients.client(service), operation, side_effect=error), pytest.raises(Unavailable) as raised:
        call()
    assert raised.value.code == code
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(("service", "operation", "call", "code"), CALLS, ids=[call[1] for call in CALLS])
def test_what_aws_refuses_for_good_is_not_dressed_up(aws: None, service, operation, call, code):
    error = refusal("AccessDeniedException")
    with mock.patch.object(clients.client(service), operation, side_effect=error), pytest.raises(ClientError):
        call()


@pytest.mark.parametrize(
    "reason", ["CodeDeliveryFailureException", "LimitExceededException", "InvalidEmailRoleAccessPolicyException"]
)
def test_an_invitation_that_could_not_be_mailed_is_told_and_written_down_for_the_alarm(
    aws: None, reason: str, caplog: pytest.LogCaptureFixture
):
    refused = mock.patch.object(clients.client("cognito-idp"), "admin_create_user", side_effect=refusal(reason))
    with refused, pytest.raises(Unavailable) as raised:
        CognitoUsers("p").invite("new@example.com")
    assert raised.value.code == "invitation_not_sent"
    assert caplog.messages == ["invitation not sent"]


def test_a_machine_started_twice_under_one_name_is_started_once(aws: None):
    definition = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}})
    arn = clients.client("stepfunctions").create_state_machine(
        name="m", definition=definition, roleArn="arn:aws:iam::123456789012:role/r"
    )["stateMachineArn"]
    machine = StepFunctionsMachine(arn)
    first = machine.start("once", {"a": 1})
    assert machine.start("once", {"a": 1}) == first == machine.execution("once")
    assert machine.is_running(first)
    machine.stop(first, "enough")
    assert not machine.is_running(first)
    machine.stop(first, "again")
    assert not machine.is_running(machine.execution("never"))
