"""Each finding of preflight: said when it is so, by reading alone, with what to do; and nothing when all is well."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from local.account import preflight
from local.account.preflight import Deployment, Level

STACK = "hub"
type Answers = dict[str, list[tuple[str, Any]]]


class Account:
    """Answers of an account: {service: [(operation, answer or the code of a refusal)]}, each given once, in order."""

    def __init__(self, answers: Answers, parameters: dict[str, str] | None = None) -> None:
        self._clients: dict[str, Any] = {}
        self._stubs: list[Stubber] = []
        for service, several in answers.items():
            made: Any = boto3.client(  # pyright: ignore[reportCallIssue, reportUnknownMemberType]
                service,  # pyright: ignore[reportArgumentType]
                region_name="eu-north-1", aws_access_key_id="x", aws_secret_access_key="x",
            )  # fmt: skip
            stub = Stubber(made)
            for operation, answer in several:
                if isinstance(answer, tuple):
                    stub.add_client_error(operation, service_error_code=answer[0], service_message=answer[1])
                else:
                    stub.add_response(operation, answer, None if operation else ANY)
            stub.activate()
            self._clients[service] = made
            self._stubs.append(stub)
        self.deployment = Deployment(STACK, parameters or {}, self._clients.__getitem__)

    def all_asked(self) -> None:
        for stub in self._stubs:
            stub.assert_no_pending_responses()


def said(check: preflight.Check, answers: Answers, **parameters: str) -> list[tuple[Level, str]]:
    account = Account(answers, parameters)
    found = [(one.level, f"{one.what} {one.do}") for one in check(account.deployment)]
    account.all_asked()
    return found


def limits(at_once: int, unreserved: int | None = None) -> Answers:
    limit = {
        "ConcurrentExecutions": at_once,
        "UnreservedConcurrentExecutions": at_once if unreserved is None else unreserved,
    }
    return {"lambda": [("get_account_settings", {"AccountLimit": limit})]}


ASKED = "list_requested_service_quota_change_history_by_quota"


def quotas(*statuses: str) -> Answers:
    return {
        "service-quotas": [(ASKED, {"RequestedQuotas": [{"Status": one, "DesiredValue": 1000.0} for one in statuses]})]
    }


def test_an_account_with_enough_concurrency_is_not_spoken_of():
    assert said(preflight.concurrency, limits(1000)) == []
    assert said(preflight.concurrency, limits(1000), ApiConcurrency="50", ImportConcurrency="100") == []


def test_a_new_account_s_ten_executions_are_said_with_how_to_raise_them():
    ((level, text),) = said(preflight.concurrency, limits(10) | quotas("DENIED"))
    assert level is Level.MATTERS
    assert "10 times at once" in text
    assert "request-service-quota-increase --service-code lambda --quota-code L-B99A9384" in text


def test_a_raise_that_is_asked_for_already_is_said():
    _, (level, text) = said(preflight.concurrency, limits(50) | quotas("PENDING"))
    assert (level, "1000" in text) == (Level.NOTE, True)


def test_reserving_more_than_lambda_lets_go_of_stops_the_deployment():
    ((level, text),) = said(
        preflight.concurrency, limits(1000, unreserved=160), ApiConcurrency="10", ImportConcurrency="11"
    )
    assert level is Level.STOPS
    assert "61 concurrent executions" in text
    assert said(preflight.concurrency, limits(1000, unreserved=161), ApiConcurrency="10", ImportConcurrency="11") == []


def account_of_gateway(role: str | None) -> Answers:
    return {"apigateway": [("get_account", {"cloudwatchRoleArn": role} if role else {})]}


@pytest.mark.parametrize(("role", "makes", "level"), [
    (None, "false", Level.STOPS),
    ("arn:aws:iam::1:role/another", "true", Level.MATTERS),
])  # fmt: skip
def test_the_one_role_of_api_gateways_logs_is_spoken_of(role: str | None, makes: str, level: Level):
    ((found, text),) = said(preflight.api_log_role, account_of_gateway(role), MakeApiLogRole=makes)
    assert found is level
    assert f"MakeApiLogRole={'true' if makes == 'false' else 'false'}" in text


@pytest.mark.parametrize(("role", "makes"), [
    (None, "true"), ("arn:aws:iam::1:role/another", "false"), (f"arn:aws:iam::1:role/{STACK}-ApiLogRole-A1", "true"),
])  # fmt: skip
def test_a_role_that_fits_the_parameter_is_not(role: str | None, makes: str):
    assert said(preflight.api_log_role, account_of_gateway(role), MakeApiLogRole=makes) == []


IDENTITY = "arn:aws:ses:eu-north-1:1:identity/example.com"


def mail(verified: Any, production: bool = True, sending: bool = True) -> Answers:
    account = {"ProductionAccessEnabled": production, "SendingEnabled": sending}
    identity = {"VerifiedForSendingStatus": verified} if isinstance(verified, bool) else verified
    return {"sesv2": [("get_email_identity", identity), ("get_account", account)]}


def test_cognitos_own_sender_and_its_fifty_mails_are_said():
    ((level, text),) = said(preflight.mail, {})
    assert level is Level.NOTE
    assert "50 mails a day" in text


@pytest.mark.parametrize(("answers", "level", "words"), [
    (mail(False), Level.STOPS, "not verified example.com"),
    (mail(("NotFoundException", "none")), Level.STOPS, "not verified example.com"),
    (mail(True, production=False), Level.MATTERS, "sandbox"),
    (mail(True, sending=False), Level.STOPS, "stopped sending"),
])  # fmt: skip
def test_an_identity_that_cannot_send_is_said(answers: Answers, level: Level, words: str):
    ((found, text),) = said(preflight.mail, answers, InvitationIdentity=IDENTITY)
    assert found is level
    assert words in text


def test_an_identity_that_can_send_is_not_spoken_of():
    assert said(preflight.mail, mail(True), InvitationIdentity=IDENTITY) == []


NO_STACK = ("ValidationError", "Stack with id hub does not exist")


def stacks(status: str | None) -> list[tuple[str, Any]]:
    if status is None:
        return [("describe_stacks", NO_STACK)]
    return [
        ("describe_stacks", {"Stacks": [{"StackName": STACK, "StackStatus": status, "CreationTime": "2026-01-01"}]})
    ]


@pytest.mark.parametrize("status", [*preflight.BY_STATUS, "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_a_stack_that_cannot_be_deployed_over_is_said(status: str):
    ((level, text),) = said(preflight.stack_state, {"cloudformation": stacks(status)})
    assert level is Level.STOPS
    assert status in text


@pytest.mark.parametrize(
    "status", [None, "CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", "REVIEW_IN_PROGRESS"]
)
def test_a_stack_that_can_be_is_not_spoken_of(status: str | None):
    assert said(preflight.stack_state, {"cloudformation": stacks(status)}) == []


def names(bus: bool = False, machines: dict[str, str] | None = None, group: str = "") -> Answers:
    listed = [
        {"stateMachineArn": f"arn:{name}", "name": name, "type": "STANDARD", "creationDate": "2026-01-01"}
        for name in machines or {}
    ]
    facts = {"definition": "{}", "roleArn": "r", "type": "STANDARD", "creationDate": "2026-01-01"}
    described: list[tuple[str, Any]] = [
        ("describe_state_machine", {"stateMachineArn": f"arn:{name}", "name": name, "status": status, **facts})
        for name, status in (machines or {}).items()
        if name.startswith(f"{STACK}-")
    ]
    return {
        "cloudformation": stacks(None),
        "events": [("describe_event_bus", {"Name": STACK} if bus else ("ResourceNotFoundException", "no"))],
        "stepfunctions": [("list_state_machines", {"stateMachines": listed}), *described],
        "logs": [("describe_log_groups", {"logGroups": [{"logGroupName": group}] if group else []})],
    }


def test_nothing_is_said_of_names_that_are_free_or_a_stacks_own():
    assert (
        said(
            preflight.names_taken, names(machines={"other-import": "ACTIVE"}, group=f"/aws/vendedlogs/states/{STACK}-2")
        )
        == []
    )
    assert said(preflight.names_taken, {"cloudformation": stacks("UPDATE_COMPLETE")}) == []


@pytest.mark.parametrize(("taken", "words"), [
    (names(bus=True), "delete-event-bus --name hub"),
    (names(machines={"hub-import": "ACTIVE"}), "delete-state-machine --state-machine-arn arn:hub-import"),
    (names(machines={"hub-delete": "DELETING"}), "waits for its executions"),
    (names(group="/aws/vendedlogs/states/hub"), "delete-log-group"),
])  # fmt: skip
def test_a_fixed_name_that_somebody_has_stops_the_deployment(taken: Answers, words: str):
    ((level, text),) = said(preflight.names_taken, taken)
    assert level is Level.STOPS
    assert words in text


def left(tables: list[str], buckets: list[str], pools: list[tuple[str, str]], queues: list[str]) -> Answers:
    return {
        "cloudformation": stacks(None),
        "dynamodb": [("list_tables", {"TableNames": tables})],
        "s3": [("list_buckets", {"Buckets": [{"Name": name} for name in buckets]})],
        "cognito-idp": [("list_user_pools", {"UserPools": [{"Name": name, "Id": id_} for name, id_ in pools]})],
        "sqs": [("list_queues", {"QueueUrls": queues})],
    }


def test_data_of_an_earlier_deployment_are_said_by_name():
    answers = left(
        ["hub-Tenants-A1", "hub-ExportLog-B2", "hub2-Tenants-X"], ["hub-lake-c3", "other-lake"],
        [("hub", "eu_1"), ("other", "eu_2")], ["https://sqs/1/hub-DeadLetters-D4"],
    )  # fmt: skip
    ((level, text),) = said(preflight.earlier_data, answers)
    assert level is Level.MATTERS
    for name in ("hub-Tenants-A1", "hub-ExportLog-B2", "hub-lake-c3", "eu_1", "hub-DeadLetters-D4", "make restore"):
        assert name in text
    assert not [name for name in ("hub2", "other", "eu_2") if name in text]


def test_an_account_that_never_had_one_has_nothing_left():
    assert said(preflight.earlier_data, left(["hub2-Tenants-X"], [], [("hub2", "eu_1")], [])) == []
    assert said(preflight.earlier_data, {"cloudformation": stacks("CREATE_COMPLETE")}) == []


def test_a_region_that_sam_has_not_used_yet_is_said():
    ((level, _),) = said(preflight.artefacts_bucket, {"cloudformation": stacks(None)})
    assert level is Level.NOTE
    assert said(preflight.artefacts_bucket, {"cloudformation": stacks("CREATE_COMPLETE")}) == []


def rights(arn: str, *denied: str) -> Answers:
    decided = [
        {"EvalActionName": name, "EvalDecision": "implicitDeny" if name in denied else "allowed"}
        for name in preflight.NEEDED
    ]
    return {
        "sts": [("get_caller_identity", {"Arn": arn})],
        "iam": [("simulate_principal_policy", {"EvaluationResults": decided})],
    }


def test_what_whoever_deploys_may_not_do_stops_the_deployment():
    assert said(preflight.permissions, rights("arn:aws:iam::1:user/d")) == []
    ((level, text),) = said(preflight.permissions, rights("arn:aws:sts::1:assumed-role/Deployer/me", "iam:PassRole"))
    assert level is Level.STOPS
    assert text.startswith("arn:aws:iam::1:role/Deployer may not: iam:PassRole.")


def test_root_credentials_are_advised_against():
    ((level, text),) = said(
        preflight.permissions, {"sts": [("get_caller_identity", {"Arn": "arn:aws:iam::123456789012:root"})]}
    )
    assert (level, "root" in text) == (Level.MATTERS, True)


def test_what_may_not_be_looked_at_is_said_and_the_rest_is_looked_at_all_the_same(monkeypatch: pytest.MonkeyPatch):
    refused: Answers = {"lambda": [("get_account_settings", ("AccessDeniedException", "no right"))]}
    monkeypatch.setattr(preflight, "CHECKS", (preflight.concurrency, preflight.api_log_role))
    account = Account(refused | account_of_gateway(None), {"MakeApiLogRole": "false"})
    stops, unseen = preflight.findings(account.deployment)
    assert (stops.level, unseen.level) == (Level.STOPS, Level.MATTERS)
    assert "no right" in unseen.what
    account.all_asked()


def test_preflight_calls_nothing_that_changes_anything():
    """The clients hand on reading operations only, or raise."""
    asked: list[str] = []

    class Reading:
        exceptions = boto3.client(  # pyright: ignore[reportUnknownMemberType]
            "events", region_name="eu-north-1", aws_access_key_id="x", aws_secret_access_key="x"
        ).exceptions

        def __getattr__(self, operation: str) -> Callable[..., Any]:
            asked.append(operation)
            raise preflight.BotoCoreError

    reading = Reading()
    preflight.findings(Deployment(STACK, {}, lambda _: reading))
    assert asked
    assert all(name.startswith(("get_", "list_", "describe_", "simulate_")) for name in asked)
