"""What a deployment may switch on: off by default, sound when on, and each template beside the main one is valid."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from local import template
from local.emulator import ROOT, clean_environment

DRAWN = template.load()
FUNCTIONS = template.of_type(DRAWN, "AWS::Serverless::Function")
SWITCHED = {
    "HasDomain": {"ApiDomain", "ApiDomainMapping"},
    "HasDomainZone": {"ApiDomainRecord"},
    "WithFirewall": {"ApiFirewall", "ApiFirewallAssociation"},
}
"""What each condition switches on."""
CALLS_TENANTS = {"WizardTasks", "ImportTasks", "SyncApi", "TransferTasks", "WebhookDeliveries"}


def decide(condition: Any, parameters: dict[str, str]) -> Any:
    """A condition as CloudFormation decides it."""
    if not isinstance(condition, dict):
        return condition
    ((function, argument),) = condition.items()
    match function:
        case "Ref":
            return parameters[argument]
        case "Condition":
            return decide(DRAWN["Conditions"][argument], parameters)
        case "Fn::Not":
            return not decide(argument[0], parameters)
        case "Fn::Equals":
            return str(decide(argument[0], parameters)) == str(decide(argument[1], parameters))
        case _:
            raise AssertionError(f"teach this test {function}")


def defaults() -> dict[str, str]:
    return {name: str(one.get("Default", "")) for name, one in DRAWN["Parameters"].items()}


def broken_rules(parameters: dict[str, str]) -> set[str]:
    """What CloudFormation would say of these parameters before it begins."""
    return {
        name
        for name, rule in DRAWN["Rules"].items()
        if decide(rule["RuleCondition"], parameters)
        and not all(decide(one["Assert"], parameters) for one in rule["Assertions"])
    }


@pytest.mark.parametrize("condition", sorted(SWITCHED))
def test_a_deployment_without_parameters_has_none_of_it(condition: str):
    assert not decide(DRAWN["Conditions"][condition], defaults())
    assert {n for n, one in DRAWN["Resources"].items() if one.get("Condition") == condition} == SWITCHED[condition]


@pytest.mark.parametrize(("given", "broken"), [
    ({}, set()),
    ({"ErpSubnets": "subnet-1,subnet-2", "ErpSecurityGroup": "sg-0123456789abcdef0"}, set()),
    ({"ErpSubnets": "subnet-1"}, {"SubnetsHaveASecurityGroup"}),
    ({"ErpSecurityGroup": "sg-0123456789abcdef0"}, {"ASecurityGroupHasSubnets"}),
    ({"EgressAddresses": "203.0.113.7"}, {"FixedAddressesNeedSubnets"}),
    ({"DomainName": "api.example.com"}, {"ADomainHasACertificate"}),
    ({"DomainName": "api.example.com", "DomainCertificate": "arn:aws:acm:…", "DomainZone": "Z1"}, set()),
    ({"DomainZone": "Z1"}, {"AZoneHasADomain"}),
])  # fmt: skip
def test_what_goes_together_is_asked_for_together(given: dict[str, str], broken: set[str]):
    assert broken_rules(defaults() | given) == broken


def test_whatever_calls_a_tenant_s_server_calls_from_the_fixed_addresses():
    """The layer with the drivers is what calls need; webhooks are called without it."""
    with_drivers = {name for name, one in FUNCTIONS.items() if {"Ref": "ErpLayer"} in one["Layers"]}
    assert with_drivers | {"WebhookDeliveries"} == CALLS_TENANTS
    for name, function in FUNCTIONS.items():
        assert ("VpcConfig" in function) == (name in CALLS_TENANTS)
        denied = [
            one for policy in function["Policies"] for one in policy.get("Statement", [])
            if one["Sid"] == "NeverTouchTheNetwork"
        ]  # fmt: skip
        assert bool(denied) == (name in CALLS_TENANTS), name


def test_the_network_gives_out_what_the_deployment_asks_for():
    network = template.load(ROOT / "deploy/network.yaml")
    assert set(network["Outputs"]) == {"ErpSubnets", "ErpSecurityGroup", "EgressAddresses"} <= set(DRAWN["Parameters"])
    addresses = {name: one for name, one in network["Resources"].items() if one["Type"] == "AWS::EC2::EIP"}
    assert all(one["DeletionPolicy"] == one["UpdateReplacePolicy"] == "Retain" for one in addresses.values())


@pytest.mark.parametrize("path", sorted((ROOT / "deploy").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_template_is_valid(path: Path):
    asked = subprocess.run(
        [str(ROOT / ".venv-sam/bin/cfn-lint"), "--regions", "eu-north-1", "--template", str(path)],
        capture_output=True, text=True, check=False, env=clean_environment(),
    )  # fmt: skip
    assert asked.returncode == 0, asked.stdout + asked.stderr
