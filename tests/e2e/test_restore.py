"""Data that a deleted stack left behind are taken up by the next one of the same name, and nothing is in its way."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from local import emulator, processes, template
from local.account import __main__ as account
from local.account import restore
from local.account.kept import kept, left_behind, template_of
from local.emulator import Aws

STACK = "hub"
WRITTEN = template.load()
PARAMETERS = {"Stage": "test", "AdminEmail": "admin@example.com"}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Generator[Aws]:
    """An AWS of its own, with no hub in it."""
    directory: Path = tmp_path_factory.mktemp("aws")
    port, key = processes.free_port(), "AKIAROOTOFTHISTEST00"
    started = emulator.start(directory, port, key)
    try:
        emulator.wait_until_ready(directory, port, started)
        endpoint = f"http://127.0.0.1:{port}"
        yield Aws(endpoint, emulator.deployer(endpoint, key, None))
    finally:
        processes.stop(started)


def deployed(aws: Aws) -> dict[str, str]:
    """A stack of what the template keeps; gives back the resources' ids."""
    drawn = template_of(WRITTEN, set(kept(WRITTEN)))
    given: Any = [{"ParameterKey": k, "ParameterValue": v} for k, v in PARAMETERS.items() if k in drawn["Parameters"]]
    client = aws.client("cloudformation")
    client.create_stack(StackName=STACK, TemplateBody=json.dumps(drawn), Parameters=given)
    client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return ids(aws)


def ids(aws: Aws) -> dict[str, str]:
    found = aws.client("cloudformation").list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    # The local AWS calls itself by either name.
    return {
        one["LogicalResourceId"]: one.get("PhysicalResourceId", "").replace("//localhost:", "//127.0.0.1:")
        for one in found
    }


def delete(aws: Aws) -> None:
    client = aws.client("cloudformation")
    client.delete_stack(StackName=STACK)
    client.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def say(aws: Aws, *words: str) -> int:
    return account.main(words, aws.client)


@pytest.fixture
def left(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A stack that was there, with a user and an item in it, and is deleted."""
    monkeypatch.setenv("STACK_NAME", STACK)
    had = deployed(aws)
    aws.client("dynamodb").put_item(TableName=had["Tenants"], Item={"pk": {"S": "CLIENT#1"}, "sk": {"S": "X"}})
    aws.client("s3").put_object(Bucket=had["Lake"], Key="lake/part", Body=b"rows")
    aws.client("cognito-idp").admin_create_user(
        UserPoolId=had["UserPool"], Username="somebody@example.com", MessageAction="SUPPRESS"
    )
    delete(aws)
    return had


def test_what_a_deleted_stack_left_is_named_taken_up_and_holds_what_it_held(
    aws: Aws, left: dict[str, str], capsys: pytest.CaptureFixture[str]
):
    stays = {"Tenants", "ExportLog", "Credentials", "Lake", "UserPool", "DeadLetters"}
    assert set(left) == set(kept(WRITTEN)) == stays
    found = {one.logical: one.id for one in left_behind(aws.client, STACK, WRITTEN)}
    assert found == left

    assert say(aws, "restore", "--parameters", "Stage=test") == 0
    assert ids(aws) == left
    item = aws.client("dynamodb").get_item(TableName=left["Tenants"], Key={"pk": {"S": "CLIENT#1"}, "sk": {"S": "X"}})
    assert "Item" in item
    assert aws.client("s3").get_object(Bucket=left["Lake"], Key="lake/part")["Body"].read() == b"rows"
    user = aws.client("cognito-idp").admin_get_user(UserPoolId=left["UserPool"], Username="somebody@example.com")
    assert user["Enabled"]

    # What is there is not taken up once more.
    capsys.readouterr()
    assert say(aws, "restore") == 1
    assert "There is a stack hub already" in capsys.readouterr().err
    delete(aws)

    # A second deployment beside what was left: nothing is in its way, and a restore asks which one is meant. The local
    # AWS gives tables and queues of one stack's name one name each; AWS ends them by chance.
    beside = deployed(aws)
    again = {"Lake", "UserPool"}
    assert {name for name in left if beside[name] != left[name]} == again
    delete(aws)
    for name in again:
        others = {name_: left[name_] for name_ in again - {name}}
        assert say(aws, "restore", "--keep", " ".join(f"{key}={value}" for key, value in others.items())) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"Say which one is to be taken up: KEEP={name}=…")
        assert left[name] in said
        assert beside[name] in said
    assert say(aws, "restore", "--keep", " ".join(f"{name}={left[name]}" for name in again)) == 0
    assert ids(aws) == left
    delete(aws)


def test_a_restore_of_nothing_says_so(aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("STACK_NAME", "never-deployed")
    assert say(aws, "restore") == 1
    assert capsys.readouterr().err == "Nothing of an earlier deployment of this name is here.\n"


def test_preflight_of_an_empty_account_says_what_matters_and_stops_nothing(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("STACK_NAME", "never-deployed")
    assert say(aws, "preflight", "--parameters", "AdminEmail=admin@example.com") == 0
    said = capsys.readouterr().out
    assert "50 mails a day" in said
    assert said.endswith("never-deployed: nothing stands in the way.\n")


def test_preflight_stops_at_a_bus_that_somebody_else_has(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("STACK_NAME", "taken")
    events: Any = aws.client("events")  # pyright: ignore[reportArgumentType, reportCallIssue]
    events.create_event_bus(Name="taken")
    assert say(aws, "preflight") == 1
    assert "delete-event-bus --name taken" in capsys.readouterr().out


def test_several_of_one_kind_are_never_chosen_between_by_chance():
    two = [restore.Left("Tenants", "AWS::DynamoDB::Table", name) for name in ("a", "b")]
    with pytest.raises(restore.CannotRestore, match="a or b"):
        restore.chosen(two, {})
    with pytest.raises(restore.CannotRestore, match="a or b"):
        restore.chosen(two, {"Tenants": "c"})
    assert restore.chosen(two, {"Tenants": "b"}) == [two[1]]
