"""The wizard on the deployed hub: the whole dialogue over the wire, two people at once, and every way it ends."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.e2e.wizard import WizardUser


@pytest.fixture
def user(hub):
    return WizardUser.of_a_new_customer(hub)


def failed(wizard):
    return next(probe for probe in wizard["probes"] if probe["outcome"] == "failed")


def test_an_erp_is_connected_from_a_wrong_password_to_the_first_import(user, eventually):
    user.start()
    wrong = user.answer("server", user.server | {"password": "not-the-password"})
    assert (wrong["status"], wrong["step"]) == ("waiting", "server")
    assert (failed(wrong)["stage"], failed(wrong)["code"]) == ("login", "credentials_refused")
    assert [probe["outcome"] for probe in wrong["probes"]][-3:] == ["skipped"] * 3

    right = user.answer("server", user.server)
    assert (right["step"], right["problem"]) == ("companies", None)
    assert [probe["stage"] for probe in right["probes"]] == [
        "dns", "tcp", "tls", "login", "databases", "permissions", "read",
    ]  # fmt: skip
    assert next(probe for probe in right["probes"] if probe["stage"] == "tls")["outcome"] == "warning"

    found = user.call("GET", f"{user.path}/companies?limit=200").json()["items"]
    closed = {company["key"]: company["unavailable_reason"] for company in found if company["unavailable_reason"]}
    assert closed
    searched = user.call("GET", f"{user.path}/companies?search={found[0]['name'][:4].upper()}").json()["items"]
    assert found[0]["key"] in [company["key"] for company in searched]

    refused = user.put("companies", {"companies": [next(iter(closed))]})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "company_not_accessible")
    opened = [company["key"] for company in found if not company["unavailable_reason"]]
    assert user.answer("companies", {"companies": opened[:1]})["step"] == "name"
    assert user.answer("name", {"name": user.unused("From wrong to right")})["step"] == "vouchers"
    bad_path = user.put("vouchers", {"voucher_provider": "visma-document-center", "document_center_path": "no path"})
    assert bad_path.status_code == 422
    path = "\\\\files01\\DocumentCenter"
    user.answer("vouchers", {"voucher_provider": "visma-document-center", "document_center_path": path})
    done = user.answer("finish", {})
    assert done["status"] == "finished"

    connection = user.call("GET", f"/connections/{done['connection_id']}").json()
    assert connection["voucher"] == {"provider": "visma-document-center", "path": path}
    jobs = user.call("GET", "/import-jobs?limit=200").json()["items"]
    mine = [job for job in jobs if job["connection_id"] == done["connection_id"]]
    assert len(mine) == 3

    def first_import():
        for job in mine:
            for run in user.call("GET", f"/import-jobs/{job['id']}/runs").json()["items"]:
                if run["status"] not in {"queued", "running"}:
                    return run
        return None

    assert eventually(first_import)["status"] == "succeeded"


def test_a_verified_connection_needs_the_right_authority(user):
    user.start()
    server = user.server | {"server": f"localhost,{user.stand_in['port']}", "encryption": "verify"}
    unknown = user.answer("server", server)
    assert (failed(unknown)["stage"], failed(unknown)["code"]) == ("tls", "tls_untrusted_certificate")
    known = user.answer("server", server | {"ca_certificate": user.stand_in["authority"]})
    assert known["step"] == "companies", known["probes"]
    user.call("DELETE", user.path)


def test_a_windows_login_works_and_one_without_a_password_is_refused_with_the_reason(user):
    user.start()
    windows = user.server | {"authentication": "windows", "login": user.stand_in["windows_login"]}
    empty = user.put("server", windows | {"login": "", "password": ""})
    assert empty.status_code == 422
    assert "cloud" in next(error["detail"] for error in empty.json()["errors"] if error["pointer"] == "/login")
    answered = user.answer("server", windows | {"password": user.stand_in["windows_password"]})
    assert answered["step"] == "companies", answered["problem"]
    user.call("DELETE", user.path)


def test_addresses_inside_are_refused_unless_the_deployment_allows_them(user):
    user.start()
    for server in ("169.254.169.254", "[fd00:ec2::254]:1433"):
        after = user.answer("server", user.server | {"server": server})
        assert (failed(after)["stage"], failed(after)["code"]) == ("tcp", "server_unreachable"), server
    user.call("DELETE", user.path)


def test_of_two_answers_at_once_one_wins_and_the_other_is_told(user):
    user.start()
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: user.put("server", user.server), range(2)))
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert user.settled()["step"] == "companies"
    user.call("DELETE", user.path)


def test_a_later_step_and_an_old_page_are_refused(user):
    user.start()
    version = user.get()["version"]
    later = user.put("name", {"name": "Too early"})
    assert (later.status_code, later.json()["code"]) == (409, "step_not_open")
    user.answer("server", user.server)
    old = user.put("companies", {"companies": "all", "version": version})
    assert (old.status_code, old.json()["code"]) == (409, "version_conflict")
    user.call("DELETE", user.path)


def test_an_earlier_step_is_opened_again_and_what_hangs_on_it_is_asked_again(user):
    user.start()
    user.answer("server", user.server)
    user.answer("companies", {"companies": "all"})
    user.answer("name", {"name": user.unused("Opened again")})
    again = user.answer("server", user.server | {"is_shared": True})
    assert again["step"] == "companies"
    assert {step["id"]: step["status"] for step in again["steps"]}["name"] == "done"
    assert user.answer("companies", {"companies": ["F0001"]})["step"] == "vouchers"
    user.call("DELETE", user.path)


def test_cancelling_forgets_the_password_at_once(user, hub):
    user.start()
    user.answer("server", user.server)
    assert user.secret() is not None
    assert user.call("DELETE", user.path).status_code == 204
    assert user.secret() is None
    assert user.get()["status"] == "cancelled"
    late = user.put("companies", {"companies": "all"})
    assert (late.status_code, late.json()["code"]) == (410, "wizard_cancelled")


def test_a_machine_that_is_ended_from_outside_ends_its_wizard_and_forgets_the_password(user, hub, eventually):
    user.start()
    user.answer("server", user.server)
    arn = hub.outputs["ConnectMachineArn"].replace(":stateMachine:", ":execution:") + f":{user.id}"
    hub.aws.client("stepfunctions").stop_execution(executionArn=arn, cause="an operator")
    after = eventually(lambda: wizard if (wizard := user.get())["status"] == "failed" else None)
    assert after["problem"]["code"] == "wizard_failed"
    assert user.secret() is None
    assert user.put("companies", {"companies": "all"}).status_code == 410


@pytest.fixture
def short_machine(hub):
    """The deployed machine's twin that waits two seconds for an answer instead of a day."""
    client = hub.aws.client("stepfunctions")
    deployed = client.describe_state_machine(stateMachineArn=hub.outputs["ConnectMachineArn"])
    definition = json.loads(deployed["definition"])
    assert definition["States"]["AskStep"]["TimeoutSeconds"] == 86400
    definition["States"]["AskStep"]["TimeoutSeconds"] = 2
    twin = client.create_state_machine(
        name="connect-in-a-hurry", definition=json.dumps(definition), roleArn=deployed["roleArn"]
    )["stateMachineArn"]
    yield twin
    client.delete_state_machine(stateMachineArn=twin)


def test_an_abandoned_wizard_expires_its_password_with_it_and_a_late_token_opens_nothing(
    user, hub, short_machine, eventually
):
    user.start()
    user.answer("server", user.server)
    machines, table = hub.aws.client("stepfunctions"), hub.aws.client("dynamodb")
    # The wizard moves over to the machine in a hurry: as if a day had nearly passed.
    working = {":working": {"S": "working"}}
    table.update_item(
        TableName=hub.outputs["TableName"], Key=user.key(), UpdateExpression="SET #status = :working",
        ExpressionAttributeNames={"#status": "status"}, ExpressionAttributeValues=working,
    )  # fmt: skip
    machines.start_execution(
        stateMachineArn=short_machine, name=user.id,
        input=json.dumps({"client_id": user.client, "wizard_id": user.id}),
    )  # fmt: skip
    assert user.settled()["status"] == "waiting"
    token = user.item("TOKEN")["token"]["S"]
    assert user.secret() is not None

    eventually(lambda: True if user.get()["status"] == "expired" else None)
    eventually(lambda: True if user.secret() is None else None)
    with pytest.raises(ClientError, match=r"TaskTimedOut|TaskDoesNotExist|InvalidToken"):
        machines.send_task_success(taskToken=token, output="{}")
    late = user.put("companies", {"companies": "all"})
    assert (late.status_code, late.json()["code"]) == (410, "wizard_expired")
    assert user.call("GET", f"{user.path}/companies").status_code == 410
    left = [item["sk"]["S"] for item in hub.items() if item["sk"]["S"].startswith(f"WIZARD#{user.id}")]
    assert left == [f"WIZARD#{user.id}"]


def test_an_answer_whose_machine_has_gone_keeps_no_password(user, hub, eventually):
    """The token expired, and the news of it has not arrived: the answer itself finds out."""
    user.start()
    table = hub.aws.client("dynamodb")
    table.update_item(
        TableName=hub.outputs["TableName"], Key=user.key("TOKEN"), UpdateExpression="SET #token = :gone",
        ExpressionAttributeNames={"#token": "token"}, ExpressionAttributeValues={":gone": {"S": "expired"}},
    )  # fmt: skip
    arn = hub.outputs["ConnectMachineArn"].replace(":stateMachine:", ":execution:") + f":{user.id}"
    hub.aws.client("stepfunctions").stop_execution(executionArn=arn, cause="timed out")
    answered = user.put("server", user.server)
    assert answered.status_code == 410
    assert user.secret() is None


def test_a_name_is_taken_once(user):
    connection = user.connect("Taken once", ["F0001"])
    name = user.call("GET", f"/connections/{connection}").json()["name"]
    user.start()
    user.answer("server", user.server)
    user.answer("companies", {"companies": ["F0002"]})
    answer = user.put("name", {"name": name.upper()})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    user.call("DELETE", user.path)


def test_a_connection_is_tested_again_and_heals_when_the_server_is_back(user, hub, eventually):
    import httpx

    connection = f"/connections/{user.connect('Tested again', ['F0001'])}"
    admin = user.stand_in["admin_url"]

    def tested(status):
        """The connection once a test has ended and what it showed has been made of it, one after the other."""
        started = user.call("POST", f"{connection}/test")
        assert started.status_code == 202

        def ended():
            one = user.call("GET", connection).json()
            return one if one["last_test"]["finished_at"] and one["status"] == status else None

        return eventually(ended)

    # The first import may still be reading there.
    offline = {"name": "F0001", "state": "OFFLINE"}
    eventually(lambda: httpx.post(f"{admin}/databases/state", json=offline).is_success or None)
    try:
        assert tested("degraded")["last_test"]["has_passed"] is False
    finally:
        online = {"name": "F0001", "state": "ONLINE"}
        eventually(lambda: httpx.post(f"{admin}/databases/state", json=online).is_success or None)
    assert tested("active")["last_test"]["has_passed"] is True


def wizards(hub):
    """All that is kept of wizards; imports of other tests may be running meanwhile."""
    return [item for item in hub.items() if item["sk"]["S"].startswith("WIZARD")]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"erp_system": "no-such-erp"}, 422, "invalid_request"),
        ({"erp_system": ["visma-business"]}, 422, "invalid_request"),
        ({"erp_system": "visma-business", "more": 1}, 422, "invalid_request"),
    ],
)
def test_a_wizard_for_nothing_is_not_started(user, hub, body, status, code):
    before = wizards(hub)
    answer = user.call("POST", "/wizards", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert wizards(hub) == before


def test_a_body_of_nine_megabytes_is_refused_over_the_wire(user, hub):
    before = wizards(hub)
    answer = user.call("POST", "/wizards", content=json.dumps({"erp_system": "x" * 9_000_000}))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert wizards(hub) == before


def test_a_request_sent_twice_with_its_key_starts_one_wizard(user):
    headers = {"Idempotency-Key": f"one-wizard-please-{uuid4()}"}
    first, again = (
        user.call("POST", "/wizards", json={"erp_system": "sqlserver-generic"}, headers=headers) for _ in range(2)
    )
    assert (first.status_code, first.json()["id"]) == (201, again.json()["id"])
    user.call("DELETE", f"/wizards/{first.json()['id']}")
