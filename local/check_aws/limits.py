"""What AWS publishes, and how much of it may be used here: the rest is room for the next change."""

from typing import Final

# "AWS Lambda quotas"
RESOURCE_POLICY: Final = 20_480
"""Bytes of a function's resource policy."""
ENVIRONMENT: Final = 4_096
"""Bytes of a function's environment variables, names and values together."""
LAYERS: Final = 5
SNAPSHOT_STORAGE: Final = 512
"""Megabytes of /tmp that a function may have which starts from snapshots."""
DEPLOYMENT_ALARMS: Final = 10
"""Alarms of a deployment group ("CodeDeploy quotas")."""
UNZIPPED: Final = 250 * 1024 * 1024
"""Bytes of a function with all of its layers, unpacked."""

# "AWS CloudFormation quotas"
RESOURCES: Final = 500
TEMPLATE: Final = 1_000_000
"""Bytes of a template that lies in S3, transformed."""
PARAMETERS: Final = 200
OUTPUTS: Final = 200

RULE_FUNCTIONS: Final = frozenset(
    f"Fn::{name}"
    for name in ("And", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "Not", "Or", "RefAll", "ValueOf")
) | {"Fn::ValueOfAll"}
"""Functions that the section Rules of a template may use."""

# "IAM and AWS STS quotas"
INLINE_POLICIES: Final = 10_240
"""Characters of a role's inline policies together, without white space."""
TRUST_POLICY: Final = 2_048

# "Amazon API Gateway quotas"
API_RESOURCES: Final = 300
"""Steps of paths of one REST API."""
API_AUTHORIZERS: Final = 10
GATEWAY_SECONDS: Final = 29
"""How long a REST API waits for its integration."""

# "AWS WAF quotas", "AWS Managed Rules rule groups list"
FIREWALL_UNITS: Final = 1_500
"""Capacity units of a web ACL at its basic price."""
MANAGED_UNITS: Final = {
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesAdminProtectionRuleSet": 100,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
}
"""Capacity units of AWS's own groups of rules; names that are not here are not AWS's."""
RATE_RULE_UNITS: Final = 2
RATES: Final = (10, 2_000_000_000)
"""How few and how many requests a rule on rates may allow."""
RATE_SECONDS: Final = (60, 120, 300, 600)
"""Over how long such a rule may count."""

# "Step Functions service quotas"
HISTORY: Final = 25_000
"""Events of one execution, after which it fails."""
PAYLOAD: Final = 262_144
"""Bytes of a state's input or output."""
DEFINITION: Final = 1_048_576
INLINE_CONCURRENCY: Final = 40

# "Quotas in Amazon DynamoDB"
TABLE_INDEXES: Final = 20
TRANSACTION: Final = 100
"""Actions of one transaction, no two on the same item."""

ALLOWED: Final = {
    RESOURCE_POLICY: 18_000,
    ENVIRONMENT: 4_000,
    LAYERS: 4,
    UNZIPPED: 240 * 1024 * 1024,
    RESOURCES: 450,
    TEMPLATE: 900_000,
    INLINE_POLICIES: 9_000,
    API_RESOURCES: 270,
    HISTORY: 18_750,
}
"""How much of a limit may be used; a limit that is not here may be used up."""


def allowed(limit: int) -> int:
    """How much of this limit may be used here."""
    return ALLOWED.get(limit, limit)
