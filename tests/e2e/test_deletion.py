"""Deleting a connection on the deployed hub: shown, unusable at once, brought back, and gone from every store."""

import json
from typing import Any

import pytest

from tests.e2e.waiting import until
from tests.e2e.wizard import WizardUser


class Deleter(WizardUser):
    """A user who deletes connections, and an operator who looks into every store afterwards."""

    def ended(self, connection: str) -> None:
        """Wait until the connection's imports have come to their end."""

        def all_ended() -> bool | None:
            jobs = [
                job
                for job in self.call("GET", "/import-jobs?limit=200").json()["items"]
                if job["connection_id"] == connection
            ]
            runs = [run for job in jobs for run in self.call("GET", f"/import-jobs/{job['id']}/runs").json()["items"]]
            return (bool(runs) and all(run["finished_at"] for run in runs)) or None

        until(all_ended)

    def connected(self, name: str, company: str) -> str:
        connection = self.connect(name, [company])
        self.ended(connection)
        return connection

    def rows(self, connection: str) -> list[Any]:
        answer = self.call("GET", f"/datasets/accounts/rows?connection_id={connection}")
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    def preview(self, connection: str) -> dict[str, Any]:
        answer = self.call("POST", f"/connections/{connection}/deletion-preview")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def delete(self, connection: str, token: str) -> Any:
        return self.call("DELETE", f"/connections/{connection}", params={"plan_token": token})

    def gone(self, connection: str) -> None:
        until(lambda: self.call("GET", f"/connections/{connection}").status_code == 404 or None)

    def traces(self, word: str) -> list[str]:
        """Where the word still is: in both tables, in every version of every object, among the secrets."""
        aws, outputs = self.hub.aws, self.hub.outputs
        found: list[str] = []
        for table in (outputs["TableName"], outputs["ExportLogTable"]):
            for page in aws.client("dynamodb").get_paginator("scan").paginate(TableName=table):
                for item in page["Items"]:
                    if word in json.dumps(item, default=str):
                        found.append(f"{item['pk']['S']} {item['sk']['S']}")
        s3, bucket = aws.client("s3"), outputs["LakeBucket"]
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                data = s3.get_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])["Body"].read()
                if word in one["Key"] or word.encode() in data:
                    found.append(f"s3 {one['Key']} {one['VersionId']}")
        for page in aws.client("secretsmanager").get_paginator("list_secrets").paginate():
            found += [f"secret {one['Name']}" for one in page["SecretList"] if word in one["Name"]]
        return found

    def running(self, word: str) -> list[str]:
        """Executions that go on and were given the word."""
        client = self.hub.aws.client("stepfunctions")
        found: list[str] = []
        for machine in ("Connect", "Import", "Delete", "Transfer"):
            arn = self.hub.outputs[f"{machine}MachineArn"]
            listed = client.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
            arns = [one["executionArn"] for one in listed]
            found += [arn for arn in arns if word in client.describe_execution(executionArn=arn).get("input", "")]
        return found


@pytest.fixture
def user(hub) -> Deleter:
    return Deleter.of_a_new_customer(hub)


def free_companies(user: Deleter) -> list[str]:
    """Companies that no connection of the customer has."""
    user.start()
    user.answer("server", user.server)
    found = user.call("GET", f"{user.path}/companies?limit=200").json()["items"]
    user.call("DELETE", user.path)
    return [one["key"] for one in found if not one["unavailable_reason"] and not one["connected_elsewhere"]]


def test_a_connection_is_shown_deleted_brought_back_deleted_again_and_gone(user: Deleter):
    mine, other = user.connected("Goes", "F0001"), user.connected("Stays", "F0002")
    assert not {"F0001", "F0002"} & set(free_companies(user))
    others = user.rows(other)
    assert user.rows(mine)
    assert others

    plan = user.preview(mine)
    shown = {view["kind"]: view for view in plan["deleted"]}
    assert shown["companies"]["count"] == shown["licences"]["count"] == 1
    assert shown["import_jobs"]["count"] == 3
    assert shown["lake_tables"]["details"]["size_bytes"] > 0
    assert user.delete(mine, "never-made").status_code == 410
    assert user.call("DELETE", f"/connections/{mine}").status_code == 422

    job = next(
        job["id"] for job in user.call("GET", "/import-jobs?limit=200").json()["items"] if job["connection_id"] == mine
    )
    renamed = user.call("PATCH", f"/connections/{mine}", json={"name": user.unused("Goes soon")})
    assert renamed.status_code == 200, renamed.text
    stale = user.delete(mine, plan["plan_token"])
    assert (stale.status_code, stale.json()["code"]) == (409, "plan_changed")
    assert stale.json()["difference"][0]["kind"] == "connection"

    deleted = user.delete(mine, user.preview(mine)["plan_token"])
    assert deleted.status_code == 202, deleted.text
    assert user.call("GET", f"/connections/{mine}").json()["status"] == "deleting"
    assert user.rows(mine) == [], "nobody sees its rows any more"
    for refused in (
        user.call("POST", f"/import-jobs/{job}/runs"),
        user.call("POST", f"/connections/{mine}/test"),
        user.call("POST", f"/connections/{mine}/deletion-preview"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "connection_deleting"), refused.text

    restored = user.call("POST", f"/connections/{mine}/restore")
    assert restored.status_code == 200, restored.text
    assert restored.json()["status"] == "paused"
    assert user.rows(mine)
    assert user.call("POST", f"/connections/{mine}/resume").json()["status"] == "active"
    user.ended(mine)

    assert user.delete(mine, user.preview(mine)["plan_token"]).status_code == 202
    user.gone(mine)
    for word in (mine, user.unused("Goes soon")):
        assert [trace for trace in user.traces(word) if "#AUDIT#" not in trace] == []
    assert user.rows(other) == others
    assert user.running(mine) == []
    trail = user.call("GET", f"/connections/{mine}/audit").json()["items"]
    actions = [entry["action"] for entry in trail]
    assert actions[0] == "connection.removed"
    assert actions.count("connection.deleted") == 2
    assert "connection.restored" in actions
    assert "F0001" in free_companies(user), "its company can be connected again"
    assert user.delete(other, user.preview(other)["plan_token"]).status_code == 202
