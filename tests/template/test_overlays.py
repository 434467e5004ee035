"""What a deployment may switch on: off by default, sound when on, and each template beside the main one is valid."""

import copy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local import template
from local.check_aws.stack import deployed, transform
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
    ({"SqlServerReader": "msodbcsql18"}, {"MicrosoftsReaderHasItsDriver"}),
    ({"SqlServerReader": "msodbcsql18", "MicrosoftDriver": "licence-accepted"}, set()),
    ({"MicrosoftDriver": "licence-accepted"}, set()),
])  # fmt: skip
def test_what_goes_together_is_asked_for_together(given: dict[str, str], broken: set[str]):
    assert broken_rules(defaults() | given) == broken


def test_whatever_calls_a_tenant_s_server_calls_from_the_fixed_addresses():
    """The layer with the drivers is what calls need; webhooks are called without it, and ConnectionsApi only seals."""
    with_drivers = {name for name, one in FUNCTIONS.items() if {"Ref": "ErpLayer"} in one["Layers"]}
    assert with_drivers - {"ConnectionsApi"} | {"WebhookDeliveries"} == CALLS_TENANTS
    for name, function in FUNCTIONS.items():
        assert ("VpcConfig" in function) == (name in CALLS_TENANTS)
        denied = [
            one for policy in function["Policies"] for one in policy.get("Statement", [])
            if one["Sid"] == "NeverTouchTheNetwork"
        ]  # fmt: skip
        assert bool(denied) == (name in CALLS_TENANTS), name


def transformed(**given: str) -> dict[str, dict[str, Any]]:
    return dict(deployed(given).resources)


def test_a_canary_is_taken_back_by_the_alarms_of_its_own_function():
    made = transformed(Canary="true")
    groups = {
        name: one["Properties"] for name, one in made.items() if one["Type"] == "AWS::CodeDeploy::DeploymentGroup"
    }
    assert {name.removesuffix("DeploymentGroup") for name in groups} == set(FUNCTIONS) - {"FirstAdmin"}
    for name, group in groups.items():
        watched = [alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]]
        assert f"{name.removesuffix('DeploymentGroup')}Errors" in watched
        assert all(made[alarm]["Type"] == "AWS::CloudWatch::Alarm" for alarm in watched)
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert not [one for one in transformed().values() if one["Type"].startswith("AWS::CodeDeploy::")]


def versions(written: dict[str, Any]) -> set[str]:
    return {name for name, one in transform(written)["Resources"].items() if one["Type"] == "AWS::Lambda::Version"}


@pytest.mark.parametrize("layer", sorted(template.of_type(DRAWN, "AWS::Serverless::LayerVersion")))
def test_a_layer_that_changed_is_a_new_version_of_whatever_has_it_and_of_nothing_else(layer: str):
    """All code lies in layers: without this the alias would go on leading to the code of the deployment before."""
    changed = copy.deepcopy(DRAWN)
    changed["Resources"][layer]["Properties"]["Description"] += " changed"
    having = {name for name, one in FUNCTIONS.items() if {"Ref": layer} in one["Layers"]}
    replaced = {name.partition("Version")[0] for name in versions(DRAWN) - versions(changed)}
    assert replaced == having


def test_only_functions_that_answer_callers_start_from_snapshots():
    assert {name for name, one in FUNCTIONS.items() if "SnapStart" in one} == {
        "ConnectionsApi", "ImportsApi", "LakeRows", "SyncApi"
    }  # fmt: skip


def test_the_network_gives_out_what_the_deployment_asks_for():
    network = template.load(ROOT / "deploy/network.yaml")
    assert set(network["Outputs"]) == {"ErpSubnets", "ErpSecurityGroup", "EgressAddresses"} <= set(DRAWN["Parameters"])
    addresses = {name: one for name, one in network["Resources"].items() if one["Type"] == "AWS::EC2::EIP"}
    assert all(one["DeletionPolicy"] == one["UpdateReplacePolicy"] == "Retain" for one in addresses.values())


def lint(path: Path, **given: str) -> None:
    command = [str(ROOT / ".venv-sam/bin/cfn-lint"), "--regions", "eu-north-1", "--template", str(path)]
    chosen = ["--parameters", *(f"{name}={value}" for name, value in given.items())] if given else []
    asked = subprocess.run(
        [*command, *chosen], capture_output=True, text=True, check=False, env=clean_environment(), cwd=ROOT
    )
    assert asked.returncode == 0, asked.stdout + asked.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "deploy").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_template_is_valid(path: Path):
    lint(path)


def test_the_template_is_valid_with_everything_switched_on(tmp_path: Path):
    """The translator decides by the parameter's default, so that is what is changed."""
    written = (ROOT / "template.yaml").read_text()
    for name in ("Canary", "SnapStart", "Firewall"):
        switch = f'  {name}:\n    Type: String\n    Default: "false"\n'
        assert switch in written
        written = written.replace(switch, switch.replace("false", "true"))
    path = tmp_path / "template.yaml"
    path.write_text(written)
    for folder in ("layers", "functions", "statemachines", "api.json"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    lint(path)
