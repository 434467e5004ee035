"""The wizard's tasks as their machine calls them, the first administrator, the log, the catalogue."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator

from erphub.erp.service import ErpSystems
from erphub.platform import logging as hub_logging
from erphub.platform import redaction
from erphub.platform.errors import Unavailable
from erphub.platform.identity import Caller
from erphub.platform.settings import read_settings
from erphub.platform.tasks import TaskFailed, Tasks
from tests.support import services
from tests.support.hub import ROOT, event, handler_module
from tests.wizards.test_service import SERVER, Wizard

CANARY = "cAnary-\\\"påss'wörd-1"


def stored(hub, wizard):
    return {"client_id": hub.client, "wizard_id": wizard.id}


def test_the_machine_is_told_what_comes_next(hub):
    wizard = Wizard(hub)
    hub.machine.slow = True
    wizard.put("server", SERVER)
    tasks = handler_module("wizard")
    assert tasks.handler({**event("wizard"), **stored(hub, wizard)}, None) == {"next": "ask"}
    assert wizard.get()["step"] == "companies"


def test_a_task_for_a_wizard_that_is_gone_stops(hub):
    assert handler_module("wizard").handler(event("wizard"), None) == {"next": "stop"}


def test_an_execution_that_was_aborted_ends_its_wizard_and_forgets_the_password(hub):
    wizard = Wizard(hub).until("server")
    broke = event("wizard-broke")
    broke["detail"]["input"] = json.dumps(stored(hub, wizard))
    handler_module("wizard").handler(broke, None)
    after = wizard.get()
    assert (after["status"], after["problem"]["code"]) == ("failed", "wizard_failed")
    assert hub.secrets.kept == {}
    assert wizard.put("companies", {"companies": "all"}).code == "wizard_failed"


def test_an_execution_that_was_aborted_after_the_end_changes_nothing(hub):
    wizard = Wizard(hub).until("finish")
    before = hub.items()
    broke = event("wizard-broke")
    broke["detail"]["input"] = json.dumps(stored(hub, wizard))
    handler_module("wizard").handler(broke, None)
    assert (hub.items(), len(hub.secrets.kept)) == (before, 1)


def test_a_test_whose_execution_broke_says_so(hub):
    connection_id = Wizard(hub).until("finish").get()["connection_id"]
    hub.machine.slow = True
    test = hub.call("POST", hub.in_client(f"/connections/{connection_id}/test")).json["last_test"]
    broke = event("wizard-broke")
    given = {"client_id": hub.client, "connection_id": connection_id, "test_id": test["id"]}
    broke["detail"]["input"] = json.dumps(given)
    handler_module("wizard").handler(broke, None)
    after = hub.call("GET", hub.in_client(f"/connections/{connection_id}")).json
    assert (after["last_test"]["has_passed"], after["last_test"]["problem"]["code"]) == (False, "unavailable")
    assert after["status"] == "active"


def test_what_a_task_raises_carries_no_secret_and_no_cause():
    def leaks(_):
        redaction.redact([CANARY])
        try:
            raise ValueError(f"driver: {CANARY}")
        except ValueError as error:
            raise Unavailable(f"It said {CANARY}.", code="cut") from error

    def bug(_):
        redaction.redact([CANARY])
        raise KeyError(CANARY)

    tasks = Tasks({"leaks": leaks, "bug": bug})
    with pytest.raises(Unavailable) as unavailable:
        tasks({"task": "leaks"}, None)
    assert (unavailable.value.detail, unavailable.value.__cause__) == ("It said [hidden].", None)
    with pytest.raises(TaskFailed, match=r"^KeyError, correlation id r-1$") as failed:
        tasks({"task": "bug"}, SimpleNamespace(aws_request_id="r-1"))
    assert failed.value.__cause__ is None


def logged(**extra):
    """One line as it would be written."""
    import logging

    record = logging.LogRecord("erphub", logging.INFO, "x.py", 1, "said %s", (extra.pop("word"),), None)
    record.__dict__ |= extra
    return hub_logging._Formatter().format(record)


@pytest.mark.parametrize("secret", [CANARY, "plain-Secret-1", "x y%z&", "🔑🔑🔑🔑"])
def test_a_log_line_never_holds_a_secret_in_any_of_its_encodings(secret):
    redaction.reset()
    redaction.redact([secret])
    disguises = [secret, repr(secret), json.dumps(secret), json.dumps({"deep": [secret]}), secret.encode("utf-16-le")]
    line = logged(word=f"{disguises}", nested={"list": [{"value": f"a{secret}b", secret: 1}]}, bare=secret)
    redaction.reset()
    for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], repr(secret.encode("utf-16-le"))[2:-1]):
        assert form not in line
    assert "[hidden]" in line


def test_a_short_secret_hides_where_it_stands_alone_and_spares_the_rest():
    redaction.reset()
    redaction.redact(["ab"])
    assert redaction.clean({"value": "ab", "text": "cabbage"}) == {"value": "[hidden]", "text": "cabbage"}


def test_a_line_is_cleaned_while_other_threads_hide_more():
    redaction.redact(f"Secret-{number}" for number in range(200))
    over = threading.Event()

    def hides():
        number = 0
        while not over.is_set():
            redaction.redact([f"Another-{(number := number + 1) % 500}"])
            if number % 500 == 0:
                redaction.reset()
                redaction.redact(["Secret-7"])

    threads = [threading.Thread(target=hides) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3000):
            redaction.clean({"said": "It was Secret-7."})
    finally:
        over.set()
        for thread in threads:
            thread.join()
    redaction.redact(["Secret-7"])
    assert redaction.clean("It was Secret-7.") == "It was [hidden]."
    redaction.reset()


def test_the_next_invocation_knows_nothing_of_the_secrets_of_this_one(hub):
    redaction.redact(["Visma"])
    assert "Visma" in hub.call("GET", "/erp-systems").text
    assert redaction.clean("Visma") == "Visma"


def test_figures_are_one_line(capsys, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "erphub")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "test")
    hub_logging._metrics.cache_clear()
    hub_logging.emit_metrics({"system": "visma-business"}, rows=3, read_bytes=10, seconds=1.5)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    written = json.loads(lines[0])
    assert (written["rows"], written["system"]) == ([3.0], "visma-business")
    hub_logging._metrics.cache_clear()


def test_the_catalogue_shows_every_system_with_forms_that_are_valid_schemas(hub):
    systems = hub.call("GET", "/erp-systems", user="viewer").json["items"]
    assert {"visma-business", "sqlserver-generic"} <= {system["id"] for system in systems}
    for system in systems:
        assert system == hub.call("GET", f"/erp-systems/{system['id']}", user="viewer").json
        assert system["documentation"][0]["url"].startswith("https://")
        for step in system["steps"]:
            Draft202012Validator.check_schema(step["schema"])


def test_a_tenant_is_shown_the_addresses_to_let_through_the_firewall(hub, monkeypatch):
    assert hub.call("GET", "/erp-systems/visma-business").json["egress_addresses"] == []
    settings = read_settings({"EGRESS_ADDRESSES": "203.0.113.7,203.0.113.8"})
    services.use(monkeypatch, {ErpSystems: ErpSystems(settings.egress_addresses)})
    shown = hub.call("GET", "/erp-systems/visma-business").json
    assert shown["egress_addresses"] == ["203.0.113.7", "203.0.113.8"]


def test_passwords_are_write_only_in_every_form(hub):
    for system in hub.call("GET", "/erp-systems").json["items"]:
        for step in system["steps"]:
            for name, field in step["schema"]["properties"].items():
                assert field.get("writeOnly", False) == ("password" in name or "secret" in name or "token" in name), (
                    name
                )


def test_a_system_nobody_knows_is_not_found(hub):
    answer = hub.call("GET", "/erp-systems/abacus")
    assert (answer.status, answer.code) == (404, "unknown_erp_system")


def test_a_caller_is_who_the_authorizer_says_and_no_more():
    from erphub.platform.http.gateway import Request

    said = event("api")["requestContext"]["authorizer"] | {"cognito:groups": "administrators"}
    caller = Request({"requestContext": {"authorizer": said}}).caller
    ends = datetime(2026, 11, 22, 8, 53, 20, tzinfo=UTC)
    assert caller == Caller("0f0e0d0c-0000-4000-8000-000000000001", "administrator@example.test", valid_until=ends)
    del said["email"]
    unconfirmed = Request({"requestContext": {"authorizer": said}}).caller
    assert unconfirmed.email is None, "an address that was not confirmed goes into no trail"


@pytest.mark.parametrize("name", ["api", "wizard", "first_admin"])
@pytest.mark.usefixtures("fresh_python")
def test_a_function_starts_without_driver_table_engine_or_boto3(name: str):
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'functions/connections')!r}); import {name}; print(*sys.modules)"
    )
    paths = [str(ROOT / "layers/core"), *(path for path in sys.path if "site-packages" in path)]
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, timeout=60, cwd=Path.cwd(),
        env={"PYTHONPATH": ":".join(paths), "AWS_DEFAULT_REGION": "eu-north-1"},
    )  # fmt: skip
    loaded = {module.split(".")[0] for module in done.stdout.split()}
    assert loaded & {"pymssql", "deltalake", "arro3", "pyarrow", "httpx", "boto3", "aws_xray_sdk"} == set()
    assert "erphub" in loaded
