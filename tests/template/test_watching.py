"""What operators see of it: the log level, the lines that metric filters read, and the figures that alarms go by."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from erphub.platform import logging as hub_logging
from erphub.platform.errors import ErpRefused, HubError, NotFound, Unavailable, Uncertain
from erphub.platform.http.dispatch import Dispatcher
from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel
from erphub.platform.ids import new_id
from erphub.platform.tasks import Tasks
from erphub.platform.wire import PageQuery
from local import template
from tests.support.gateway import NoServices

DRAWN = template.load()
FUNCTIONS = template.of_type(DRAWN, "AWS::Serverless::Function")
ALARMS = template.of_type(DRAWN, "AWS::CloudWatch::Alarm")
FILTERS = template.of_type(DRAWN, "AWS::Logs::MetricFilter")
TABLES = template.of_type(DRAWN, "AWS::DynamoDB::Table")
API_FUNCTIONS = sorted(name.removesuffix("Upstream") for name in FILTERS if name.endswith("Upstream"))
LAMBDA_LEVELS = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
"""What `ApplicationLogLevel` may be (AWS Lambda API reference, LoggingConfig)."""
_BY_TABLE = [{"TableName"}, {"TableName", "GlobalSecondaryIndexName"}]
_OF_TABLES = ("ReadThrottleEvents", "WriteThrottleEvents", "ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits")
_OF_MACHINES = ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut")
PUBLISHED: dict[str, dict[str, list[set[str]]]] = {
    "AWS/Lambda": {name: [{"FunctionName"}] for name in ("Errors", "Throttles", "Duration", "ConcurrentExecutions")},
    "AWS/States": {name: [{"StateMachineArn"}] for name in _OF_MACHINES},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible": [{"QueueName"}]},
    "AWS/ApiGateway": {
        name: [{"ApiName"}, {"ApiName", "Stage"}] for name in ("Count", "4XXError", "5XXError", "Latency")
    },
    "AWS/DynamoDB": dict.fromkeys(_OF_TABLES, _BY_TABLE) | {"ThrottledRequests": [{"TableName", "Operation"}]},
}
"""Under which dimensions each namespace publishes a metric (the guides' "metrics and dimensions" pages). CloudWatch
adds nothing up over dimensions: any other set is a metric that never has a value."""

type Metric = tuple[str, str, Mapping[str, str]]


def own_metrics() -> dict[str, list[set[str]]]:
    """What the stack's own namespace has: figures of metric filters, and those that the code writes."""
    found: dict[str, list[set[str]]] = {
        word(one["MetricName"]): [set()] for filter in FILTERS.values() for one in filter["MetricTransformations"]
    }
    return found | {name: [{"service", "operation"}] for name in ("documents_rejected", "silent_syncs")}


def word(value: Any) -> str:
    """An intrinsic function as the word it stands for."""
    if isinstance(value, dict):
        (one,) = value.values()
        return ".".join(one) if isinstance(one, list) else str(one).removeprefix("${").replace("}", "")
    return str(value).replace("${", "").replace("}", "")


def of_alarm(alarm: Mapping[str, Any]) -> Iterator[Metric]:
    stated = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    for metric in stated or [alarm]:
        dimensions = {one["Name"]: word(one["Value"]) for one in metric.get("Dimensions", [])}
        yield word(metric["Namespace"]), word(metric["MetricName"]), dimensions


def of_dashboard() -> Iterator[Metric]:
    body = DRAWN["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for widget in json.loads(body)["widgets"]:
        for namespace, name, *rest in widget["properties"]["metrics"]:
            given = [part for part in rest if isinstance(part, str)]
            yield word(namespace), word(name), dict(zip(given[::2], map(word, given[1::2]), strict=True))


def is_published(metric: Metric) -> bool:
    namespace, name, dimensions = metric
    known = own_metrics() if namespace == "AWS::StackName" else PUBLISHED.get(namespace, {})
    return set(dimensions) in known.get(name, [])


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_every_alarm_watches_a_figure_that_is_published(name: str):
    found = list(of_alarm(ALARMS[name]))
    assert found
    assert [metric for metric in found if not is_published(metric)] == []


def test_every_graph_shows_figures_that_are_published():
    found = list(of_dashboard())
    assert len(found) > 50
    assert [metric for metric in found if not is_published(metric)] == []


def test_a_figure_under_dimensions_that_nobody_publishes_is_noticed():
    assert not is_published(("AWS/DynamoDB", "ThrottledRequests", {"TableName": "Tenants"}))
    assert not is_published(("AWS::StackName", "documents_rejected", {"service": "erphub"}))


@pytest.mark.parametrize("table", sorted(TABLES))
def test_what_dynamodb_refuses_is_summed_over_the_table_and_its_indexes(table: str):
    indexes = [None, *(one["IndexName"] for one in TABLES[table].get("GlobalSecondaryIndexes", []))]
    wanted = {(kind, index) for kind in ("ReadThrottleEvents", "WriteThrottleEvents") for index in indexes}
    alarm = ALARMS[f"{table}Throttled"]
    metrics = list(of_alarm(alarm))
    assert {(name, dimensions.get("GlobalSecondaryIndexName")) for _, name, dimensions in metrics} == wanted
    assert {dimensions["TableName"] for *_, dimensions in metrics} == {table}
    returned = [one for one in alarm["Metrics"] if one.get("ReturnData") is not False]
    assert [one["Expression"] for one in returned] == ["SUM(METRICS())"]
    assert len(alarm["Metrics"]) <= 10  # what an alarm on an expression may have
    shown = {(name, dims.get("GlobalSecondaryIndexName")) for _, name, dims in of_dashboard() if table in dims.values()}
    assert wanted <= shown


# --- the log level --------------------------------------------------------------------------------------------------


def test_the_log_level_reaches_lambda_as_well_as_the_logger():
    shared = DRAWN["Globals"]["Function"]
    assert shared["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": {"Ref": "LogLevel"},
        "SystemLogLevel": "INFO",
    }
    assert shared["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == {"Ref": "LogLevel"}
    for name, properties in FUNCTIONS.items():
        assert set(properties["LoggingConfig"]) == {"LogGroup"}, f"{name} would not take what all have"
    allowed = DRAWN["Parameters"]["LogLevel"]["AllowedValues"]
    assert set(allowed) <= LAMBDA_LEVELS
    # A line without a level, as figures are, counts as INFO: above it Lambda would keep them from the alarms.
    assert all(logging.getLevelName(level) <= logging.INFO for level in allowed)


@pytest.fixture
def level(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A logger of the test's own, made for a deployment's level as Lambda passes it on."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", new_id())
    hub_logging.logger.cache_clear()
    yield monkeypatch
    hub_logging.logger.cache_clear()


@pytest.mark.parametrize("name", ["DEBUG", "INFO"])
def test_a_deployments_log_level_is_what_is_logged(name: str, level: pytest.MonkeyPatch):
    level.setenv("POWERTOOLS_LOG_LEVEL", name)
    level.setenv("AWS_LAMBDA_LOG_LEVEL", name)
    assert logging.getLevelName(hub_logging.logger().log_level) == name


def test_lambdas_own_level_goes_before_the_loggers(level: pytest.MonkeyPatch):
    """Why a deployment that says DEBUG to the logger alone stays at INFO: Lambda's default."""
    level.setenv("AWS_LAMBDA_LOG_LEVEL", "INFO")
    level.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
    with pytest.warns(UserWarning, match="does not match"):
        assert logging.getLevelName(hub_logging.logger().log_level) == "INFO"


@pytest.mark.parametrize(("name", "shown"), [("DEBUG", True), ("INFO", False)])
def test_debug_shows_what_began_also_when_it_never_ends(
    name: str, shown: bool, level: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    level.setenv("AWS_LAMBDA_LOG_LEVEL", name)
    messages = [line["message"] for line in answered_with(NotFound("There is none."), capsys)]
    assert ("request begun" in messages) == shown
    Tasks({"work": lambda _: {}})({"task": "work"}, None)
    assert ('"task begun"' in capsys.readouterr().out) == shown


# --- the lines that are counted -------------------------------------------------------------------------------------


def matches(pattern: str, line: Mapping[str, Any]) -> bool:
    """Whether a metric filter's JSON pattern (comparisons joined by one kind of operator) takes a line."""
    tests = re.findall(r'\$\.([\w.]+) (=|!=|>=) (?:"([^"]*)"|(\d+))', pattern)
    assert tests, pattern
    found = [_holds(_member(line, path), operator, text, number) for path, operator, text, number in tests]
    return all(found) if "&&" in pattern else any(found)


def _member(line: Mapping[str, Any], path: str) -> Any:
    value: Any = line
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _holds(value: Any, operator: str, text: str, number: str) -> bool:
    if value is None:
        return False
    if operator == ">=":
        return value >= int(number)
    same = str(value).startswith(text[:-1]) if text.endswith("*") else str(value) == text
    return same if operator == "=" else not same


def answered_with(error: Exception, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The log lines of a request that ended so."""
    router = Router("X")
    answer = Dispatcher(router, NoServices())

    def fail() -> PageQuery:
        raise error

    router.get("/x", needs=AccessLevel.PUBLIC)(fail)
    context = {"requestId": "r-1", "identity": {"sourceIp": "192.0.2.7"}}
    event = {"httpMethod": "GET", "path": "/x", "resource": "/x", "headers": {}, "requestContext": context}
    capsys.readouterr()
    answer(event, None)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def written(level: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    """What the logger writes."""
    level.setenv("AWS_LAMBDA_LOG_LEVEL", "INFO")
    return capsys


@pytest.mark.parametrize("name", API_FUNCTIONS)
@pytest.mark.parametrize(
    ("error", "counted"),
    [
        (KeyError("a bug"), "broken"),
        (HubError("The index has no such page."), "broken"),
        (ErpRefused("The ERP said no."), "upstream"),
        (Unavailable("The ERP does not answer.", code="erp_unreachable"), "upstream"),
        (Uncertain("No telling."), "upstream"),
        (NotFound("There is none."), None),
    ],
)
def test_only_what_is_wrong_here_rings_and_what_an_erp_does_is_a_graph(
    name: str, error: Exception, counted: str | None, written: pytest.CaptureFixture[str]
):
    lines = answered_with(error, written)
    assert any(line["message"] == "request" for line in lines)
    for kind in ("Broken", "Upstream"):
        hits = sum(matches(FILTERS[name + kind]["FilterPattern"], line) for line in lines)
        assert hits == (1 if counted == kind.lower() else 0), kind


@pytest.mark.parametrize("name", API_FUNCTIONS)
def test_an_api_rings_for_its_own_errors_and_for_a_worker_that_was_killed(name: str):
    broken, alarm = FILTERS[f"{name}Broken"], ALARMS[f"{name}Errors"]
    assert broken["LogGroupName"] == FUNCTIONS[name]["LoggingConfig"]["LogGroup"]
    (figure,) = broken["MetricTransformations"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (figure["MetricNamespace"], figure["MetricName"])
    for status, rings in (("success", False), ("timeout", True), ("failure", True), ("error", True)):
        assert matches(broken["FilterPattern"], platform_report(status)) == rings
    watched = {metric for alarm in ALARMS.values() for _, metric, _ in of_alarm(alarm)}
    (upstream,) = FILTERS[f"{name}Upstream"]["MetricTransformations"]
    assert word(upstream["MetricName"]) not in watched, "nobody is woken for a tenant's ERP"
    assert word(upstream["MetricName"]) in {metric for _, metric, _ in of_dashboard()}


def platform_report(status: str) -> dict[str, Any]:
    """The line that Lambda writes when an invocation has ended (Telemetry API, `platform.report`)."""
    metrics = {"durationMs": 29000.0, "billedDurationMs": 29000, "memorySizeMB": 1024, "maxMemoryUsedMB": 120}
    record = {"requestId": "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa", "metrics": metrics, "status": status}
    return {"time": "2026-11-27T12:00:00.000Z", "type": "platform.report", "record": record}


def test_every_function_that_answers_requests_is_watched_so():
    permissions = template.of_type(DRAWN, "AWS::Lambda::Permission").values()
    called = [one for one in permissions if one["SourceArn"]["Fn::Sub"].endswith(":${Api}/*/*/*")]
    answering = {one["FunctionName"]["Ref"] for one in called}
    assert answering == {f"{name}.Alias" for name in API_FUNCTIONS}


def test_the_gateways_own_failures_ring_and_what_functions_answer_does_not():
    pattern = FILTERS["GatewayBroken"]["FilterPattern"]
    format = DRAWN["Resources"]["Api"]["Properties"]["AccessLogSetting"]["Format"]
    for status, error, rings in (
        (500, "API_CONFIGURATION_ERROR", True),
        (502, "-", False),
        (500, "-", False),
        (504, "INTEGRATION_TIMEOUT", False),
        (403, "ACCESS_DENIED", False),
    ):
        line = format.replace("$context.status", str(status)).replace("$context.error.responseType", error)
        assert matches(pattern, json.loads(line.replace("$context.responseLatency", "7"))) == rings


def test_nobody_is_woken_by_the_gateways_count_of_all_server_errors():
    watched = {metric for alarm in ALARMS.values() for _, metric, _ in of_alarm(alarm)}
    assert "5XXError" not in watched
    assert "5XXError" in {metric for _, metric, _ in of_dashboard()}
