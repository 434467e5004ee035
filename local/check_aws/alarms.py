"""Metrics that alarms and dashboards look at: one that nobody publishes under these dimensions is silent for ever."""

import json
from collections.abc import Iterator
from typing import Any, cast

from .stack import Json, Stack

type Names = frozenset[str]


def _alike(dimensions: list[set[str]], *metrics: str) -> dict[str, list[set[str]]]:
    return dict.fromkeys(metrics, dimensions)


_TABLE, _INDEX = {"TableName"}, {"TableName", "GlobalSecondaryIndexName"}
_DYNAMODB: dict[str, list[set[str]]] = {
    # "DynamoDB metrics and dimensions"; an index's events are not among its table's.
    "ReadThrottleEvents": [_TABLE, _INDEX],
    "WriteThrottleEvents": [_TABLE, _INDEX],
    "ReadKeyRangeThroughputThrottleEvents": [_TABLE, _INDEX],
    "WriteKeyRangeThroughputThrottleEvents": [_TABLE, _INDEX],
    "ThrottledRequests": [{"TableName", "Operation"}],
    "SystemErrors": [{"TableName", "Operation"}],
    "SuccessfulRequestLatency": [{"TableName", "Operation"}],
    "ReturnedItemCount": [{"TableName", "Operation"}],
    "ConsumedReadCapacityUnits": [_TABLE, _INDEX],
    "ConsumedWriteCapacityUnits": [_TABLE, _INDEX],
    "TransactionConflict": [_TABLE],
    "ConditionalCheckFailedRequests": [_TABLE],
    "UserErrors": [set()],
}
_FUNCTION = [{"FunctionName"}, {"FunctionName", "Resource"}, set[str]()]
_API = [{"ApiName"}, {"ApiName", "Stage"}, {"ApiName", "Stage", "Resource", "Method"}]
_MACHINE = [{"StateMachineArn"}]
_POOL = [{"UserPool", "UserPoolClient"}]
_RULE = [{"RuleName"}, {"EventBusName", "RuleName"}, set[str]()]
PUBLISHED: dict[str, dict[str, list[set[str]]]] = {
    "AWS/DynamoDB": _DYNAMODB,
    "AWS/Lambda": _alike(
        _FUNCTION,
        "Errors", "Throttles", "Invocations", "Duration", "ConcurrentExecutions", "DeadLetterErrors",
        "DestinationDeliveryFailures", "AsyncEventAge", "AsyncEventsDropped", "AsyncEventsReceived",
    ) | _alike([set()], "UnreservedConcurrentExecutions", "ClaimedAccountConcurrency"),
    "AWS/ApiGateway": _alike(_API, "4XXError", "5XXError", "Count", "Latency", "IntegrationLatency"),
    "AWS/States": _alike(
        _MACHINE,
        "ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted",
        "ExecutionThrottled", "ExecutionTime",
    ),
    "AWS/SQS": _alike(
        [{"QueueName"}],
        "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "NumberOfMessagesSent",
    ),
    "AWS/Events": _alike(_RULE, "FailedInvocations", "InvocationsFailedToBeSentToDlq", "ThrottledRules"),
    "AWS/Cognito": _alike(_POOL, "SignInThrottles", "TokenRefreshThrottles", "SignUpThrottles"),
    "AWS/SES": _alike([set()], "Send", "Bounce", "Complaint", "Reject", "Reputation.BounceRate"),
    "AWS/SNS": _alike([{"TopicName"}], "NumberOfNotificationsFailed", "NumberOfNotificationsDelivered"),
}  # fmt: skip
"""{namespace: {metric: the sets of dimensions under which it is published}}, from each service's page of metrics."""


def looked_at(stack: Stack) -> Iterator[tuple[str, str, str, Names]]:
    """(who looks, namespace, metric, names of dimensions) of every alarm and every widget."""
    for name, alarm in stack.of_type("AWS::CloudWatch::Alarm").items():
        if "MetricName" in alarm:
            yield name, *_metric(stack, alarm)
        for query in cast(list[Json], alarm.get("Metrics", [])):
            if "MetricStat" in query:
                yield name, *_metric(stack, query["MetricStat"]["Metric"])
    for name, dashboard in stack.of_type("AWS::CloudWatch::Dashboard").items():
        body = json.loads(stack.text(dashboard["DashboardBody"]))
        for widget in body["widgets"]:
            for row in cast(list[list[Any]], widget["properties"].get("metrics", [])):
                words = [word for word in row if isinstance(word, str)]
                if words:
                    yield name, words[0], words[1], frozenset(words[2::2])


def _metric(stack: Stack, metric: Json) -> tuple[str, str, Names]:
    dimensions = frozenset(str(one["Name"]) for one in cast(list[Json], metric.get("Dimensions", [])))
    return stack.text(metric["Namespace"]), stack.text(metric["MetricName"]), dimensions


def dimensions(stack: Stack) -> list[str]:
    """Every metric is published under just these dimensions: by AWS, by a filter of a log, or by the code."""
    filtered: dict[tuple[str, str], Names] = {}
    for one in stack.of_type("AWS::Logs::MetricFilter").values():
        for made in cast(list[Json], one["MetricTransformations"]):
            names = frozenset(str(each["Key"]) for each in cast(list[Json], made.get("Dimensions", [])))
            filtered[stack.text(made["MetricNamespace"]), stack.text(made["MetricName"])] = names
    found: set[str] = set()
    for where, namespace, metric, names in looked_at(stack):
        said = f"{where}: {namespace} {metric}"
        under = ", ".join(sorted(names)) or "no dimension"
        if namespace.startswith("AWS/"):
            published = PUBLISHED.get(namespace, {}).get(metric)
            if published is None:
                found.add(f"{said} is not among the metrics that were looked up; see PUBLISHED")
            elif set(names) not in published:
                found.add(f"{said} is not published under {under}")
        elif (namespace, metric) in filtered:
            if filtered[namespace, metric] != names:
                found.add(f"{said} is written by a filter under other dimensions than {under}")
        elif "service" not in names:
            # What the code writes itself carries its service (Powertools' default dimension).
            found.add(f"{said}: neither a filter nor the code writes it under {under}")
    return sorted(found)
