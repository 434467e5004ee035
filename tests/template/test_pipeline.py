"""The pipeline and the roles that it deploys with: no key, one repository and environment, no more than is needed."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest
import yaml

from local import template
from local.check_aws import actions
from local.check_aws.stack import Stack, deployed
from local.emulator import ROOT

ROLES = template.load(ROOT / "deploy/pipeline.yaml")["Resources"]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/deploy.yaml").read_text())
JOBS = WORKFLOW["jobs"]
SERVICES = {"ApiGateway": "apigateway", "Cognito": "cognito-idp", "StepFunctions": "states", "CloudFormation": ""}
"""Prefixes of actions that are not the service's name in small letters."""
SWITCHED_ON = deployed({"Canary": "true"})


def statements(name: str) -> list[dict[str, Any]]:
    return ROLES[name]["Properties"]["PolicyDocument"]["Statement"]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allowed(*names: str) -> set[str]:
    return {a for n in names for one in statements(n) if one["Effect"] == "Allow" for a in listed(one["Action"])}


def test_every_action_that_the_policies_name_is_one_of_aws() -> None:
    assert actions.exist(Stack(ROLES)) == []


@pytest.mark.parametrize("policy", ["DeployerPolicy", "DeployerPolicyForTheRest", "RolesBoundary"])
def test_every_policy_fits_into_the_6144_characters_of_a_managed_one(policy: str) -> None:
    stack = Stack(ROLES, template.load(ROOT / "deploy/pipeline.yaml"))
    assert len(re.sub(r"\s", "", stack.text(ROLES[policy]["Properties"]["PolicyDocument"]))) <= 6_144


def test_jobs_of_that_repository_and_environment_alone_take_the_role() -> None:
    (trust,) = ROLES["PipelineRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert trust["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": {"Fn::Sub": "repo:${Repository}:environment:${Environment}"},
        }
    }


@pytest.mark.parametrize("kind", sorted({one["Type"] for one in SWITCHED_ON.resources.values()}))
def test_the_deployer_may_make_whatever_the_template_holds(kind: str) -> None:
    service = kind.split("::")[1]
    if kind.startswith("Custom::"):
        service = "Lambda"
    prefix = SERVICES.get(service, service.lower())
    making = [a for a in allowed("DeployerPolicy", "DeployerPolicyForTheRest") if a.startswith(f"{prefix}:")]
    assert [a for a in making if re.search(r":(Create|Put|Publish|POST|Change)", a)], kind


def test_the_deployer_may_do_nothing_whatever_it_likes() -> None:
    for name in ("DeployerPolicy", "DeployerPolicyForTheRest"):
        for one in statements(name):
            if one["Effect"] == "Allow":
                assert not [a for a in listed(one["Action"]) if "*" in a], one["Sid"]
                if one["Resource"] == "*":
                    assert one["Sid"] == "WithoutAName"


def test_roles_are_made_inside_the_boundary_and_passed_to_services_alone() -> None:
    said = {one["Sid"]: one for one in statements("DeployerPolicyForTheRest")}
    inside = said["MakeRolesInsideTheBoundary"]
    assert inside["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": {"Ref": "RolesBoundary"}}}
    widening = {"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"}
    for one in said.values():
        if one["Effect"] == "Allow" and one is not inside:
            assert not widening & set(listed(one["Action"])), one["Sid"]
    assert "iam:DeleteRolePermissionsBoundary" not in allowed("DeployerPolicy", "DeployerPolicyForTheRest")
    assert not [
        a for a in allowed("DeployerPolicyForTheRest") if re.match(r"iam:\w+Policy(Version)?$", a) and "Role" not in a
    ]
    assert set(said["GiveRolesToServices"]["Condition"]) == {"StringEquals"}


def test_the_boundary_holds_all_that_any_role_of_the_template_may_do_and_no_right_over_rights() -> None:
    boundary = allowed("RolesBoundary")
    for where, one in actions.statements(SWITCHED_ON):
        if SWITCHED_ON.resources[where]["Type"] == "AWS::IAM::Role" and one["Effect"] == "Allow":
            for action in listed(one["Action"]):
                # Who may take a role is no right of the role.
                if "Principal" not in one:
                    assert any(fnmatchcase(action, pattern) for pattern in boundary), (where, action)
    assert not [a for a in boundary if a.startswith(("iam:", "organizations:", "cloudformation:")) or a == "*"]


def test_every_role_takes_the_boundary_that_the_deployment_says() -> None:
    chosen = {"Fn::If": ["HasRolesBoundary", {"Ref": "RolesBoundary"}, {"Ref": "AWS::NoValue"}]}
    for name, role in SWITCHED_ON.of_type("AWS::IAM::Role").items():
        assert role.get("PermissionsBoundary") == chosen, name


def commands(job: str) -> str:
    return "\n".join(step["run"] for step in JOBS[job]["steps"] if "run" in step)


def test_the_pipeline_checks_tests_deploys_dev_tries_it_and_then_prod() -> None:
    assert "make check" in commands("check")
    assert "make test" in commands("test")
    assert set(JOBS["dev"]["needs"]) == {"check", "test"}
    assert JOBS["prod"]["needs"] == "dev"
    for environment in ("dev", "prod"):
        job = JOBS[environment]
        assert job["environment"] == environment
        assert job["permissions"]["id-token"] == "write"
        said = commands(environment)
        assert said.index(f"make deploy ENV={environment}") < said.index(f"make smoke ENV={environment}")


def test_no_key_is_kept_and_nothing_of_an_event_is_put_into_a_command() -> None:
    text = (ROOT / ".github/workflows/deploy.yaml").read_text()
    assert "secrets." not in text
    assert "aws-access-key-id" not in text
    for job in JOBS:
        assert "${{" not in commands(job), "values go by the environment, never into the shell's text"
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [event for event in WORKFLOW[True] if event.startswith("pull_request")]


def test_every_target_that_the_pipeline_says_is_one_of_make() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    said = {word for job in JOBS for word in re.findall(r"make ([a-z-]+)", commands(job))}
    assert said <= targets
    assert json.dumps(sorted(said)) == '["check", "deploy", "smoke", "test"]'
