"""On the deployed hub: a changed password stops everything and is told, the new one goes on; webhooks on loopback."""

import base64
import hmac
import json
import secrets
import time
from collections.abc import Generator
from typing import Any

import pytest

from tests.e2e.books import COMPANY, Books
from tests.e2e.waiting import until
from tests.support.receiver import Receiver, certificates

BAD_LOGIN = "18456"
"""SQL Server's error number of a login that it does not accept."""


class OwnLogin(Books):
    """Books behind a login of their own, whose password a test may change without anybody else noticing."""

    def _connect(self, name: str, companies: list[str]) -> str:
        self.login = f"reader-{secrets.token_hex(4)}"
        self.set_password(f"First-{secrets.token_hex(6)}")
        return super()._connect(name, companies)

    def set_password(self, password: str) -> None:
        """What somebody does at the ERP."""
        databases = self.erp("GET", "/")["databases"]
        self.erp("POST", "/logins", name=self.login, password=password, databases=databases)
        self.server = self.server | {"login": self.login, "password": password}

    def refusals(self) -> int:
        """How often the ERP has refused a login so far."""
        return int(self.erp("GET", "/stats")["refusals"].get(BAD_LOGIN, 0))

    def shown(self) -> dict[str, Any]:
        return self.of_client("GET", f"/connections/{self.connection}")

    def stands(self, status: str) -> dict[str, Any]:
        def shown() -> dict[str, Any] | None:
            now = self.shown()
            return now if now["status"] == status else None

        return until(shown)

    def notified(self) -> list[str]:
        """The types of what the client was notified of, the oldest first."""
        items = self.of_client("GET", "/notifications", params={"limit": 200})["items"]
        return [one["type"] for one in reversed(items)]

    def clock_strikes(self) -> None:
        """What EventBridge does every minute."""
        for function in ("ScheduleFunction", "WebhookDeliveriesFunction"):
            answer = self.hub.aws.client("lambda").invoke(FunctionName=self.hub.outputs[function], Payload=b"{}")
            assert "FunctionError" not in answer, answer["Payload"].read()

    def made_up(self, job: str) -> dict[str, Any] | None:
        """The job's run that makes up for what it missed, once there is one."""
        runs = self.of_client("GET", f"/import-jobs/{job}/runs")["items"]
        return next((run for run in runs if run["trigger"] == "catch_up"), None)

    def make_due(self, job: str) -> None:
        """As if the job's hour had come a few minutes ago."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 300))
        self.hub.aws.client("dynamodb").update_item(
            TableName=self.hub.outputs["TableName"],
            Key={"pk": {"S": f"CLIENT#{self.client}"}, "sk": {"S": f"JOB#{job}"}},
            UpdateExpression="SET due_at = :due",
            ExpressionAttributeValues={":due": {"S": at}},
        )

    def time_passes(self) -> None:
        """As if so long had passed since the login was refused that it may be tried once more."""
        table, name = self.hub.aws.client("dynamodb"), self.hub.outputs["TableName"]
        key = {"pk": {"S": f"CLIENT#{self.client}"}, "sk": {"S": f"CONNECTION#{self.connection}"}}
        kept = table.get_item(TableName=name, Key=key)["Item"]["health"]["S"]
        table.update_item(
            TableName=name,
            Key=key,
            UpdateExpression="SET health = :earlier",
            ConditionExpression="health = :known",
            ExpressionAttributeValues={
                ":earlier": {"S": json.dumps(json.loads(kept) | {"sign_in_from": "2026-01-01T00:00:00Z"})},
                ":known": {"S": kept},
            },
        )

    def enter_password_again(self) -> None:
        """The wizard at that one step."""
        body = {"connection_id": self.connection, "step": "server"}
        wizard = self.of_client("POST", "/wizards", json=body)["id"]
        shown = self._waiting(wizard)
        assert shown["step"] == "server", shown
        known = next(step["answer"] for step in shown["steps"] if step["id"] == "server")
        answer = known | {"password": self.server["password"]}
        self.of_client("PUT", f"/wizards/{wizard}/steps/server", json=answer)
        shown = self._waiting(wizard)
        assert (shown["step"], shown["problem"]) == ("finish", None), shown
        self.of_client("PUT", f"/wizards/{wizard}/steps/finish", json={})
        assert self._waiting(wizard)["status"] == "finished"


@pytest.fixture(scope="module")
def books(hub: Any) -> OwnLogin:
    """A client with its first import behind it."""
    made = OwnLogin(hub, [COMPANY])
    job = made.first_job()
    assert made.ended(job, made.started_by_itself(job))["status"] == "succeeded"
    return made


@pytest.fixture(scope="module")
def receiver(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Generator[Receiver]:
    """A receiver on loopback, whose authority the deployment is told to trust."""
    running = Receiver(*certificates(tmp_path_factory.mktemp("receiver"), "localhost")).start()
    client, name = hub.aws.client("lambda"), hub.outputs["WebhookDeliveriesFunction"]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    known = {"Variables": variables | {"WEBHOOK_CA_BUNDLE": running.authority}}
    client.update_function_configuration(FunctionName=name, Environment=known)
    yield running
    running.stop()


def register(books: OwnLogin, receiver: Receiver, **values: Any) -> dict[str, Any]:
    """The one webhook of the client: what another would get is not mistaken for its own."""
    for other in books.of_client("GET", "/webhooks")["items"]:
        books.of_client("DELETE", f"/webhooks/{other['id']}")
    return books.of_client("POST", "/webhooks", json={"url": receiver.url("localhost")} | values)


def types(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"] for _, body in receiver.got]


def signed_by(headers: dict[str, str], body: bytes, secret: str) -> bool:
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256")
    return f"v1,{base64.b64encode(mac).decode()}" in headers["webhook-signature"].split()


def test_a_changed_password_stops_everything_is_told_and_the_new_one_makes_up_for_it(
    books: OwnLogin, receiver: Receiver
) -> None:
    webhook = register(books, receiver)
    nightly = books.jobs()["Last 40 days"]
    by_hand = books.job(dataset_ids=["gl_transactions"])
    books.set_password(f"Second-{secrets.token_hex(6)}")
    before = books.refusals()

    schedule = {"run_time": "02:30", "time_zone": "Europe/Oslo"}
    other = books.job(dataset_ids=["accounts"], period={"kind": "days", "days": 3}, schedule=schedule)
    for job in (nightly, other):
        books.make_due(job)
    books.clock_strikes()
    runs = [(job, books.started_by_itself(job)) for job in (nightly, other)]
    # A server that fails over refuses a right login for a moment: both wait, and one of them tries once more.
    assert books.stands("degraded")["status_reason"]["code"] == "credentials_refused"
    books.time_passes()
    ends = [books.ended(job, run) for job, run in runs]
    assert sorted((run["status"], run["problem"]["code"]) for run in ends) == [
        ("failed", "credentials_refused"),
        ("failed", "reauth_required"),
    ]
    books.of_client("DELETE", f"/import-jobs/{other}")
    shown = books.stands("reauth_required")
    assert shown["status_reason"]["code"] == "credentials_refused"

    # Whatever comes now asks the ERP nothing: the schedule starts no run, and one started by hand ends at once.
    books.make_due(nightly)
    books.clock_strikes()
    assert len(books.of_client("GET", f"/import-jobs/{nightly}/runs")["items"]) == 1
    refused = books.ended(by_hand, books.start(by_hand))
    assert refused["problem"]["code"] == "reauth_required"
    assert 2 <= books.refusals() - before <= 3, "a login that is tried too often is locked"

    until(lambda: {"connection.reauth_required", "import.failed"} <= set(types(receiver)) or None)
    assert all(signed_by(headers, body, webhook["secret"]) for headers, body in receiver.got)
    news = books.notified()
    assert (news.count("connection.reauth_required"), news.count("import.failed")) == (1, 1)

    books.enter_password_again()
    books.stands("active")
    makes_up = until(lambda: books.made_up(nightly))
    assert books.ended(nightly, makes_up["id"])["status"] == "succeeded"
    until(lambda: {"connection.healed", "import.finished"} <= set(types(receiver)) or None)
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(ids) == len(set(ids)), "each fact is told once"
    books.of_client("DELETE", f"/webhooks/{webhook['id']}")


def test_a_test_by_hand_tells_what_is_wrong_and_heals_when_it_is_mended(books: OwnLogin) -> None:
    good = books.server["password"]
    books.set_password("something else entirely")
    books.of_client("POST", f"/connections/{books.connection}/test")
    shown = books.stands("reauth_required")
    assert shown["last_test"]["has_passed"] is False
    assert next(one for one in shown["last_test"]["probes"] if one["outcome"] == "failed")["stage"] == "login"
    books.set_password(good)
    books.of_client("POST", f"/connections/{books.connection}/test")
    assert books.stands("active")["last_test"]["has_passed"] is True


def test_a_paused_connection_imports_nothing_until_it_is_resumed(books: OwnLogin) -> None:
    nightly = books.jobs()["Last 40 days"]
    before = len(books.of_client("GET", f"/import-jobs/{nightly}/runs")["items"])
    paused = books.of_client("POST", f"/connections/{books.connection}/pause")
    assert paused["status"] == "paused"
    books.make_due(nightly)
    books.clock_strikes()
    assert len(books.of_client("GET", f"/import-jobs/{nightly}/runs")["items"]) == before
    job = books.job(dataset_ids=["accounts"])
    refused = books.of_client("POST", f"/import-jobs/{job}/runs", expect=(409,))
    assert refused["code"] == "connection_paused"
    assert books.of_client("POST", f"/connections/{books.connection}/resume")["status"] == "active"
    assert books.ended(job, books.start(job))["status"] == "succeeded"


def test_a_receiver_in_trouble_gets_the_message_later_and_again_when_somebody_asks(
    books: OwnLogin, receiver: Receiver
) -> None:
    receiver.got.clear()
    receiver.answers = [500]
    webhook = register(books, receiver, events=["connection.paused"])
    books.of_client("POST", f"/connections/{books.connection}/pause")
    until(lambda: types(receiver) or None)
    path = f"/webhooks/{webhook['id']}/deliveries"

    def attempted() -> dict[str, Any] | None:
        listed = books.of_client("GET", path)["items"]
        return listed[0] if listed and listed[0]["attempts"] else None

    delivery = until(attempted)
    assert (delivery["status"], delivery["attempts"][0]["http_status"]) == ("pending", 500)
    books.of_client("POST", f"{path}/{delivery['id']}/replay")
    books.clock_strikes()

    def delivered() -> dict[str, Any] | None:
        now = books.of_client("GET", path)["items"][0]
        return now if now["status"] == "delivered" else None

    done = until(delivered)
    assert [attempt["http_status"] for attempt in done["attempts"]] == [500, 204]
    assert {headers["webhook-id"] for headers, _ in receiver.got} == {delivery["event_id"]}
    assert all(signed_by(headers, body, webhook["secret"]) for headers, body in receiver.got)
    books.of_client("POST", f"/connections/{books.connection}/resume")
    books.of_client("DELETE", f"/webhooks/{webhook['id']}")


def test_an_address_inside_is_no_receiver(books: OwnLogin) -> None:
    answer = books.hub.call(
        "POST", f"/clients/{books.client}/webhooks", json={"url": "https://169.254.169.254/latest/meta-data"}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "address_not_allowed"


def test_no_signing_secret_is_left_where_anybody_could_read_it(books: OwnLogin, receiver: Receiver) -> None:
    webhook = register(books, receiver)
    books.of_client("POST", f"/connections/{books.connection}/pause")
    books.of_client("POST", f"/connections/{books.connection}/resume")
    until(lambda: "connection.resumed" in types(receiver) or None)
    secret = webhook["secret"].removeprefix("whsec_")
    assert secret not in json.dumps(books.hub.items(), default=str)
    assert not [line for line in books.hub.logs() if secret in line]
    assert books.of_client("GET", f"/webhooks/{webhook['id']}")["secret"] is None
    books.of_client("DELETE", f"/webhooks/{webhook['id']}")
