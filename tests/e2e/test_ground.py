"""The deployed hub stands: sign-in, addresses, and a second hub beside it that shares nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local.emulator import Aws, Credentials
from local.stack import Stack


def test_the_gateway_refuses_a_caller_without_a_token(hub):
    answer = hub.call("GET", "/me", user=None)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_gateway_refuses_a_token_of_somebody_else(hub):
    token = hub.user("administrator")["id_token"]
    forged = token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB")
    assert hub.call("GET", "/me", token=forged).status_code == 401


def test_the_gateway_refuses_a_token_that_has_expired(hub):
    now = datetime.now(UTC)
    assert hub.call("GET", "/me", token=hub.token_signed_at("viewer", now)).status_code == 200
    answer = hub.call("GET", "/me", token=hub.token_signed_at("viewer", now - timedelta(days=2)))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_an_address_nobody_serves_is_not_found(hub):
    answer = hub.call("GET", "/no/such/place")
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


def test_everybody_in_stack_json_can_sign_in(hub):
    for user in hub.described["users"]:
        assert hub.call("GET", "/me", token=user["id_token"]).status_code == 200, user["name"]


def test_two_hubs_stand_side_by_side_and_keep_their_data_over_a_restart(hub, tmp_path: Path):
    second = Stack(tmp_path / "second")
    try:
        described = second.up(content=("--demo", "200"))
        assert described["aws_endpoint"] != hub.described["aws_endpoint"]
        table = described["outputs"]["TableName"]
        item = {"pk": {"S": "TEST#kept"}, "sk": {"S": "TEST"}}
        second.aws().client("dynamodb").put_item(TableName=table, Item=item)
        assert item not in hub.items()

        second.down()
        again = second.up()
        assert again["api_url"] == described["api_url"]
        found = second.aws().client("dynamodb").get_item(TableName=table, Key=item, ConsistentRead=True)
        assert found.get("Item") == item
        before = {user["name"]: user["password"] for user in described["users"]}
        assert {user["name"]: user["password"] for user in again["users"]} == before
    finally:
        second.destroy()
    assert not second.directory.exists()


def test_the_local_aws_checks_signatures_and_policies(hub):
    endpoint, good = hub.aws.endpoint, hub.aws.credentials
    table = hub.outputs["TableName"]
    forged = Aws(endpoint, Credentials(good.access_key, "not the secret"))
    with pytest.raises(ClientError, match=r"(?i)signature"):
        forged.client("dynamodb").describe_table(TableName=table)

    iam = hub.aws.client("iam")
    iam.create_user(UserName="nobody")
    try:
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        nobody = Aws(endpoint, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
        with pytest.raises(ClientError, match=r"(?i)not authorized"):
            nobody.client("dynamodb").describe_table(TableName=table)
        iam.delete_access_key(UserName="nobody", AccessKeyId=key["AccessKeyId"])
    finally:
        iam.delete_user(UserName="nobody")
