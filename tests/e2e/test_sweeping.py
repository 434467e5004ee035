"""What a lost event leaves behind, on the deployed hub with its roles enforced: found by age, on the clock's word."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erphub.platform.ids import new_id
from erphub.platform.wire import instant
from local import deploy
from tests.e2e.wizard import WizardUser

LONG_AGO = instant(datetime.now(UTC) - timedelta(days=3))


@pytest.fixture
def user(hub):
    return WizardUser.of_a_new_customer(hub)


def sweep(hub: Any, function: str, task: str) -> int:
    """The clock's event, sent now."""
    names = deploy.resources(hub.aws, hub.stack.name, "AWS::Lambda::Function")
    asked = {"FunctionName": names[function], "Payload": json.dumps({"task": task}).encode()}
    answer = hub.aws.client("lambda").invoke(**asked)
    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return said["swept"]


def test_a_wizard_past_its_end_is_ended_whatever_its_machine_says_and_its_password_is_gone(hub, user):
    user.start()
    user.answer("server", user.server)
    item = user.item()
    assert user.secret() is not None
    body = json.loads(item["body"]["S"]) | {"expires_at": LONG_AGO}
    hub.aws.client("dynamodb").update_item(
        TableName=hub.outputs["TableName"],
        Key={name: item[name] for name in ("pk", "sk")},
        UpdateExpression="SET body = :body, due_at = :due",
        ExpressionAttributeValues={":body": {"S": json.dumps(body)}, ":due": {"S": LONG_AGO}},
    )
    assert sweep(hub, "WizardTasks", "sweep_wizards") == 1
    assert user.get()["status"] == "expired"
    assert user.secret() is None
    assert "due_at" not in user.item()
    execution = hub.aws.client("stepfunctions").describe_execution(executionArn=body["execution"])
    assert execution["status"] == "ABORTED"
    assert sweep(hub, "WizardTasks", "sweep_wizards") == 0


def test_a_run_nobody_looks_after_is_looked_at_and_a_young_password_is_left_alone(hub, user):
    run = {"pk": {"S": f"CLIENT#{user.client}"}, "sk": {"S": f"RUN-OPEN#{new_id()}#{new_id()}"}}
    more = {"connection_id": {"S": new_id()}, "due_shard": {"S": "runs#0"}, "due_at": {"S": LONG_AGO}}
    hub.aws.client("dynamodb").put_item(TableName=hub.outputs["TableName"], Item=run | more)
    assert sweep(hub, "ImportTasks", "sweep") >= 1
    assert not [item for item in hub.items() if item["sk"] == run["sk"]]

    name = f"{hub.outputs['SecretPrefix']}{user.client}/{new_id()}"
    manager = hub.aws.client("secretsmanager")
    manager.create_secret(Name=name, SecretString="{}")
    assert sweep(hub, "WizardTasks", "sweep_secrets") == 0
    assert manager.describe_secret(SecretId=name)["Name"] == name
    manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_the_deployments_log_level_is_debug_here_and_shows_what_began(hub, user):
    user.start()
    messages = [line for line in hub.logs("ConnectionsApi") if '"request begun"' in line]
    assert messages
    assert all('"DEBUG"' in line for line in messages)
    user.call("DELETE", user.path)
