"""The drawing of the cloud: what must hold for every resource, whoever adds the next one."""

import re
from typing import Any

import pytest

from erphub.platform.errors import NotFound, Unavailable
from erphub.platform.tasks import Task, TaskFailed, Tasks
from local import template

DRAWN = template.load()
FUNCTIONS = template.of_type(DRAWN, "AWS::Serverless::Function")
MACHINES = template.of_type(DRAWN, "AWS::Serverless::StateMachine")
BROKEN = {
    name.removesuffix("Broken"): filter
    for name, filter in template.of_type(DRAWN, "AWS::Logs::MetricFilter").items()
    if name.endswith("Broken") and name != "GatewayBroken"
}
"""What counts the errors of a function that it does not raise, or that it raises also when nothing is wrong."""
ONLY_WITH_STAR = {"logs:CreateLogDelivery", "states:SendTaskSuccess", "secretsmanager:ListSecrets"}
"""Actions for which AWS accepts no resource but *."""


def texts(value: Any) -> list[str]:
    """Every string in a piece of the template."""
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in [key, *texts(one)]]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for policy in properties.get("Policies", []) for one in policy.get("Statement", [])]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_has_a_log_group_that_forgets_and_alarms_that_tell(name: str):
    properties = FUNCTIONS[name]
    group = DRAWN["Resources"][properties["LoggingConfig"]["LogGroup"]["Ref"]]
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    watched = {
        (alarm["MetricName"], dimension["Value"].get("Ref"))
        for alarm in template.of_type(DRAWN, "AWS::CloudWatch::Alarm").values()
        for dimension in alarm.get("Dimensions", [])
        if isinstance(dimension["Value"], dict)
    }
    assert ("Throttles", name) in watched
    assert ("Errors", name) in watched or name in BROKEN


@pytest.mark.parametrize("name", sorted(name for name in BROKEN if name.endswith("Tasks")))
def test_a_task_that_is_tried_again_rings_no_bell_and_one_that_failed_does(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Lambda counts both as errors, so alarms go by what the task's handler writes into the log."""
    broken = BROKEN[name]
    assert broken["LogGroupName"] == FUNCTIONS[name]["LoggingConfig"]["LogGroup"]
    (figure,) = broken["MetricTransformations"]
    alarm = DRAWN["Resources"][f"{name}Errors"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (figure["MetricNamespace"], figure["MetricName"])
    words = re.findall(r'\$\.message = "([^*"]+)\*"', broken["FilterPattern"])
    assert words
    for error, rings in ((Unavailable("away"), False), (NotFound("gone"), True), (KeyError("a bug"), True)):
        with pytest.raises((Unavailable, TaskFailed)):
            Tasks({"work": _raising(error)})({"task": "work"}, None)
        said = caplog.messages[-1]
        assert any(said.startswith(word) for word in words) == rings


def _raising(error: Exception) -> Task:
    def work(_: object) -> dict[str, str]:
        raise error

    return work


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_every_machine_has_alarms_and_logs_no_data(name: str):
    watched = {
        alarm["MetricName"]
        for alarm in template.of_type(DRAWN, "AWS::CloudWatch::Alarm").values()
        if {"Ref": name} in [dimension["Value"] for dimension in alarm.get("Dimensions", [])]
    }
    assert watched == {"ExecutionsFailed", "ExecutionsTimedOut"}
    assert MACHINES[name]["Logging"]["IncludeExecutionData"] is False


def test_whatever_is_invoked_without_waiting_has_a_dead_letter_queue():
    called_by_events = {
        name
        for name, properties in FUNCTIONS.items()
        if any(event["Type"] != "Api" for event in properties.get("Events", {}).values())
    }
    called_by_cloudformation = {
        resource["Properties"]["ServiceToken"]["Fn::GetAtt"][0]
        for resource in DRAWN["Resources"].values()
        if resource["Type"].startswith("Custom::")
    }
    for name in called_by_events | called_by_cloudformation:
        assert FUNCTIONS[name]["DeadLetterQueue"]["TargetArn"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}, name
    for properties in FUNCTIONS.values():
        for event in properties.get("Events", {}).values():
            if event["Type"] != "Api":
                assert event["Properties"]["DeadLetterConfig"]


def test_no_role_may_do_everything():
    for name, properties in {**FUNCTIONS, **MACHINES}.items():
        for statement in statements(properties):
            if statement["Effect"] == "Deny":
                continue
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not [action for action in actions if "*" in action], (name, statement["Sid"])
            if statement["Resource"] == "*":
                assert set(actions) & ONLY_WITH_STAR, (name, statement["Sid"])
            for resource in texts(statement["Resource"]):
                assert not re.search(r":(secret|stateMachine|execution|function):\*", resource), (
                    name,
                    statement["Sid"],
                )


def test_environments_hold_names_and_no_secrets():
    shared = DRAWN["Globals"]["Function"]["Environment"]["Variables"]
    own = [properties.get("Environment", {}).get("Variables", {}) for properties in FUNCTIONS.values()]
    for name in {name for variables in (shared, *own) for name in variables}:
        assert not re.search(r"PASSWORD|TOKEN(?!_KEY_ID)|CREDENTIAL|API_?KEY|SECRET(?!_PREFIX)", name), name


def test_data_outlive_the_stack_and_come_back_after_a_mistake():
    kept = {name for name, one in DRAWN["Resources"].items() if one.get("DeletionPolicy") == "Retain"}
    assert {"Tenants", "Lake", "UserPool", "DeadLetters"} <= kept
    table = DRAWN["Resources"]["Tenants"]["Properties"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    lake = DRAWN["Resources"]["Lake"]["Properties"]
    assert lake["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(lake["PublicAccessBlockConfiguration"].values()) == {True}


def test_an_address_is_somebodys_only_once_it_was_confirmed():
    """Whoever could write any address into their own profile would be found by it and be given its rights."""
    pool = DRAWN["Resources"]["UserPool"]["Properties"]
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    assert pool["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}
    for client in template.of_type(DRAWN, "AWS::Cognito::UserPoolClient").values():
        assert set(client["WriteAttributes"]) <= {"name", "locale"}


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_a_machine_calls_its_one_function_and_starts_no_other_execution(name: str):
    """An inline map runs within its execution; a distributed one would need to start and stop executions of its own."""
    called = [policy["LambdaInvokePolicy"] for policy in MACHINES[name]["Policies"] if "LambdaInvokePolicy" in policy]
    assert len(called) == 1
    actions = {action for statement in statements(MACHINES[name]) for action in statement["Action"]}
    assert not [action for action in actions if action.startswith(("states:", "s3:", "lambda:"))]


def test_an_invitation_that_was_not_sent_rings():
    made = template.of_type(DRAWN, "AWS::Logs::MetricFilter")["InvitationsNotSent"]
    assert made["FilterPattern"] == '{ $.message = "invitation not sent*" }'
    assert made["LogGroupName"] == FUNCTIONS["ConnectionsApi"]["LoggingConfig"]["LogGroup"]
    alarm = template.of_type(DRAWN, "AWS::CloudWatch::Alarm")["InvitationsFailed"]
    assert alarm["MetricName"] == made["MetricTransformations"][0]["MetricName"]


def test_invitations_are_mailed_with_an_identity_of_ones_own_where_one_is_given():
    pool = DRAWN["Resources"]["UserPool"]["Properties"]["EmailConfiguration"]["Fn::If"]
    assert pool == [
        "HasInvitationIdentity",
        {
            "EmailSendingAccount": "DEVELOPER",
            "SourceArn": {"Ref": "InvitationIdentity"},
            "From": {"Ref": "InvitationFrom"},
        },
        {"EmailSendingAccount": "COGNITO_DEFAULT"},
    ]


def starts(properties: dict[str, Any], machine: str) -> bool:
    """Whether a role may start executions of a machine."""
    return any(
        "states:StartExecution" in str(one["Action"]) and f"stateMachine:${{AWS::StackName}}-{machine}" in str(one)
        for one in statements(properties)
    )


@pytest.mark.parametrize("name", ["ConnectionsApi", "WizardTasks", "ImportTasks", "TransferTasks"])
def test_whoever_finds_that_a_connection_works_again_may_start_what_was_missed(name: str):
    assert starts(FUNCTIONS[name], "import")


def test_the_lake_refuses_to_be_read_without_tls():
    policy = DRAWN["Resources"]["LakeTlsOnly"]["Properties"]["PolicyDocument"]["Statement"][0]
    assert policy["Effect"] == "Deny"
    assert policy["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert DRAWN["Parameters"]["RequireTls"]["Default"] == "true"


def test_every_parameter_says_what_it_is_for_and_is_used():
    used = set(
        re.findall(
            r"\w+", " ".join(texts({key: DRAWN[key] for key in ("Resources", "Globals", "Conditions", "Rules")}))
        )
    )
    for name, parameter in DRAWN["Parameters"].items():
        assert parameter["Description"], name
        assert name in used, name
