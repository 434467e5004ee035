"""What was done to a connection can be added to and read; no function and no machine may change or remove it."""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from erphub.audit.dynamodb import audit_key
from erphub.connections.dynamodb import connection_key
from local import template

WRITES = {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
TENANTS = ["Tenants", "Arn"]
DRAWN = template.load()
ROLES = {
    name: properties
    for kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
    for name, properties in template.of_type(DRAWN, kind).items()
}


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for policy in properties.get("Policies", []) for one in policy.get("Statement", [])]


def about_tenants(statement: dict[str, Any]) -> bool:
    return f"'Fn::GetAtt': {TENANTS}" in str(statement["Resource"])


def actions(statement: dict[str, Any]) -> set[str]:
    given = statement["Action"]
    return {given} if isinstance(given, str) else set(given)


def writers() -> list[str]:
    return sorted(
        name
        for name, properties in ROLES.items()
        if any(
            one["Effect"] == "Allow" and about_tenants(one) and actions(one) & WRITES for one in statements(properties)
        )
    )


def test_every_capability_has_roles_that_write():
    assert {"ConnectionsApi", "SyncApi", "TransferTasks", "TransferSchedule", "ImportTasks", "ConnectMachine"} <= set(
        writers()
    )


@pytest.mark.parametrize("name", sorted(ROLES))
def test_what_a_role_may_do_with_the_tables_is_written_out(name: str):
    """A policy template may do more than it says, scan all tenants for one, and more than is seen here."""
    named = [policy for policy in ROLES[name].get("Policies", []) if "Statement" not in policy]
    assert not [policy for policy in named if any(word.startswith("DynamoDB") for word in policy)]
    for one in statements(ROLES[name]):
        assert not actions(one) & {"dynamodb:Scan", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"}


@pytest.mark.parametrize("name", writers())
def test_nobody_can_rewrite_the_audit_log(name: str):
    denied = [one for one in statements(ROLES[name]) if one["Effect"] == "Deny" and about_tenants(one)]
    assert any(actions(one) >= WRITES for one in denied)
    patterns = [
        pattern for one in denied for pattern in one["Condition"]["ForAnyValue:StringLike"]["dynamodb:LeadingKeys"]
    ]
    assert any(fnmatchcase(audit_key("C", "X", "E")["pk"], pattern) for pattern in patterns)
    assert not any(fnmatchcase(connection_key("C", "X")["pk"], pattern) for pattern in patterns)
