"""The templates and policies against AWS's limits, with the longest stage and an account number of twelve digits.

docs/internals/aws-rules.md names AWS's page for each test.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from samtranslator.translator.transform import transform

from chalicelib import bootstrap
from chalicelib.store.aws.botocore_session import lean_session
from chalicelib.store.oversized_answers import URL_SECONDS, OversizedAnswers
from infra import bundle, combine, keys, packaging, policies
from tests.kit.aws_request_rules import BUCKET

STAGE, ACCOUNT, REGION = "s" + "t" * 15, "123456789012", "ap-northeast-1"
VALUES = {
    "Stage": STAGE,
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "Domain": "d" * 64,
    "Issuer": "https://" + "d" * 247,
    "OldProxyKey": "k" * 256,
    "OwnDomain": "d111111abcdef8.cloudfront.net",
    "Distribution.DomainName": "d111111abcdef8.cloudfront.net",
    "Cleaning.QueueName": f"engawa-{STAGE}-cleaning",
    "Files": f"engawa-{STAGE}-{ACCOUNT}",
}
SECRET = "p" * 48
"""The value of a dynamic reference, as long as the generated key of CloudFront."""
NAMES = {
    ("AWS::Budgets::Budget", "BudgetName"): r"[^:\\]{1,100}",
    ("AWS::CloudFront::CachePolicy", "Name"): r"[A-Za-z0-9_-]{1,128}",
    ("AWS::CloudFront::OriginAccessControl", "Name"): r"[A-Za-z0-9_-]{1,64}",
    ("AWS::CloudFront::ResponseHeadersPolicy", "Name"): r"[A-Za-z0-9_-]{1,128}",
    ("AWS::CloudWatch::Alarm", "AlarmName"): r"[ -~]{1,255}",
    ("AWS::CloudWatch::CompositeAlarm", "AlarmName"): r"[ -~]{1,255}",
    ("AWS::CloudWatch::Dashboard", "DashboardName"): r"[A-Za-z0-9_-]{1,255}",
    ("AWS::DynamoDB::Table", "TableName"): r"[A-Za-z0-9_.-]{3,255}",
    ("AWS::Events::Rule", "Name"): r"[.\-_A-Za-z0-9]{1,64}",
    ("AWS::IAM::Role", "RoleName"): r"[\w+=,.@-]{1,64}",
    ("AWS::Lambda::Function", "FunctionName"): r"[A-Za-z0-9_-]{1,64}",
    ("AWS::Logs::LogGroup", "LogGroupName"): r"(?!aws/)[.\-_/#A-Za-z0-9]{1,512}",
    ("AWS::S3::Bucket", "BucketName"): BUCKET.pattern,
    ("AWS::SNS::Topic", "TopicName"): r"[A-Za-z0-9_-]{1,256}",
    ("AWS::SQS::Queue", "QueueName"): r"[A-Za-z0-9_-]{1,80}",
    ("AWS::WAFv2::WebACL", "Name"): r"[\w-]{1,128}",
}
"""The names that the templates give, by type and property, with AWS's pattern."""
# CloudFront and WAF take a structure inside of their properties.
INNER = {
    "AWS::CloudFront::CachePolicy": "CachePolicyConfig",
    "AWS::CloudFront::OriginAccessControl": "OriginAccessControlConfig",
    "AWS::CloudFront::ResponseHeadersPolicy": "ResponseHeadersPolicyConfig",
    "AWS::Budgets::Budget": "Budget",
}
Template = dict[str, Any]


class NoPolicies:
    """A loader of the names of AWS's managed policies, which our template does not use."""

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module", params=combine.FRONTS)
def out(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the package, with an empty app in the zip."""

    def empty(zip_path: Path, work: Path, architecture: str) -> None:
        with zipfile.ZipFile(zip_path, "w") as made:
            made.writestr("app.py", "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packaging, "BUILD", tmp_path_factory.mktemp("build"))
        patch.setattr(bundle, "build", empty)
        yield packaging.package("prod", "arm64", front=request.param)


@pytest.fixture(scope="module")
def main(out: Path) -> Template:
    """Return the main template as CloudFormation sees it, after the transformation by SAM."""
    template = yaml.safe_load((out / "sam.yaml").read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        transformed: Template = transform(template, {}, NoPolicies())
    return transformed


@pytest.fixture(scope="module")
def templates(main: Template) -> list[Template]:
    """Return the main template, that of us-east-1, and that of the data alone."""
    return [main, combine.global_template(), yaml.safe_load((combine.INFRA / "data.yaml").read_text(encoding="utf-8"))]


def rendered(value: Any) -> Any:
    """Return a value with its references resolved; of the two branches of a condition, the longer one."""
    if isinstance(value, list):
        return [rendered(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Sub" in value and isinstance(value["Fn::Sub"], str):
        text = re.sub(r"\$\{([^!}]+)\}", lambda found: VALUES.get(found[1], found[1]), value["Fn::Sub"])
        return re.sub(r"\{\{resolve:secretsmanager:[^}]*\}\}", SECRET, text)
    if "Ref" in value:
        return VALUES.get(value["Ref"], value["Ref"])
    if "Fn::GetAtt" in value:
        name = value["Fn::GetAtt"] if isinstance(value["Fn::GetAtt"], str) else ".".join(value["Fn::GetAtt"])
        return VALUES.get(name, name)
    if "Fn::If" in value:
        return max(map(rendered, value["Fn::If"][1:]), key=lambda each: len(json.dumps(each)))
    return {name: rendered(each) for name, each in value.items()}


def of(template: Template, kind: str) -> dict[str, Any]:
    """Return the rendered properties of the resources of one type, by logical name."""
    found = {name: each for name, each in template["Resources"].items() if each["Type"] == kind}
    return {name: rendered(each.get("Properties", {})) for name, each in found.items()}


def every(templates: list[Template], kind: str) -> list[Any]:
    return [each for template in templates for each in of(template, kind).values()]


def test_templates_have_no_more_parts_than_cloudformation_takes(templates: list[Template]) -> None:
    for template in templates:
        assert len(template["Resources"]) <= 500
        assert len(template.get("Outputs", {})) <= 200
        assert len(template.get("Parameters", {})) <= 200
        assert len(template.get("Mappings", {})) <= 200
        assert all(
            len(name) <= 255 for part in ("Resources", "Outputs", "Parameters") for name in template.get(part, ())
        )
        assert all(re.fullmatch("[A-Za-z0-9]+", name) for name in template["Resources"])


def test_descriptions_and_values_of_templates_are_short_enough(templates: list[Template]) -> None:
    for template in templates:
        assert len(template["Description"].encode()) <= 1024
        for declared in template.get("Parameters", {}).values():
            assert len(declared.get("Description", "")) <= 4000
            assert len(str(declared.get("Default", "")).encode()) <= 4096
            assert max((len(str(each)) for each in declared.get("AllowedValues", [""])), default=0) <= 4096
        for output in template.get("Outputs", {}).values():
            assert len(output.get("Description", "").encode()) <= 1024
            assert len(str(rendered(output["Value"]))) <= 4096


def test_a_template_in_a_request_and_one_in_a_bucket_are_small_enough(out: Path, main: Template) -> None:
    assert len((out / "global.yaml").read_bytes()) <= 51_200
    # `aws cloudformation deploy` passes the data stack in its request.
    assert len((combine.INFRA / "data.yaml").read_bytes()) <= 51_200
    assert len((out / "sam.yaml").read_bytes()) <= 1_000_000
    # SAM's result is under the same limit.
    assert len(json.dumps(main, indent=2)) <= 1_000_000


def test_the_names_of_stacks_are_allowed() -> None:
    for name in (f"engawa-{STAGE}", f"engawa-{STAGE}-global", f"engawa-{STAGE}-data"):
        assert re.fullmatch("[A-Za-z][A-Za-z0-9-]{0,127}", name)


def test_every_name_is_allowed_even_with_the_longest_stage(templates: list[Template]) -> None:
    seen = set()
    for template in templates:
        for logical, resource in template["Resources"].items():
            kind = resource["Type"]
            properties = rendered(resource.get("Properties", {}))
            for name, value in {**properties, **properties.get(INNER.get(kind, ""), {})}.items():
                is_made_here = isinstance(value, str) and "engawa" in value
                if name.endswith("Name") and is_made_here and (kind, name) not in NAMES:
                    # A reference to a name, such as the function of an alias, or a name of API Gateway, without limit.
                    assert kind in ("AWS::ApiGateway::RestApi", "AWS::Lambda::Alias"), f"{kind}.{name} needs a pattern"
                elif name.endswith("Name") and is_made_here:
                    seen.add(kind)
                    assert re.fullmatch(NAMES[kind, name], value), f"{logical} is called {value}"
    assert {"AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Lambda::Function", "AWS::Logs::LogGroup"} <= seen
    assert {"AWS::CloudFront::CachePolicy", "AWS::CloudWatch::Alarm", "AWS::SNS::Topic", "AWS::WAFv2::WebACL"} <= seen


def test_secrets_have_names_that_secrets_manager_takes() -> None:
    for name in keys.FRESH:
        whole = keys.secret(STAGE, name)
        assert re.fullmatch(r"[A-Za-z0-9/_+=.@-]{1,512}", whole)
        # With such an ending, a search by a part of the ARN would find another secret.
        assert not re.search("-.{6}$", whole)


def squeezed(document: Any) -> int:
    """Return the characters of a policy as IAM counts them, without whitespace."""
    return len(re.sub(r"\s", "", json.dumps(rendered(document))))


def test_role_policies_are_within_the_quotas_of_iam(templates: list[Template]) -> None:
    roles = every(templates, "AWS::IAM::Role")
    assert len(roles) >= 4
    for role in roles:
        assert sum(squeezed(each["PolicyDocument"]) for each in role.get("Policies", [])) <= 10_240
        assert squeezed(role["AssumeRolePolicyDocument"]) <= 2_048
        assert len(role.get("ManagedPolicyArns", [])) <= 10
        assert all(re.fullmatch(r"[\w+=,.@-]{1,128}", each["PolicyName"]) for each in role.get("Policies", []))
        # The name is made by CloudFormation, which cuts it to IAM's 64 characters.
        assert "RoleName" not in role or len(role["RoleName"]) <= 64


@pytest.mark.parametrize("function", policies.FUNCTIONS)
def test_a_policy_of_the_longest_stage_is_within_the_quotas_of_iam(function: str) -> None:
    document = policies.policy(function, STAGE, [need for _, need in policies.declared()], traced=True)
    assert squeezed(document) <= 10_240
    # Chalice attaches it as an inline policy. As a managed policy it would have to be smaller.
    assert squeezed(document) <= 6_144
    sids = [each["Sid"] for each in document["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch("[A-Za-z0-9]+", sid) for sid in sids)
    assert re.fullmatch(r"[\t\n\r\x20-\xff]*", policies.written(document))


POLICY_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


def test_resource_policies_are_small_and_have_legal_elements(templates: list[Template]) -> None:
    # S3 takes 20 KB, SQS 8 KB, and SNS 30 KB.
    for kind, most in (("S3::BucketPolicy", 20_480), ("SQS::QueuePolicy", 8_192), ("SNS::TopicPolicy", 30_720)):
        found = every(templates, f"AWS::{kind}")
        assert found
        for each in found:
            document = each["PolicyDocument"]
            assert len(json.dumps(document)) <= most
            assert document.keys() == {"Version", "Statement"}
            assert document["Version"] == "2012-10-17"
            service = kind.partition("::")[0].lower()
            for statement in document["Statement"]:
                assert statement.keys() <= POLICY_ELEMENTS
                assert {"Effect", "Principal", "Action", "Resource"} <= statement.keys()
                actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
                assert actions
                assert all(action.lower().startswith(f"{service}:") for action in actions)


def test_functions_are_within_the_quotas_of_lambda(templates: list[Template]) -> None:
    for function in every(templates, "AWS::Lambda::Function"):
        assert 1 <= function["Timeout"] <= 900
        assert 128 <= function["MemorySize"] <= 10_240
        assert len(function.get("Description", "")) <= 256
        assert len(function["Code"].get("ZipFile", "").encode()) <= 4 * 1024 * 1024
        assert len(function.get("Layers", [])) <= 5


def test_the_stack_s_own_variables_leave_room_for_the_operator_s(main: Template) -> None:
    for function in every([main], "AWS::Lambda::Function"):
        variables = {name: str(value) for name, value in function["Environment"]["Variables"].items()}
        # Lambda measures them as JSON. Of its 4 KB, 3,000 bytes are for the settings that an operator adds.
        assert len(json.dumps(variables, separators=(",", ":"))) <= 4096 - 3000
        assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_]+", name) for name in variables)


def test_the_domain_of_both_templates_is_short_enough_for_a_certificate() -> None:
    for template in (combine.merge_template(), combine.global_template()):
        assert template["Parameters"]["Domain"]["MaxLength"] == len(VALUES["Domain"])
    assert combine.merge_template()["Parameters"]["Issuer"]["MaxLength"] == len(VALUES["Issuer"])


def test_the_queue_waits_for_the_function_as_lambda_advises(main: Template) -> None:
    functions, queues = of(main, "AWS::Lambda::Function"), of(main, "AWS::SQS::Queue")
    [mapping] = of(main, "AWS::Lambda::EventSourceMapping").values()
    assert queues["Cleaning"]["VisibilityTimeout"] >= 6 * functions["Clean"]["Timeout"]
    assert 0 <= queues["Cleaning"]["VisibilityTimeout"] <= 43_200
    assert 2 <= mapping["ScalingConfig"]["MaximumConcurrency"] <= 1000
    assert 1 <= mapping["BatchSize"] <= 10 or mapping.get("MaximumBatchingWindowInSeconds", 0) >= 1
    # Fewer tries could send messages to the dead letters that Lambda has only throttled.
    assert queues["Cleaning"]["RedrivePolicy"]["maxReceiveCount"] >= 5
    for queue in queues.values():
        assert 60 <= queue["MessageRetentionPeriod"] <= 1_209_600
    # A message keeps its age in the dead-letter queue, so it must be kept there for longer.
    assert queues["CleaningDead"]["MessageRetentionPeriod"] > queues["Cleaning"]["MessageRetentionPeriod"]


def test_schedules_have_a_form_that_eventbridge_takes(templates: list[Template]) -> None:
    rules = every(templates, "AWS::Events::Rule")
    assert rules
    for rule in rules:
        assert re.fullmatch(
            r"rate\((1 (minute|hour|day)|([2-9]|\d{2,}) (minutes|hours|days))\)", rule["ScheduleExpression"]
        )
        assert len(rule["Targets"]) <= 5


def test_alarms_are_within_the_bounds_of_cloudwatch(templates: list[Template]) -> None:
    alarms = every(templates, "AWS::CloudWatch::Alarm")
    assert len(alarms) >= 10
    for alarm in alarms:
        assert len(alarm["AlarmDescription"]) <= 1024
        assert len(alarm.get("Dimensions", [])) <= 30
        for actions in ("AlarmActions", "OKActions", "InsufficientDataActions"):
            assert len(alarm.get(actions, [])) <= 5
        periods = [alarm["Period"]] if "Period" in alarm else []
        periods += [each["MetricStat"]["Period"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
        assert len(alarm.get("Metrics", [])) <= 10
        for period in periods:
            assert period in (10, 20, 30) or period % 60 == 0
            # One day at most, or a week with periods of an hour or more.
            assert period * alarm["EvaluationPeriods"] <= (604_800 if period >= 3600 else 86_400)
        assert 1 <= alarm.get("DatapointsToAlarm", 1) <= alarm["EvaluationPeriods"]


def test_the_dashboard_shows_no_more_metrics_than_cloudwatch_does(main: Template) -> None:
    [dashboard] = every([main], "AWS::CloudWatch::Dashboard")
    widgets = json.loads(dashboard["DashboardBody"])["widgets"]
    counts = [len(widget["properties"].get("metrics", [])) for widget in widgets]
    assert max(counts) <= 500
    assert sum(counts) <= 2500
    assert len(widgets) <= 500


def test_the_api_has_no_more_resources_than_api_gateway_takes(main: Template) -> None:
    for api in every([main], "AWS::ApiGateway::RestApi"):
        paths = [path.strip("/").split("/") for path in api["Body"]["paths"]]
        resources = {tuple(path[: depth + 1]) for path in paths for depth in range(len(path))}
        assert len(resources) <= 300
        assert len(json.dumps(api["Body"])) <= 6 * 1024 * 1024
    for stage in every([main], "AWS::ApiGateway::Stage"):
        assert len(stage["AccessLogSetting"]["Format"]) <= 3 * 1024


def test_cloudfront_is_within_its_quotas(main: Template) -> None:
    [distribution] = (each["DistributionConfig"] for each in every([main], "AWS::CloudFront::Distribution"))
    assert len(distribution["Comment"]) <= 128
    assert len(distribution["Origins"]) <= 100
    assert len(distribution["CacheBehaviors"]) <= 75
    assert len(distribution["Aliases"]) <= 100
    for origin in distribution["Origins"]:
        headers = {each["HeaderName"]: each["HeaderValue"] for each in origin.get("OriginCustomHeaders", [])}
        assert len(headers) <= 30
        assert all(len(name) <= 256 and len(value) <= 1783 for name, value in headers.items())
        assert sum(len(name) + len(value) for name, value in headers.items()) <= 10_240
        # Some of the names that CloudFront does not add to requests.
        assert not any(re.match("(?i)x-amz-|x-edge-|host$|cookie$|via$|connection$", name) for name in headers)
        assert 1 <= origin.get("CustomOriginConfig", {}).get("OriginReadTimeout", 30) <= 120
    for behavior in distribution["CacheBehaviors"]:
        assert re.fullmatch(r"[A-Za-z0-9_.*$/~\"'@:+&?-]{1,255}", behavior["PathPattern"])
    errors = [each["ErrorCode"] for each in distribution["CustomErrorResponses"]]
    assert set(errors) <= {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
    assert len(set(errors)) == len(errors)


def test_policies_of_cloudfront_are_within_their_quotas(main: Template) -> None:
    caches = [each["CachePolicyConfig"] for each in every([main], "AWS::CloudFront::CachePolicy")]
    for policy in caches:
        inner = policy["ParametersInCacheKeyAndForwardedToOrigin"]
        lists = {
            "CookiesConfig": "Cookies",
            "HeadersConfig": "Headers",
            "QueryStringsConfig": "QueryStrings",
        }
        for part, name in lists.items():
            assert len(inner[part].get(name, [])) <= 10
        assert not {"accept-encoding", "authorization"} & {
            each.lower() for each in inner["HeadersConfig"].get("Headers", [])
        }
        assert policy["MinTTL"] <= policy["DefaultTTL"] <= policy["MaxTTL"] <= 31_536_000
    headers = [each["ResponseHeadersPolicyConfig"] for each in every([main], "AWS::CloudFront::ResponseHeadersPolicy")]
    assert caches
    assert headers
    assert all(len(each.get("Comment", "")) <= 128 for each in [*caches, *headers])
    assert all(len(each.get("CustomHeadersConfig", {}).get("Items", [])) <= 10 for each in headers)


def test_the_function_at_the_edge_has_nothing_that_lambda_at_edge_does_not_support() -> None:
    function = combine.global_template()["Resources"]["Challenge"]["Properties"]
    unsupported = {
        "Environment",
        "Layers",
        "VpcConfig",
        "DeadLetterConfig",
        "ReservedConcurrentExecutions",
        "TracingConfig",
        "SnapStart",
        "FileSystemConfigs",
        "KmsKeyArn",
        "ImageConfig",
    }
    assert not unsupported & function.keys()
    assert function.get("Architectures", ["x86_64"]) == ["x86_64"]
    assert function.get("EphemeralStorage", {"Size": 512}) == {"Size": 512}
    assert re.match("nodejs|python", function["Runtime"])
    # For the responses of origins; a viewer's event allows only 5 seconds, 1 MB of code and 40 KB of body.
    assert function["Timeout"] <= 30
    code = combine.edge_code()
    assert len(code.encode()) <= 1_000_000
    bodies = [each["responseTemplates"]["application/json"] for each in combine.gateway_responses().values()]
    assert max(map(len, bodies)) <= 1_000_000
    roles = [each for each in combine.global_template()["Resources"].values() if each["Type"] == "AWS::IAM::Role"]
    [trust] = (each["Properties"]["AssumeRolePolicyDocument"]["Statement"] for each in roles)
    assert set(trust[0]["Principal"]["Service"]) == {"lambda.amazonaws.com", "edgelambda.amazonaws.com"}


def test_the_firewall_is_within_the_quotas_of_waf() -> None:
    template = combine.global_template()
    firewall = template["Resources"]["Firewall"]["Properties"]
    assert firewall["Scope"] == "CLOUDFRONT"
    bodies = [each["Content"] for each in firewall["CustomResponseBodies"].values()]
    assert max(map(len, bodies)) <= 4 * 1024
    assert sum(map(len, bodies)) <= 50 * 1024
    for rule in firewall["Rules"]:
        limited = rule["Statement"]["RateBasedStatement"]
        assert limited["EvaluationWindowSec"] in (60, 120, 300, 600)
        assert limited["Limit"] == {"Ref": "WafRate"}
        answer = rule["Action"]["Block"]["CustomResponse"]
        assert 200 <= answer["ResponseCode"] < 600
        assert len(answer["ResponseHeaders"]) <= 10
        assert "content-type" not in {each["Name"].lower() for each in answer["ResponseHeaders"]}
    # A rate is at least 10; 0 stands for no web ACL, and its condition leaves the resource out.
    assert template["Parameters"]["WafRate"]["MaxValue"] == 2_000_000_000
    assert template["Conditions"]["HasWaf"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "WafRate"}, 0]}]}


def test_a_presigned_url_is_one_that_s3_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials of a role end after an hour or more, and with them its URLs; ours end after five minutes."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token of the role")
    monkeypatch.setattr(bootstrap, "session", lean_session)
    client = bootstrap.client("s3")
    monkeypatch.setattr(client, "put_object", lambda **_: {})

    kept = OversizedAnswers(lambda: client, f"engawa-{STAGE}-{ACCOUNT}").keep(b"{}", "application/json", "k3v9x2mtq7ra")

    url = urlsplit(kept)
    signed = dict(parse_qsl(url.query))
    assert (url.scheme, url.netloc) == ("https", f"s3.{REGION}.amazonaws.com")
    assert url.path.startswith(f"/engawa-{STAGE}-{ACCOUNT}/answers/k3v9x2mtq7ra/")
    assert signed["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert re.fullmatch(rf"ASIAEXAMPLE/\d{{8}}/{REGION}/s3/aws4_request", signed["X-Amz-Credential"])
    assert re.fullmatch(r"\d{8}T\d{6}Z", signed["X-Amz-Date"])
    assert signed["X-Amz-SignedHeaders"] == "host"
    assert re.fullmatch("[0-9a-f]{64}", signed["X-Amz-Signature"])
    assert signed["X-Amz-Security-Token"] == "token of the role"
    assert 1 <= int(signed["X-Amz-Expires"]) == URL_SECONDS <= 604_800
    # CloudFront and API Gateway pass on a Location of this length.
    assert len(kept) < 8_192


def test_the_bound_of_the_zip_is_below_that_of_lambda() -> None:
    assert bundle.MOST_BYTES <= 50 * 1024 * 1024
