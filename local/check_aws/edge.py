"""What stands before the API: its own domain name, and the firewall."""

import json
from collections.abc import Iterator
from typing import Any, cast

from . import limits
from .stack import Json, Stack

OLD_TLS = "TLS_1_0"


def domains(stack: Stack) -> list[str]:
    """A regional domain name has a regional certificate, and speaks TLS 1.2 at least."""
    found: list[str] = []
    for name, domain in stack.of_type("AWS::ApiGateway::DomainName").items():
        types = cast(Json, domain.get("EndpointConfiguration", {})).get("Types", ["EDGE"])
        if ("RegionalCertificateArn" in domain) != ("REGIONAL" in types):
            found.append(f"{name}: a certificate of another kind of endpoint; REGIONAL takes RegionalCertificateArn")
        if domain.get("SecurityPolicy", OLD_TLS) == OLD_TLS:
            found.append(f"{name}: takes TLS 1.0; SecurityPolicy says what is the least")
    return found


def mappings(stack: Stack) -> list[str]:
    """A domain leads to a stage of this template by reference: by name alone it may be made before the stage is."""
    stages = stack.of_type("AWS::ApiGateway::Stage")
    return [
        f"{name}: leads to a stage by name, which may not be there yet; refer to the stage"
        for name, mapping in stack.of_type("AWS::ApiGateway::BasePathMapping").items()
        if cast(Json, mapping.get("Stage") or {}).get("Ref") not in stages
    ]


def firewalls(stack: Stack) -> list[str]:
    """Every rule says one thing to do, has its own place and figures, and all fit into the basic capacity."""
    found: list[str] = []
    for name, firewall in stack.of_type("AWS::WAFv2::WebACL").items():
        if firewall.get("Scope") != "REGIONAL":
            found.append(f"{name}: a stage takes a web ACL of scope REGIONAL only")
        rules = cast(list[Json], firewall.get("Rules", []))
        for rule in rules:
            found += [f"{name}: {rule['Name']}: {said}" for said in _rule(stack, rule)]
        if len({rule["Priority"] for rule in rules}) < len(rules):
            found.append(f"{name}: two rules have the same priority")
        if (units := sum(_units(rule) for rule in rules)) > limits.FIREWALL_UNITS:
            found.append(f"{name}: {units} capacity units; {limits.FIREWALL_UNITS} is the limit")
    return found


def _rule(stack: Stack, rule: Json) -> Iterator[str]:
    statement = cast(Json, rule["Statement"])
    managed = cast(Json, statement.get("ManagedRuleGroupStatement", {}))
    if ("OverrideAction" in rule, "Action" in rule) != (bool(managed), not managed):
        yield "a group of rules takes OverrideAction, any other rule Action"
    if "VisibilityConfig" not in rule:
        yield "has no VisibilityConfig"
    if managed and managed["Name"] not in limits.MANAGED_UNITS:
        yield f"there is no group {managed['Name']}"
    if rated := cast(Json, statement.get("RateBasedStatement", {})):
        low, high = limits.RATES
        if not all(low <= value <= high for value in _values(stack, rated["Limit"])):
            yield f"allows fewer than {low} or more than {high} requests"
        if rated.get("EvaluationWindowSec", 300) not in limits.RATE_SECONDS:
            yield f"counts over {rated['EvaluationWindowSec']} s; one of {limits.RATE_SECONDS} is possible"


def _values(stack: Stack, value: Any) -> list[int]:
    """The least and the most that a number of the template may be."""
    if not isinstance(value, dict):
        return [int(value)]
    parameter = cast(Json, stack.written["Parameters"][cast(Json, value)["Ref"]])
    return [int(parameter.get(bound, beyond)) for bound, beyond in (("MinValue", 0), ("MaxValue", limits.RATES[1] + 1))]


def _units(rule: Json) -> int:
    statement = cast(Json, rule["Statement"])
    managed = cast(Json, statement.get("ManagedRuleGroupStatement", {}))
    return limits.MANAGED_UNITS.get(managed["Name"], 0) if managed else limits.RATE_RULE_UNITS


def associations(stack: Stack) -> list[str]:
    """A firewall is put before a stage of this template, made before it is."""
    stages = stack.of_type("AWS::ApiGateway::Stage")
    found: list[str] = []
    for name, one in stack.of_type("AWS::WAFv2::WebACLAssociation").items():
        arn = json.dumps(one["ResourceArn"])
        if "::/restapis/" not in arn or not any(f"/stages/${{{stage}}}" in arn for stage in stages):
            found.append(
                f"{name}: is not put before a stage of this template (arn:…:apigateway:…::/restapis/…/stages/…)"
            )
    return found
