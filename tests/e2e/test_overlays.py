"""The domain name and the firewall, deployed as the template draws them where the local AWS knows their types."""

import json
from typing import Any

from local import template
from local.account.kept import template_of
from local.emulator import Aws
from tests.e2e.test_rehearsal import aws as aws

WRITTEN = template.load()
PARAMETERS = {
    "Stage": "test", "AdminEmail": "admin@example.com", "Firewall": "true", "DomainName": "api.example.com",
    "DomainCertificate": "arn:aws:acm:eu-north-1:123456789012:certificate/1",
}  # fmt: skip


def test_a_domain_and_a_firewall_are_deployed_with_their_parameters(aws: Aws):
    drawn = template_of(WRITTEN, {"ApiDomain", "ApiFirewall"})
    given: Any = [{"ParameterKey": k, "ParameterValue": v} for k, v in PARAMETERS.items() if k in drawn["Parameters"]]
    client = aws.client("cloudformation")
    client.create_stack(StackName="edge", TemplateBody=json.dumps(drawn), Parameters=given)
    client.get_waiter("stack_create_complete").wait(StackName="edge", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    domain = aws.client("apigateway").get_domain_name(domainName="api.example.com")
    assert domain.get("domainName") == "api.example.com"
    firewalls: Any = aws.client("wafv2")  # pyright: ignore[reportArgumentType, reportCallIssue]
    (acl,) = firewalls.list_web_acls(Scope="REGIONAL")["WebACLs"]
    rules = firewalls.get_web_acl(Name=acl["Name"], Id=acl["Id"], Scope="REGIONAL")["WebACL"]["Rules"]
    assert [rule["Priority"] for rule in rules] == [0, 1, 2, 3]
