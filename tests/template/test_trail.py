"""What was done to a connection can be added to and read; no function is allowed to change or remove it."""

from fnmatch import fnmatchcase
from typing import Any

import pytest

from erphub.aws import keys
from local import template

WRITES = {"dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}
TENANTS = ["Tenants", "Arn"]
FUNCTIONS = template.of_type(template.load(), "AWS::Serverless::Function")


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
        for name, properties in FUNCTIONS.items()
        if any(
            one["Effect"] == "Allow" and about_tenants(one) and actions(one) & WRITES for one in statements(properties)
        )
    )


def test_there_are_functions_that_write():
    assert "ConnectionsApi" in writers()


@pytest.mark.parametrize("name", writers())
def test_no_function_can_rewrite_the_trail(name: str):
    denied = [one for one in statements(FUNCTIONS[name]) if one["Effect"] == "Deny" and about_tenants(one)]
    assert any(actions(one) >= WRITES for one in denied)
    patterns = [
        pattern for one in denied for pattern in one["Condition"]["ForAnyValue:StringLike"]["dynamodb:LeadingKeys"]
    ]
    assert any(fnmatchcase(keys.audit("C", "X", "E")["pk"], pattern) for pattern in patterns)
    assert not any(fnmatchcase(keys.connection("C", "X")["pk"], pattern) for pattern in patterns)
