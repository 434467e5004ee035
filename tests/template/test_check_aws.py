"""Each rule of check-aws: the real template keeps it, and one that breaks it would be noticed."""

import inspect
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from local.check_aws import (
    __main__ as check_aws,
)
from local.check_aws import actions, alarms, artefacts, edge, formation, functions, gateway, limits, tables, workflows
from local.check_aws.stack import Stack, deployed, transform, with_includes

DEPLOYED = deployed()
SWITCHED_ON = deployed({"Canary": "true", "SnapStart": "true"})
"""With the parameters for which SAM makes other resources; conditions are taken to hold either way."""
QUEUE = "my-company-erphub-production-Queue-AAAAAAAAAAAA"


def of(**resources: dict[str, Any]) -> Stack:
    return Stack(resources)


def one(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


@pytest.mark.parametrize(
    "rule", check_aws.RULES, ids=lambda rule: f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}"
)
def test_what_would_be_deployed_keeps_every_rule(rule: Any):
    assert rule(DEPLOYED) == []
    assert rule(SWITCHED_ON) == []


@pytest.mark.parametrize("module", [actions, alarms, artefacts, edge, formation, functions, gateway, tables, workflows])
def test_no_rule_is_written_and_then_forgotten(module: ModuleType):
    """A rule is a public function of a stack that answers with sentences."""
    written = {
        function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and list(inspect.signature(function).parameters) == ["stack"]
        and function.__annotations__["return"] == list[str]
    }
    assert written
    assert written <= set(check_aws.RULES)


def test_what_is_wrong_is_said_with_the_rule_that_found_it():
    broken = replace(DEPLOYED, resources={"Big": one("AWS::Lambda::Function", Layers=["a"] * 5, Timeout=3)})
    assert "functions.layers: Big: 5 layers; 4 of 5 may be used" in check_aws.findings(broken)


def test_a_rule_on_parameters_with_a_function_that_rules_have_not_is_found():
    def ruled(condition: dict[str, Any]) -> list[str]:
        return formation.rules(Stack(written={"Rules": {"Given": {"RuleCondition": {"Fn::Not": [condition]}}}}))

    assert ruled({"Fn::Equals": [{"Ref": "Subnets"}, ""]}) == []
    joined = {"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Subnets"}]}, ""]}
    assert ruled(joined) == ["Given: Fn::Join is not possible in a rule on parameters"]


# --- functions -------------------------------------------------------------------------------------------------------


def with_routes(count: int) -> Stack:
    permission = one(
        "AWS::Lambda::Permission",
        FunctionName={"Ref": "Api"}, Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
        SourceArn={"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:abcdefghij/*/GET/clients/*/jobs"},
    )  # fmt: skip
    return of(Api=one("AWS::Lambda::Function"), **{f"ApiRoute{n}PermissionDev": permission for n in range(count)})


def test_a_permission_for_each_of_fifty_five_routes_is_too_long_a_policy():
    assert functions.resource_policies(with_routes(1)) == []
    (said,) = functions.resource_policies(with_routes(55))
    assert said.startswith("Api: a resource policy of ")
    assert functions.resource_policy(with_routes(55), "Api") > limits.RESOURCE_POLICY


def test_an_environment_that_is_too_long_is_found():
    def holding(size: int) -> Stack:
        return of(Tasks=one("AWS::Lambda::Function", Environment={"Variables": {"LONG": "x" * size}}))

    assert functions.environments(holding(3_000)) == []
    assert functions.environments(holding(4_093)) == ["Tasks: an environment of 4097 bytes; 4096 is the limit"]


def test_a_parameter_of_any_length_in_an_environment_is_found():
    resources = {"Tasks": one("AWS::Lambda::Function", Environment={"Variables": {"NAMES": {"Ref": "Names"}}})}
    endless = Stack(resources, {"Parameters": {"Names": {"Type": "String", "Default": ""}}})
    assert functions.environments(endless) == ["Tasks: NAMES is the parameter Names, which may be of any length"]
    too_long = Stack(resources, {"Parameters": {"Names": {"Type": "String", "MaxLength": 5_000}}})
    assert functions.environments(too_long) == ["Tasks: an environment of 5005 bytes; 4096 is the limit"]


def test_five_layers_are_too_many():
    assert functions.layers(of(Tasks=one("AWS::Lambda::Function", Layers=["a"] * 4))) == []
    assert functions.layers(of(Tasks=one("AWS::Lambda::Function", Layers=["a"] * 5)))


def test_concurrency_that_is_reserved_in_every_account_is_found():
    assert functions.unreserved(of(Tasks=one("AWS::Lambda::Function", ReservedConcurrentExecutions=5)))
    chosen = {"Fn::If": ["Reserves", {"Ref": "Concurrency"}, {"Ref": "AWS::NoValue"}]}
    assert functions.unreserved(of(Tasks=one("AWS::Lambda::Function", ReservedConcurrentExecutions=chosen))) == []


def test_a_function_in_subnets_that_lambda_would_refuse_is_found():
    def running(network: dict[str, Any], *policies: str) -> Stack:
        role = one("AWS::IAM::Role", ManagedPolicyArns=list(policies))
        return of(Dials=one("AWS::Lambda::Function", VpcConfig=network, Role={"Fn::GetAtt": ["R", "Arn"]}), R=role)

    network = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    may = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    assert functions.networks(running(network, may)) == []
    assert functions.networks(running({}, "arn:other")) == []
    assert functions.networks(running(network)) == [
        "Dials: runs in subnets, and its role may not make network interfaces"
    ]
    assert functions.networks(running({"SubnetIds": ["subnet-1"]}, may)) == ["Dials: subnets without a security group"]


def test_a_call_past_the_alias_is_found():
    alias = one("AWS::Lambda::Alias", FunctionName={"Ref": "Tasks"})

    def calling(by: dict[str, Any]) -> list[str]:
        machine = one("AWS::StepFunctions::StateMachine", DefinitionSubstitutions={"Tasks": by})
        return functions.aliased(of(Tasks=one("AWS::Lambda::Function"), TasksAliaslive=alias, Machine=machine))

    assert calling({"Ref": "TasksAliaslive"}) == []
    assert calling({"Fn::GetAtt": ["Tasks", "Arn"]}) == ["Machine: calls Tasks past its alias"]
    assert calling({"Fn::Sub": "${Tasks.Arn}"}) == ["Machine: calls Tasks past its alias"]
    assert calling({"Fn::Sub": "${TasksAliaslive}"}) == []


@pytest.mark.parametrize(("refused", "said"), [
    ({}, None),
    ({"EphemeralStorage": {"Size": 2048}}, "more than 512 MB of /tmp"),
    ({"FileSystemConfigs": [{"Arn": "arn"}]}, "a file system"),
])  # fmt: skip
def test_what_lambda_refuses_beside_snapshots_is_found(refused: dict[str, Any], said: str | None):
    function = one("AWS::Lambda::Function", SnapStart={"ApplyOn": "PublishedVersions"}, **refused)
    version = one("AWS::Lambda::Version", FunctionName={"Ref": "Api"})
    assert functions.snapshots(of(Api=function, V=version)) == ([f"Api: SnapStart with {said}"] if said else [])
    assert "Api: SnapStart with no published version" in functions.snapshots(of(Api=function))
    provisioned = one(
        "AWS::Lambda::Alias",
        FunctionName={"Ref": "Api"},
        ProvisionedConcurrencyConfig={"ProvisionedConcurrentExecutions": 1},
    )
    assert "Api: SnapStart with provisioned concurrency" in functions.snapshots(
        of(Api=function, V=version, A=provisioned)
    )


def test_a_deployment_in_steps_that_nothing_takes_back_is_found():
    def group(count: int) -> list[str]:
        alarms = [{"Name": str(n)} for n in range(count)]
        return functions.gradual(of(G=one("AWS::CodeDeploy::DeploymentGroup", AlarmConfiguration={"Alarms": alarms})))

    assert group(1) == group(10) == []
    assert group(0) == ["G: 0 alarms; 1 to 10 are possible"]
    assert group(11)
    assert functions.gradual(of(G=one("AWS::CodeDeploy::DeploymentGroup")))


# --- the template ----------------------------------------------------------------------------------------------------


def test_too_many_resources_parameters_or_bytes_are_found():
    many = {f"R{n}": one("AWS::SQS::Queue") for n in range(451)}
    assert formation.numbers(Stack(many)) == ["the template has 451 resources; 450 of 500 may be used"]
    assert formation.numbers(Stack(size=900_001)) == [
        "the template has 900001 bytes after the transform; 900000 of 1000000 may be used"
    ]
    assert formation.numbers(Stack(written={"Parameters": {n: {} for n in range(201)}}))
    assert formation.numbers(Stack(written={"Outputs": {n: {} for n in range(201)}}))


def test_inline_policies_that_are_too_long_together_are_found():
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Fn::Sub": "arn:${AWS::Partition}:s3:::x/*"}}
    policy = {"PolicyDocument": {"Statement": [statement] * 60}}
    trust = {"Statement": []}
    assert formation.roles(of(Role=one("AWS::IAM::Role", Policies=[policy], AssumeRolePolicyDocument=trust))) == []
    found = formation.roles(
        of(Role=one("AWS::IAM::Role", Policies=[policy, policy, policy], AssumeRolePolicyDocument=trust))
    )
    assert [said[:24] for said in found] == ["Role: inline policies of"]
    trust = {"Statement": [{"Principal": {"Service": f"{n:0100}.amazonaws.com"}} for n in range(20)]}
    assert formation.roles(of(Role=one("AWS::IAM::Role", AssumeRolePolicyDocument=trust)))


def test_what_outlives_the_stack_under_a_fixed_name_is_found():
    fixed = one("AWS::DynamoDB::Table", TableName={"Ref": "AWS::StackName"}) | {"DeletionPolicy": "Retain"}
    assert formation.kept(of(Table=fixed)) == ["Table is kept when the stack goes and has a fixed name (TableName)"]
    replaced = one("AWS::S3::Bucket", BucketName="lake") | {"UpdateReplacePolicy": "Retain"}
    assert formation.kept(of(Lake=replaced))
    assert formation.kept(of(Bus=one("AWS::Events::EventBus", Name="bus") | {"DeletionPolicy": "Retain"}))
    assert formation.kept(of(Table=fixed | {"DeletionPolicy": "Delete"})) == []


def test_a_name_that_stands_for_nothing_is_found():
    found = formation.references(of(One=one("AWS::SQS::QueuePolicy", Queues=[{"Ref": "Gone"}, {"Ref": "AWS::Region"}])))
    assert found == ["One names Gone, which is not there"]
    assert formation.references(of(One=one("AWS::SQS::QueuePolicy", Arn={"Fn::GetAtt": ["Gone", "Arn"]})))


# --- artefacts -------------------------------------------------------------------------------------------------------


def test_a_table_of_sizes_that_is_of_other_layers_is_refused():
    sizes = artefacts.recorded()
    assert artefacts.written_down(sizes) == []
    other = sizes | {"lake": sizes["lake"] | {"recipe": "another"}}
    assert artefacts.written_down(other) == [
        "layers/sizes.json does not know layer lake as it is now; say `make sizes`"
    ]
    assert len(artefacts.written_down({})) == len(sizes)


@pytest.mark.parametrize("arch", artefacts.PROCESSORS)
def test_a_function_that_unpacks_to_too_much_on_either_processor_is_found(arch: str):
    sizes = artefacts.recorded()
    assert artefacts.fit(sizes, dict(DEPLOYED.written)) == []
    grown = sizes | {"lake": sizes["lake"] | {arch: 240 * 2**20}}
    found = artefacts.fit(grown, dict(DEPLOYED.written))
    assert {said.partition(":")[0] for said in found} == {"ImportTasks", "DeletionTasks", "LakeRows"}
    assert all(f"on {arch}" in said for said in found)
    grown = sizes | {"microsoft": sizes["microsoft"] | {arch: 60 * 2**20}}
    assert [said.partition(":")[0] for said in artefacts.fit(grown, dict(DEPLOYED.written))] == ["ImportTasks"]


# --- machines --------------------------------------------------------------------------------------------------------


def machine(**states: dict[str, Any]) -> Stack:
    return Stack(machines={"Machine": {"StartAt": next(iter(states)), "States": states}})


INVOKE = "arn:aws:states:::lambda:invoke"
PATIENT = {
    "ErrorEquals": sorted(workflows.THROTTLED),
    "IntervalSeconds": 1, "BackoffRate": 2, "MaxAttempts": 20, "MaxDelaySeconds": 60, "JitterStrategy": "FULL",
}  # fmt: skip


def mapped(name: str, inner: dict[str, Any], **properties: Any) -> Stack:
    processor = {"StartAt": "One", "States": {"One": inner}, "ProcessorConfig": {"Mode": "INLINE"}}
    return machine(**{name: {"Type": "Map", "MaxConcurrency": 4, "ItemProcessor": processor, "End": True} | properties})


def test_a_state_s_name_on_two_levels_is_found():
    stack = mapped("One", {"Type": "Pass", "End": True})
    assert "Machine: One and One/One have one name; it must be unique in the whole machine" in workflows.names(stack)


def test_a_history_is_counted_as_step_functions_writes_it():
    alone = {"StartAt": "One", "States": {"One": {"Type": "Task", "Resource": INVOKE, "Retry": [PATIENT], "End": True}}}
    # Entered; scheduled, started, failed twenty times and done once; left.
    assert workflows.longest(alone) == 2 + 3 * 21
    stack = mapped("ReadPackages", {"Type": "Pass", "End": True})
    assert workflows.longest(stack.machines["Machine"]) == 4 + workflows.MAX_PACKAGES * 4


def test_a_history_that_is_too_long_is_found():
    stubborn = {"Type": "Task", "Resource": INVOKE, "Retry": [PATIENT | {"MaxAttempts": 200}], "End": True}
    (said,) = workflows.histories(mapped("ReadPackages", stubborn))
    assert said == "Machine: a history of 24284 events; 18750 of 25000 may be used"


def test_a_map_that_nobody_bounded_or_that_is_distributed_is_found():
    easy = {"Type": "Pass", "End": True}
    assert workflows.histories(mapped("ReadPackages", easy)) == []
    assert workflows.histories(mapped("Endless", easy)) == ["Machine: nobody said how many items Endless may have"]
    assert workflows.histories(mapped("ReadPackages", easy, MaxConcurrency=41))
    assert workflows.histories(mapped("ReadPackages", easy, MaxConcurrency=0))
    processor = {"StartAt": "One", "States": {"One": easy}, "ProcessorConfig": {"Mode": "DISTRIBUTED"}}
    found = workflows.histories(mapped("ReadPackages", easy, ItemProcessor=processor))
    assert found == ["Machine: ReadPackages is a distributed map"]


@pytest.mark.parametrize("retriers", [
    [],
    [{"ErrorEquals": ["States.TaskFailed"]}, PATIENT],
    [PATIENT | {"MaxAttempts": 4}],
    [PATIENT | {"MaxDelaySeconds": 5}],
    [PATIENT | {"JitterStrategy": "NONE"}],
    [PATIENT | {"ErrorEquals": ["Lambda.TooManyRequestsException"]}],
])  # fmt: skip
def test_a_call_that_does_not_wait_out_throttling_first_is_found(retriers: list[dict[str, Any]]):
    called = {"Type": "Task", "Resource": INVOKE, "End": True}
    assert workflows.throttling(machine(One=called | {"Retry": [PATIENT]})) == []
    assert workflows.throttling(machine(One=called | {"Retry": retriers}))


def caught(**catcher: Any) -> dict[str, Any]:
    return {"Type": "Pass", "End": True, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "One"} | catcher]}


def test_a_machine_that_relies_on_states_all_with_nobody_watching_is_found():
    stack = machine(One=caught())
    assert workflows.uncaught(stack) == [
        "Machine: States.ALL is relied on, and nobody is told when an execution fails all the same"
    ]
    pattern = {"detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": ["arn:x:stateMachine:name"]}}
    drawn = {
        "Machine": one("AWS::StepFunctions::StateMachine", StateMachineName="name"),
        "Rule": one("AWS::Events::Rule", EventPattern=pattern),
    }
    assert workflows.uncaught(Stack(drawn, machines=stack.machines)) == []
    pattern["detail"]["status"] = ["FAILED"]
    assert workflows.uncaught(Stack(drawn, machines=stack.machines))


def test_errors_that_pile_up_in_a_map_s_output_and_states_all_beside_others_are_found():
    pile = "Machine: ReadPackages/One keeps the errors of a map's items (ResultPath)"
    assert pile in workflows.uncaught(mapped("ReadPackages", caught(ResultPath="$.error")))
    assert pile not in workflows.uncaught(mapped("ReadPackages", caught(ResultPath=None)))
    beside = caught(ErrorEquals=["States.ALL", "States.Timeout"])
    assert "Machine: One has States.ALL beside others; AWS wants it alone" in workflows.uncaught(machine(One=beside))


# --- metrics, actions, the API, tables -------------------------------------------------------------------------------


def alarm(namespace: str, metric: str, *dimensions: str) -> dict[str, Any]:
    named = [{"Name": name, "Value": "x"} for name in dimensions]
    return one("AWS::CloudWatch::Alarm", Namespace=namespace, MetricName=metric, Dimensions=named)


def test_an_alarm_on_dimensions_under_which_nothing_is_published_is_found():
    found = alarms.dimensions(of(Throttles=alarm("AWS/DynamoDB", "ThrottledRequests", "TableName")))
    assert found == ["Throttles: AWS/DynamoDB ThrottledRequests is not published under TableName"]
    assert alarms.dimensions(of(Throttles=alarm("AWS/DynamoDB", "ReadThrottleEvents", "TableName"))) == []
    assert alarms.dimensions(of(Errors=alarm("AWS/Lambda", "Errors", "Function")))
    assert alarms.dimensions(of(Errors=alarm("AWS/Lambda", "Misspelt", "FunctionName")))


def test_a_wrong_dimension_inside_metric_math_or_on_a_dashboard_is_found():
    metric = alarm("AWS/DynamoDB", "ThrottledRequests", "TableName")["Properties"]
    summed = one(
        "AWS::CloudWatch::Alarm",
        Metrics=[{"Id": "sum", "Expression": "a"}, {"Id": "a", "MetricStat": {"Metric": metric}}],
    )
    assert alarms.dimensions(of(Throttles=summed))
    body = (
        '{"widgets": [{"properties": {"metrics": [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "Queue", "x"]]}}]}'
    )
    assert alarms.dimensions(of(Page=one("AWS::CloudWatch::Dashboard", DashboardBody=body)))


def test_an_alarm_on_a_figure_that_neither_a_filter_nor_the_code_writes_is_found():
    made = one("AWS::Logs::MetricFilter", MetricTransformations=[{"MetricNamespace": "hub", "MetricName": "broken"}])
    assert alarms.dimensions(of(Made=made, Broken=alarm("hub", "broken"))) == []
    assert alarms.dimensions(of(Made=made, Broken=alarm("hub", "broken", "service")))
    assert alarms.dimensions(of(Made=made, Broken=alarm("hub", "misspelt")))
    assert alarms.dimensions(of(Silent=alarm("hub", "silent_syncs", "service", "operation"))) == []


@pytest.mark.parametrize("action", [
    "dynamodb:GetItems", "s3:ListObjectsV2", "s3:HeadObject", "nosuch:GetItem", "states:StartExecutions", "GetItem",
    "nosuch:*",
])  # fmt: skip
def test_an_action_that_aws_does_not_have_is_found(action: str):
    statement = {"Effect": "Allow", "Action": ["dynamodb:GetItem", action], "Resource": "*"}
    role = one("AWS::IAM::Role", Policies=[{"PolicyDocument": {"Statement": [statement]}}])
    assert actions.exist(of(Role=role)) == [f"Role: there is no action {action}"]


def test_the_reviewed_actions_are_about_operations_that_there_are():
    assert [action for action in actions.IAM_ONLY if actions.unknown(action)] == []


def api(paths: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return one("AWS::ApiGateway::RestApi", Body={"paths": paths}, **properties)


def calling(function: str) -> dict[str, Any]:
    uri = {"Fn::Sub": f"arn:aws:apigateway:x:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"}
    return {"get": {"x-amazon-apigateway-integration": {"uri": uri, "type": "aws_proxy", "httpMethod": "POST"}}}


def test_an_api_with_too_many_steps_of_paths_or_authorizers_is_found():
    assert gateway.sizes(of(Api=api({f"/a{n}/b": {} for n in range(134)}))) == []
    assert gateway.sizes(of(Api=api({f"/a{n}/b": {} for n in range(135)})))
    many = one("AWS::ApiGateway::RestApi", Body={"securityDefinitions": {name: {} for name in "abcdefghijk"}})
    assert gateway.sizes(of(Api=many))


def test_a_function_that_the_api_calls_without_being_permitted_is_found():
    called = api({"/me": calling("Me")})
    permission = one("AWS::Lambda::Permission", FunctionName={"Ref": "Me"}, Principal="apigateway.amazonaws.com")
    assert gateway.permissions(of(Api=called, Invoke=permission)) == []
    assert gateway.permissions(of(Api=called)) == ["Api: calls Me and may not"]
    permission["Properties"]["Principal"] = "events.amazonaws.com"
    assert gateway.permissions(of(Api=called, Invoke=permission))


def test_a_function_that_takes_longer_than_the_gateway_waits_is_found():
    called = api({"/me": calling("Me")})
    assert gateway.seconds(of(Api=called, Me=one("AWS::Lambda::Function", Timeout=29))) == []
    assert gateway.seconds(of(Api=called, Me=one("AWS::Lambda::Function", Timeout=30)))


def test_texts_as_binary_types_and_files_that_are_none_are_found():
    taking = {"/f": {"put": {"consumes": ["application/octet-stream"]}}}
    assert gateway.binary_types(of(Api=api(taking, BinaryMediaTypes=["application/octet-stream"]))) == []
    assert gateway.binary_types(of(Api=api(taking)))
    assert gateway.binary_types(of(Api=api({}, BinaryMediaTypes=["*/*"])))


# --- before the API: a domain, a firewall ----------------------------------------------------------------------------


def test_a_domain_with_the_wrong_kind_of_certificate_or_old_tls_is_found():
    def domain(**properties: Any) -> list[str]:
        return edge.domains(of(Domain=one("AWS::ApiGateway::DomainName", DomainName="a.example.com", **properties)))

    regional: Any = {"EndpointConfiguration": {"Types": ["REGIONAL"]}, "SecurityPolicy": "TLS_1_2"}
    assert domain(**regional, RegionalCertificateArn="arn") == []
    assert domain(**regional, CertificateArn="arn") == [
        "Domain: a certificate of another kind of endpoint; REGIONAL takes RegionalCertificateArn"
    ]
    assert domain(**regional | {"SecurityPolicy": "TLS_1_0"}, RegionalCertificateArn="arn")
    del regional["SecurityPolicy"]
    assert domain(**regional, RegionalCertificateArn="arn") == [
        "Domain: takes TLS 1.0; SecurityPolicy says what is the least"
    ]


def test_a_domain_or_a_firewall_that_names_a_stage_without_waiting_for_it_is_found():
    stage = one("AWS::ApiGateway::Stage")
    by_reference = one("AWS::ApiGateway::BasePathMapping", Stage={"Ref": "Stage"})
    assert edge.mappings(of(Stage=stage, Mapping=by_reference)) == []
    assert edge.mappings(of(Stage=stage, Mapping=one("AWS::ApiGateway::BasePathMapping", Stage={"Ref": "StageName"})))
    assert edge.mappings(of(Stage=stage, Mapping=one("AWS::ApiGateway::BasePathMapping")))

    def put_before(arn: str) -> list[str]:
        return edge.associations(
            of(Stage=stage, Put=one("AWS::WAFv2::WebACLAssociation", ResourceArn={"Fn::Sub": arn}))
        )

    assert put_before("arn:aws:apigateway:eu-north-1::/restapis/${Api}/stages/${Stage}") == []
    assert put_before("arn:aws:apigateway:eu-north-1::/restapis/${Api}/stages/prod")
    assert put_before("arn:aws:execute-api:eu-north-1:1:${Api}/${Stage}")


def seen(name: str, priority: int, statement: dict[str, Any], **action: Any) -> dict[str, Any]:
    return {"Name": name, "Priority": priority, "Statement": statement, "VisibilityConfig": {}} | action


GROUP = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}}
RATE = {"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": 100}}
BLOCK, OVERRIDE = {"Action": {"Block": {}}}, {"OverrideAction": {"None": {}}}


@pytest.mark.parametrize(("rules", "said"), [
    ([seen("g", 0, GROUP, **OVERRIDE), seen("r", 1, RATE, **BLOCK)], None),
    ([seen("g", 0, GROUP, **BLOCK)], "takes OverrideAction"),
    ([seen("r", 0, RATE, **OVERRIDE)], "takes OverrideAction"),
    ([seen("r", 0, RATE, **BLOCK, **OVERRIDE)], "takes OverrideAction"),
    ([seen("g", 0, GROUP, **OVERRIDE), seen("r", 0, RATE, **BLOCK)], "same priority"),
    ([seen("g", n, GROUP, **OVERRIDE) for n in range(3)], "2100 capacity units"),
    ([seen("g", 0, {"ManagedRuleGroupStatement": {"Name": "AWSManagedRulesMadeUp"}}, **OVERRIDE)], "no group"),
    ([seen("r", 0, {"RateBasedStatement": {"Limit": 9}}, **BLOCK)], "fewer than 10"),
    ([seen("r", 0, {"RateBasedStatement": {"Limit": {"Ref": "Free"}}}, **BLOCK)], "fewer than 10"),
    ([seen("r", 0, {"RateBasedStatement": {"Limit": {"Ref": "Bound"}}}, **BLOCK)], None),
    ([seen("r", 0, {"RateBasedStatement": {"Limit": 10, "EvaluationWindowSec": 30}}, **BLOCK)], "counts over 30 s"),
    ([{"Name": "g", "Priority": 0, "Statement": GROUP, **OVERRIDE}], "no VisibilityConfig"),
])  # fmt: skip
def test_a_firewall_that_waf_would_refuse_is_found(rules: list[dict[str, Any]], said: str | None):
    parameters = {"Free": {"Type": "Number"}, "Bound": {"Type": "Number", "MinValue": 10, "MaxValue": 5_000}}
    acl = one("AWS::WAFv2::WebACL", Scope="REGIONAL", Rules=rules)
    found = edge.firewalls(Stack({"Acl": acl}, {"Parameters": parameters}))
    assert [one for one in found if said and said in one] == found
    assert bool(found) == bool(said)


def test_a_firewall_for_cloudfront_is_not_one_for_a_stage():
    assert edge.firewalls(of(Acl=one("AWS::WAFv2::WebACL", Scope="CLOUDFRONT")))


def test_a_table_with_too_many_indexes_or_an_attribute_in_no_key_is_found():
    key = [{"AttributeName": "pk", "KeyType": "HASH"}]
    described = [{"AttributeName": "pk", "AttributeType": "S"}]
    sound = one("AWS::DynamoDB::Table", KeySchema=key, AttributeDefinitions=described)
    assert tables.indexes(of(Table=sound)) == []
    sound["Properties"]["GlobalSecondaryIndexes"] = [{"KeySchema": key}] * 21
    assert tables.indexes(of(Table=sound)) == ["Table: 21 indexes; 20 is the limit"]
    idle = [*described, {"AttributeName": "idle", "AttributeType": "S"}]
    assert tables.indexes(of(Table=one("AWS::DynamoDB::Table", KeySchema=key, AttributeDefinitions=idle)))


def test_a_machine_s_transaction_that_is_too_long_or_writes_an_item_twice_is_found():
    def writing(*keys: str) -> Stack:
        puts = [
            {"Put": {"TableName": "t", "Item": {"pk": {"S": key}, "sk": {"S": ""}, "n": {"N": "1"}}}} for key in keys
        ]
        return machine(Write={"Type": "Task", "Arguments": {"TransactItems": puts}, "End": True})

    assert tables.transactions(writing("a", "b")) == []
    assert tables.transactions(writing("a", "a")) == ["Machine: Write has two actions on one item"]
    assert tables.transactions(writing(*(str(n) for n in range(101))))


# --- how the template is read ----------------------------------------------------------------------------------------


def test_a_template_that_sam_cannot_transform_is_said_so():
    with pytest.raises(RuntimeError, match="cannot be transformed"):
        transform({"Resources": {"Broken": {"Type": "AWS::Serverless::Function", "Properties": {"Events": 1}}}})


def test_what_a_template_includes_is_looked_at_as_if_it_stood_there(tmp_path: Path):
    (tmp_path / "api.json").write_text(json.dumps({"paths": {"/me": calling("Me")}}))
    include = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "api.json"}}}
    resources = with_includes({"Api": one("AWS::ApiGateway::RestApi", Body=include)}, tmp_path)
    assert gateway.permissions(Stack(resources)) == ["Api: calls Me and may not"]


@pytest.mark.parametrize(("value", "text"), [
    ({"Fn::Sub": "${AWS::Region}/${Queue}"}, f"eu-north-1/https://sqs.eu-north-1.amazonaws.com/123456789012/{QUEUE}"),
    ({"Fn::GetAtt": ["Queue", "Arn"]}, f"arn:aws:sqs:eu-north-1:123456789012:{QUEUE}"),
    ({"Fn::Sub": ["${name}!", {"name": {"Ref": "Short"}}]}, "xxxxx!"),
    ({"Fn::If": ["Any", "short", "longer"]}, "longer"),
    ({"Fn::Join": ["-", ["a", {"Ref": "Choice"}]]}, "a-longest"),
])  # fmt: skip
def test_names_are_as_long_as_those_that_cloudformation_makes(value: Any, text: str):
    parameters = {"Short": {"Type": "String", "MaxLength": 5}, "Choice": {"AllowedValues": ["a", "longest"]}}
    assert Stack({"Queue": one("AWS::SQS::Queue")}, {"Parameters": parameters}).text(value) == text
