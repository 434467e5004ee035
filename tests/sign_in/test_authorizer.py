"""What the gateway asks and is answered, in the forms that AWS documents and the local AWS uses."""

import json
from datetime import timedelta
from typing import Any

import pytest

from erphub.api_keys.credentials.models import Credential, KeySecret, digest_of, new_key
from erphub.platform.http.caller_context import from_context
from erphub.platform.ids import new_id
from erphub.sign_in.authorizer import bearer
from local.emulator import ROOT
from tests.sign_in.conftest import NOW, SUB, Door, id_claims, signed

EVENT: dict[str, Any] = json.loads((ROOT / "events/sign_in/authorizer.json").read_text())
MAX_ANSWER = 8_192
"""Bytes that the gateway takes from an authorizer ("Amazon API Gateway quotas")."""


def asking(authorization: str) -> dict[str, Any]:
    headers = EVENT["headers"] | {"Authorization": authorization}
    return EVENT | {"headers": headers, "multiValueHeaders": {name: [value] for name, value in headers.items()}}


def kept(door: Door, **more: Any) -> str:
    """A key that is there."""
    key_id = new_id()
    key = new_key(key_id)
    known = {"networks": (), "expires_at": None, "secrets": (KeySecret(digest_of(key)),)} | more
    door.credentials.kept[key_id] = Credential(key_id, new_id(), "Till", **known)
    return key


def test_whoever_is_let_in_is_let_in_to_the_whole_stage_because_the_answer_is_remembered(door: Door):
    answer = door.authorizer.answer(asking(f"Bearer {signed(id_claims())}"))
    assert answer["principalId"] == SUB
    assert answer["policyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Action": "execute-api:Invoke",
                "Effect": "Allow",
                "Resource": "arn:aws:execute-api:eu-north-1:000000000000:0123456789/dev/*",
            }
        ],
    }
    assert all(isinstance(one, str) for one in answer["context"].values()), "the gateway takes texts alone"


@pytest.mark.parametrize(
    "authorization",
    ["Bearer nothing-of-ours", "Bearer ", "Bearer", "Basic a2FyaTpzZWNyZXQ=", "ehk_", "Bearer ehk_" + "0" * 76],
)
def test_who_is_not_recognised_is_denied_and_nothing_is_raised_that_would_count_as_our_fault(
    door: Door, authorization: str
):
    answer = door.authorizer.answer(asking(authorization))
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], answer["context"], answer["principalId"]) == ("Deny", {}, "nobody")
    assert door.credentials.asked == 0, "what is no key by its form costs no read"


def test_a_program_is_recognised_with_its_client_networks_and_end(door: Door):
    key = kept(door, networks=("192.0.2.0/24", "2001:db8::/32"), expires_at=NOW + timedelta(hours=1))
    answer = door.authorizer.answer(asking(f"Bearer {key}"))
    caller = from_context(answer["context"], "192.0.2.10")
    (credential,) = door.credentials.kept.values()
    assert caller.program
    assert (caller.user, caller.method, caller.valid_until) == (credential.key_id, "api_key", credential.expires_at)
    assert (caller.program.client_id, caller.program.name) == (credential.client_id, "Till")
    assert caller.program.networks == credential.networks
    assert (caller.source, caller.email) == ("192.0.2.10", None)
    door.pass_time(hours=1)
    assert door.ask(key) is None


def test_a_key_that_is_unknown_or_of_another_secret_lets_nobody_in(door: Door):
    key = kept(door)
    (key_id,) = door.credentials.kept
    assert door.ask(key)
    assert door.ask(new_key(key_id)) is None
    assert door.ask(new_key(new_id())) is None


def test_the_longest_answer_is_one_that_the_gateway_takes(door: Door):
    networks = tuple(f"2001:db8:{number:04x}:ffff:ffff:ffff:ffff:ffff/128" for number in range(20))
    key = kept(door, networks=networks, expires_at=NOW + timedelta(days=1))
    answer = door.authorizer.answer(asking(f"Bearer {key}"))
    assert len(json.dumps(answer)) < MAX_ANSWER / 2


def test_a_header_is_found_however_it_is_written_and_two_are_none():
    shown = [
        {"headers": {"authorization": "bearer  abc "}},
        {"headers": None, "multiValueHeaders": {"AUTHORIZATION": ["Bearer abc"]}},
        {"headers": {"Authorization": "Bearer abc"}, "multiValueHeaders": {"Authorization": ["Bearer abc"]}},
    ]
    assert [bearer(one) for one in shown] == ["abc"] * 3
    twice = {"headers": {"Authorization": "Bearer b"}, "multiValueHeaders": {"Authorization": ["Bearer a", "Bearer b"]}}
    assert bearer(twice) is None
    assert bearer({}) is None


def test_no_token_and_no_key_is_in_a_log_line(door: Door, capsys: pytest.CaptureFixture[str]):
    from erphub.platform import logging

    key = kept(door)
    for shown in (key, signed(id_claims())):
        door.ask(shown)
        logging.logger().warning("odd", extra={"said": f"Bearer {shown}"})
        assert shown not in capsys.readouterr().out
