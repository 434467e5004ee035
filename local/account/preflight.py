"""What an account lacks for a deployment, found by reading alone; each finding says what to do about it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import template

from . import Clients
from .kept import left_behind

CONCURRENCY_QUOTA = "L-B99A9384"
"""Lambda's "Concurrent executions" in Service Quotas."""
MUST_STAY_UNRESERVED = 100
"""So many executions Lambda leaves to functions without a reservation ("Configuring reserved concurrency")."""
IMPORT_AT_ONCE = 8
"""Calls of one import that run at once (MaxConcurrency in import.asl.json)."""
API_FUNCTIONS = 5
NEEDED = (
    "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "iam:CreateRole", "iam:PutRolePolicy",
    "iam:PassRole", "lambda:CreateFunction", "lambda:PublishLayerVersion", "lambda:AddPermission", "apigateway:POST",
    "dynamodb:CreateTable", "s3:CreateBucket", "s3:PutObject", "states:CreateStateMachine", "events:CreateEventBus",
    "events:PutRule", "cognito-idp:CreateUserPool", "kms:CreateKey", "logs:CreateLogGroup", "cloudwatch:PutMetricAlarm",
    "cloudwatch:PutDashboard", "sqs:CreateQueue", "sns:CreateTopic",
)  # fmt: skip
"""Of what a deployment does, one action of each service."""


class Level(StrEnum):
    """How much a finding matters."""

    STOPS = "stops"
    """The deployment would fail."""
    MATTERS = "matters"
    """It would succeed, and something would not be as one thinks."""
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing found, and what to do."""

    level: Level
    what: str
    do: str = ""

    def __str__(self) -> str:
        return f"{self.level:<7}  {self.what}" + (f"\n{'':9}{self.do}" if self.do else "")


@dataclass(frozen=True)
class Deployment:
    """What is to be deployed where."""

    stack: str
    parameters: Mapping[str, str]
    """As they are handed to the template; its defaults count for the others."""
    client: Clients

    def parameter(self, name: str) -> str:
        """A parameter's value."""
        return self.parameters.get(name, str(self._declared[name].get("Default", "")))

    @cached_property
    def _declared(self) -> dict[str, Any]:
        """The template's parameters."""
        return template.load()["Parameters"]


type Check = Callable[[Deployment], Iterator[Finding]]


def concurrency(deployment: Deployment) -> Iterator[Finding]:
    """How much may run at once in the account, and whether what is to be reserved fits."""
    limit = deployment.client("lambda").get_account_settings()["AccountLimit"]
    at_once, unreserved = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    api, imports = int(deployment.parameter("ApiConcurrency")), int(deployment.parameter("ImportConcurrency"))
    wanted = API_FUNCTIONS * api + imports
    if wanted and unreserved - wanted < MUST_STAY_UNRESERVED:
        yield Finding(
            Level.STOPS,
            f"{wanted} concurrent executions are to be reserved (ApiConcurrency={api} for each of {API_FUNCTIONS}"
            f" functions, ImportConcurrency={imports}) of {unreserved}; {MUST_STAY_UNRESERVED} must stay unreserved.",
            "Deploy with ApiConcurrency=0 ImportConcurrency=0, or have the quota raised first.",
        )
    if at_once < MUST_STAY_UNRESERVED:
        yield Finding(
            Level.MATTERS,
            f"All functions of the account together may run {at_once} times at once; one import alone uses up to "
            f"{IMPORT_AT_ONCE}. What does not fit waits and is tried again, and callers of the API are answered later.",
            "Have it raised: aws service-quotas request-service-quota-increase --service-code lambda "
            f"--quota-code {CONCURRENCY_QUOTA} --desired-value 1000",
        )
        yield from _asked_for(deployment)


def _asked_for(deployment: Deployment) -> Iterator[Finding]:
    history = deployment.client("service-quotas").list_requested_service_quota_change_history_by_quota(
        ServiceCode="lambda", QuotaCode=CONCURRENCY_QUOTA
    )
    for one in history.get("RequestedQuotas", []):
        if one["Status"] in ("PENDING", "CASE_OPENED"):
            yield Finding(Level.NOTE, f"A raise of it to {one['DesiredValue']:.0f} is asked for and not decided yet.")


def api_log_role(deployment: Deployment) -> Iterator[Finding]:
    """API Gateway has one role for its logs per account and region."""
    role = deployment.client("apigateway").get_account().get("cloudwatchRoleArn")
    makes = deployment.parameter("MakeApiLogRole") == "true"
    if not role and not makes:
        yield Finding(
            Level.STOPS,
            "API Gateway has no role for writing logs in this account and region, and a stage with logs needs one.",
            'Deploy with WITH="MakeApiLogRole=true".',
        )
    if role and makes and f"/{deployment.stack}-ApiLogRole-" not in role:
        yield Finding(
            Level.MATTERS,
            f"API Gateway writes logs as {role}, which others in this account may use. Deploying would put another in"
            " its place, and deleting the stack would leave the account with none.",
            'Deploy with WITH="MakeApiLogRole=false".',
        )


def mail(deployment: Deployment) -> Iterator[Finding]:
    """How invitations leave the account."""
    identity = deployment.parameter("InvitationIdentity")
    if not identity:
        yield Finding(
            Level.NOTE,
            "Invitations go by Cognito's own sender: 50 mails a day for the whole account.",
            'For more, verify an identity in SES and deploy with WITH="InvitationIdentity=arn:… InvitationFrom=hub@…".',
        )
        return
    name = identity.rpartition(":identity/")[2]
    ses = deployment.client("sesv2")
    try:
        verified = ses.get_email_identity(EmailIdentity=name)["VerifiedForSendingStatus"]
    except ses.exceptions.NotFoundException:
        verified = False
    if not verified:
        yield Finding(Level.STOPS, f"SES has not verified {name} for sending.", "Finish its verification in SES first.")
    account = ses.get_account()
    if not account["ProductionAccessEnabled"]:
        yield Finding(
            Level.MATTERS,
            "SES is in its sandbox here: it mails to verified addresses only, 200 a day.",
            "Ask for production access in SES (Account dashboard).",
        )
    if not account["SendingEnabled"]:
        yield Finding(Level.STOPS, "SES has stopped sending for this account.", "See SES, Reputation metrics.")


def _stack(deployment: Deployment) -> dict[str, Any] | None:
    try:
        return deployment.client("cloudformation").describe_stacks(StackName=deployment.stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


BY_STATUS = {
    "ROLLBACK_COMPLETE": "Its first deployment failed: aws cloudformation delete-stack --stack-name {}",
    "ROLLBACK_FAILED": "Its first deployment failed: aws cloudformation delete-stack --stack-name {}",
    "DELETE_FAILED": "See why in its events, then: aws cloudformation delete-stack --stack-name {}",
    "UPDATE_ROLLBACK_FAILED": "aws cloudformation continue-update-rollback --stack-name {}",
    "IMPORT_ROLLBACK_FAILED": "See why in its events; it has to be mended before anything can be deployed over it.",
}


def stack_state(deployment: Deployment) -> Iterator[Finding]:
    """Whether a stack of this name can be deployed over."""
    if (found := _stack(deployment)) is None:
        return
    status = found["StackStatus"]
    if status in BY_STATUS:
        advice = BY_STATUS[status].format(deployment.stack)
        yield Finding(Level.STOPS, f"The stack {deployment.stack} is in {status}.", advice)
    elif status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        yield Finding(
            Level.STOPS, f"The stack {deployment.stack} is in {status}.", "Wait until it has come to its end."
        )


def names_taken(deployment: Deployment) -> Iterator[Finding]:
    """Fixed names that somebody else has, or that an earlier deployment has not given back yet."""
    if _stack(deployment) is not None:
        return
    stack, client = deployment.stack, deployment.client
    events = client("events")
    try:
        events.describe_event_bus(Name=stack)
    except events.exceptions.ResourceNotFoundException:
        pass
    else:
        yield Finding(Level.STOPS, f"There is an event bus {stack}.", f"aws events delete-event-bus --name {stack}")
    machines = client("stepfunctions")
    for page in machines.get_paginator("list_state_machines").paginate():
        for one in page["stateMachines"]:
            if one["name"] in {f"{stack}-{name}" for name in ("connect", "import", "delete", "transfer")}:
                yield _machine(machines, one)
    group = f"/aws/vendedlogs/states/{stack}"
    groups = client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    if any(one["logGroupName"] == group for one in groups):
        yield Finding(
            Level.STOPS, f"There is a log group {group}.", f"aws logs delete-log-group --log-group-name {group}"
        )


def _machine(machines: Any, one: dict[str, Any]) -> Finding:
    arn = one["stateMachineArn"]
    if machines.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING":
        return Finding(
            Level.STOPS,
            f"The state machine {one['name']} is being deleted and waits for its executions, which may wait for days.",
            f"aws stepfunctions list-executions --state-machine-arn {arn} --status-filter RUNNING; stop each.",
        )
    advice = f"aws stepfunctions delete-state-machine --state-machine-arn {arn}"
    return Finding(Level.STOPS, f"There is a state machine {one['name']}.", advice)


def earlier_data(deployment: Deployment) -> Iterator[Finding]:
    """What an earlier stack of this name has left behind: a new one would start empty beside it."""
    if _stack(deployment) is not None:
        return
    if left := left_behind(deployment.client, deployment.stack, template.load()):
        names = ", ".join(f"{one.logical} {one.id}" for one in left)
        yield Finding(
            Level.MATTERS,
            f"An earlier deployment of this name has left data behind: {names}. A new one would start empty beside it.",
            "To take it up again: make restore. To start empty, deploy; nothing of it is in the way.",
        )


def artefacts_bucket(deployment: Deployment) -> Iterator[Finding]:
    """Where `sam deploy` puts what it uploads."""
    try:
        deployment.client("cloudformation").describe_stacks(StackName="aws-sam-cli-managed-default")
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        yield Finding(
            Level.NOTE, "This region has no bucket of sam's yet; `sam deploy` makes it (aws-sam-cli-managed-default)."
        )


def permissions(deployment: Deployment) -> Iterator[Finding]:
    """Whether whoever deploys may do what a deployment does, as far as IAM tells."""
    who = deployment.client("sts").get_caller_identity()["Arn"]
    if who.endswith(":root"):
        yield Finding(
            Level.MATTERS, "These are the account's root credentials.", "Deploy as a user or role of its own."
        )
        return
    principal = who
    if ":assumed-role/" in who:
        role = who.split(":assumed-role/")[1].split("/")[0]
        principal = who.split(":assumed-role/")[0].replace(":sts:", ":iam:") + f":role/{role}"
    iam = deployment.client("iam")
    answer = iam.simulate_principal_policy(PolicySourceArn=principal, ActionNames=list(NEEDED))
    denied = [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]
    if denied:
        yield Finding(
            Level.STOPS,
            f"{principal} may not: {', '.join(denied)}.",
            "Give it these, or let CloudFormation work as a role that has them (sam deploy --role-arn).",
        )


CHECKS: tuple[Check, ...] = (
    permissions, stack_state, names_taken, earlier_data, concurrency, api_log_role, mail, artefacts_bucket,
)  # fmt: skip


def findings(deployment: Deployment) -> list[Finding]:
    """All that was found, the gravest first; what may not be looked at is said as well."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += check(deployment)
        except (ClientError, BotoCoreError) as error:
            about = (check.__doc__ or check.__name__).partition("\n")[0].rstrip(".")
            found.append(Finding(Level.MATTERS, f"Could not be looked at ({about}): {error}"))
    order = list(Level)
    return sorted(found, key=lambda one: order.index(one.level))
