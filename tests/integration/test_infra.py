"""The output of `make package`: one complete template, in which every reference is defined."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import app as entry
from chalicelib import VERSION
from chalicelib.api import reference
from chalicelib.web.html import rendering
from infra import bundle, combine, packaging, policies, stage_settings
from infra.site import upload
from local.gateway import MIN_COMPRESSED

FUNCTIONS = {
    "APIHandler": "engawa-${Stage}",
    "Sweep": "engawa-${Stage}-sweep",
    "Clean": "engawa-${Stage}-clean",
    "Canary": "engawa-${Stage}-canary",
    "Send": "engawa-${Stage}-send",
}
PROXY_KEY = {"Fn::Sub": "{{resolve:secretsmanager:${ProxyKey}}}"}
PSEUDO = re.compile(r"AWS::\w+")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the package for prod, with an empty app in the zip; another test covers the zip."""
    build = tmp_path_factory.mktemp("build")

    def empty(zip_path: Path, work: Path, architecture: str) -> None:
        with zipfile.ZipFile(zip_path, "w") as made:
            made.writestr("app.py", "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packaging, "BUILD", build)
        patch.setattr(bundle, "build", empty)
        yield packaging.package("prod", "arm64")


@pytest.fixture(scope="module")
def template(out: Path) -> dict[str, Any]:
    return yaml.safe_load((out / "sam.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def everywhere(out: Path) -> dict[str, Any]:
    return yaml.safe_load((out / "global.yaml").read_text(encoding="utf-8"))


def of(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def named(value: Any) -> Iterator[str]:
    """Yield every logical name that a part of a template refers to."""
    if isinstance(value, list):
        for each in value:
            yield from named(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0]
            elif key == "Fn::Sub":
                text, own = (inner, {}) if isinstance(inner, str) else inner
                yield from (each.split(".")[0] for each in re.findall(r"\$\{([^!}]+)\}", text) if each not in own)
                yield from named(own)
            elif key in ("DependsOn", "Condition") and isinstance(inner, str):
                yield inner
            else:
                yield from named(inner)


def test_both_templates_are_without_a_fault_that_cfn_lint_knows(out: Path) -> None:
    names = ("sam", "global", "edge_watch", "copy")
    files = [*(str(out / f"{name}.yaml") for name in names), str(combine.INFRA / "data.yaml")]

    found = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", "ap-northeast-1", "--template", *files],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stdout) == (0, "")


def test_everything_that_is_referred_to_is_there(template: dict[str, Any], everywhere: dict[str, Any]) -> None:
    for one in (template, everywhere):
        there = {*one["Resources"], *one["Parameters"], *one["Conditions"]}
        asked = {name for name in named([one["Resources"], one["Outputs"]]) if not PSEUDO.fullmatch(name)}
        # SAM adds the alias of the API's function.
        assert asked - there <= {"APIHandlerAliaslive"}
        assert len(asked) > 3


def test_no_parameter_goes_unused(template: dict[str, Any], everywhere: dict[str, Any]) -> None:
    for one in (template, everywhere):
        assert set(one["Parameters"]) <= set(named([one["Resources"], one["Outputs"], one["Conditions"]]))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_writes_into_a_log_that_ends_and_is_named_after_it(template: dict[str, Any], function: str) -> None:
    properties = template["Resources"][function]["Properties"]

    log = template["Resources"][properties["LoggingConfig"]["LogGroup"]["Ref"]]

    assert properties["FunctionName"] == {"Fn::Sub": FUNCTIONS[function]}
    assert log["Type"] == "AWS::Logs::LogGroup"
    assert log["Properties"]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{FUNCTIONS[function]}"}
    assert log["Properties"]["RetentionInDays"] == {"Ref": "LogDays"}


def test_functions_are_those_that_the_app_has(template: dict[str, Any]) -> None:
    functions = of(template, "AWS::Serverless::Function")

    assert set(functions) == set(FUNCTIONS)
    for properties in functions.values():
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert properties["CodeUri"] == "./deployment.zip"
        variables = properties["Environment"]["Variables"]
        assert variables["ENGAWA_BUCKET"] == {"Ref": "Files"}
        assert variables["ENGAWA_CLEANING_QUEUE"] == {"Fn::GetAtt": ["Cleaning", "QueueName"]}
        assert variables["ENGAWA_PROXIES"] == "1"
        old_too = {"Fn::Sub": PROXY_KEY["Fn::Sub"] + " ${OldProxyKey}"}
        assert variables["ENGAWA_PROXY_KEY"] == {"Fn::If": ["HasOldProxyKey", old_too, PROXY_KEY]}
        assert "example.com" not in json.dumps(variables)
    assert functions["APIHandler"]["Timeout"] == 29
    [queue] = (each["Properties"] for each in functions["Clean"]["Events"].values())
    assert queue["Queue"] == {"Fn::GetAtt": ["Cleaning", "Arn"]}
    visible = template["Resources"]["Cleaning"]["Properties"]["VisibilityTimeout"]
    assert visible >= 6 * functions["Clean"]["Timeout"]


def test_each_function_has_a_role_of_its_own_that_may_do_nothing_everywhere(template: dict[str, Any]) -> None:
    functions = of(template, "AWS::Serverless::Function")
    roles = {properties["Role"]["Fn::GetAtt"][0] for properties in functions.values()}

    assert len(roles) == len(functions)
    for role in roles:
        for policy in template["Resources"][role]["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Resource"] != "*"
                assert not any(action.endswith("*") for action in statement["Action"])


def test_a_new_version_gets_a_tenth_of_the_requests_and_an_alarm_stops_it(template: dict[str, Any]) -> None:
    function = template["Resources"]["APIHandler"]["Properties"]
    preference = function["DeploymentPreference"]

    assert function["AutoPublishAlias"] == combine.ALIAS
    assert preference["Type"] == {"Fn::If": ["HasSteps", "Canary10Percent5Minutes", "AllAtOnce"]}
    alarms = [each["Ref"] for each in preference["Alarms"]["Fn::If"][1]]
    assert alarms == list(combine.ROLLBACK_ALARMS)
    assert 0 < len(alarms) <= 10
    for name in alarms:
        alarm = template["Resources"][name]
        assert (alarm["Type"], "Condition" in alarm) == ("AWS::CloudWatch::Alarm", False)
    assert preference["Alarms"]["Fn::If"][2] == [{"Ref": "AWS::NoValue"}]
    [statement] = template["Resources"]["RolloutRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "codedeploy.amazonaws.com"}


def test_the_stack_says_which_version_it_is(template: dict[str, Any]) -> None:
    assert template["Outputs"]["Version"]["Value"] == VERSION
    assert template["Outputs"]["Commit"]["Value"] == {"Ref": "Commit"}
    variables = template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert variables["ENGAWA_COMMIT"] == {"Ref": "Commit"}


def test_data_outlive_their_stack_and_come_back_from_mistakes(template: dict[str, Any]) -> None:
    tables = of(template, "AWS::DynamoDB::Table")
    assert len(tables) == 8
    for name, table in tables.items():
        # Not just Retain: a failed first deployment deletes its tables, and the second deployment creates them again.
        assert template["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert template["Resources"][name]["UpdateReplacePolicy"] == "Retain"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        # DynamoDB encrypts in any case; True is KMS's key for DynamoDB, False the key that AWS owns.
        assert table["SSESpecification"] == {"SSEEnabled": {"Fn::If": ["HasKms", True, False]}}
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsProd", True, False]}
    assert template["Conditions"]["HasKms"] == {"Fn::Equals": [{"Ref": "Encryption"}, "kms"]}
    assert template["Parameters"]["Encryption"]["Default"] == "owned"
    bucket = template["Resources"]["Files"]
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}


def test_a_deleted_image_stays_as_long_as_tables_can_be_restored(out: Path, template: dict[str, Any]) -> None:
    """DynamoDB restores the last 35 days, unless RecoveryPeriodInDays says fewer."""
    copied = yaml.safe_load((out / "copy.yaml").read_text(encoding="utf-8"))
    for bucket in (template["Resources"]["Files"], copied["Resources"]["Files"]):
        assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
        assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
        rules = {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}
        images = rules["images"]
        assert (images["Prefix"], images["NoncurrentVersionExpiration"]) == ("images/", {"NoncurrentDays": 35})
        # S3 refuses it beside a number of days after which objects expire.
        assert images["ExpiredObjectDeleteMarker"] is True
        assert "ExpirationInDays" not in images
        assert rules["uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
        if answers := rules.get("answers"):
            assert (answers["Prefix"], answers["ExpirationInDays"]) == ("answers/", 1)
            assert answers["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
            assert "ExpiredObjectDeleteMarker" not in answers
    for table in of(template, "AWS::DynamoDB::Table").values():
        assert "RecoveryPeriodInDays" not in table["PointInTimeRecoverySpecification"]


def test_no_function_reaches_old_versions_of_images(template: dict[str, Any]) -> None:
    roles = {name: json.dumps(each) for name, each in of(template, "AWS::IAM::Role").items() if name != "CopyRole"}

    assert len(roles) > 2
    assert not [name for name, text in roles.items() if re.search(r"s3:\w*(Version|Replica)", text)]
    policy = template["Resources"]["FilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {each["Action"] for each in policy if each["Effect"] == "Allow"} == {"s3:GetObject"}


def test_images_alone_are_replicated_by_a_role_that_may_do_nothing_else(template: dict[str, Any]) -> None:
    bucket, role = template["Resources"]["Files"]["Properties"], template["Resources"]["CopyRole"]
    [has, replication, nothing] = bucket["ReplicationConfiguration"]["Fn::If"]

    assert (has, nothing, role["Condition"]) == ("HasCopy", {"Ref": "AWS::NoValue"}, "HasCopy")
    assert template["Parameters"]["CopyRegion"]["Default"] == ""
    [rule] = replication["Rules"]
    # With a filter, S3 wants to know both of these.
    assert (rule["Filter"], rule["Priority"]) == ({"Prefix": "images/"}, 1)
    assert rule["DeleteMarkerReplication"] == {"Status": "Enabled"}
    copied = rule["Destination"]["Bucket"]["Fn::Sub"]
    assert copied == "arn:${AWS::Partition}:s3:::engawa-${Stage}-${AWS::AccountId}-copy"
    [policy] = role["Properties"]["Policies"]
    allowed = {
        action: each["Resource"]["Fn::Sub"]
        for each in policy["PolicyDocument"]["Statement"]
        for action in each["Action"]
    }
    own = copied.removesuffix("-copy")
    assert allowed == {
        "s3:GetReplicationConfiguration": own,
        "s3:ListBucket": own,
        **dict.fromkeys(
            ("s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"),
            f"{own}/images/*",
        ),
        **dict.fromkeys(("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"), f"{copied}/images/*"),
    }


@pytest.mark.parametrize(
    ("region", "valid"),
    [("", True), ("ap-northeast-3", True), ("us-gov-west-1", True), ("Osaka", False), ("ap-northeast", False)],
)
def test_the_region_of_a_copy_looks_like_one(template: dict[str, Any], region: str, valid: bool) -> None:
    assert bool(re.fullmatch(template["Parameters"]["CopyRegion"]["AllowedPattern"], region)) is valid


def test_the_bucket_is_open_to_cloudfront_and_over_tls_alone(template: dict[str, Any]) -> None:
    policy = template["Resources"]["FilesPolicy"]["Properties"]["PolicyDocument"]["Statement"]

    by_name = {statement["Sid"]: statement for statement in policy}

    assert set(by_name) == {"OnlyTLS", "ImagesByCloudFront", "DocsByCloudFront"}
    assert by_name["OnlyTLS"]["Effect"] == "Deny"
    for name, folder in (("ImagesByCloudFront", "images"), ("DocsByCloudFront", "sites")):
        statement = by_name[name]
        assert statement["Resource"] == {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Files}/" + folder + "/*"}
        assert statement["Action"] == "s3:GetObject"
        assert "Distribution" in set(named(statement["Condition"]))


def test_alarms_tell_somebody_and_watch_what_is_there(template: dict[str, Any]) -> None:
    alarms = of(template, "AWS::CloudWatch::Alarm")

    watched = set()
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}], name
        metrics = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
        for metric in metrics or [alarm]:
            watched.add((metric["Namespace"], metric["MetricName"]))
            for dimension in metric["Dimensions"]:
                # By reference, except for our own metrics, and for the API's, which use the API's name.
                given = {"Engawa": {"Ref": "Stage"}}.get(metric["Namespace"], {"Fn::Sub": "engawa-${Stage}"})
                assert dimension["Value"] == given or set(named(dimension["Value"])) <= {*template["Resources"]}, name
    api = template["Resources"]["RestAPI"]["Properties"]
    assert api["Name"] == api["DefinitionBody"]["info"]["title"] == {"Fn::Sub": "engawa-${Stage}"}
    assert {
        ("Engawa", "ErrorAnswers"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "Errors"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/DynamoDB", "WriteThrottleEvents"),
    } <= watched
    for metric in ("ReadThrottleEvents", "WriteThrottleEvents"):
        tables = {
            name
            for alarm in alarms.values()
            for each in alarm.get("Metrics", [])
            if each.get("MetricStat", {}).get("Metric", {}).get("MetricName") == metric
            for name in named(each)
        }
        assert tables == set(of(template, "AWS::DynamoDB::Table"))


def test_basic_monitoring_has_the_alarms_that_nothing_else_shows_and_one_metric_of_its_own(
    template: dict[str, Any],
) -> None:
    alarms = of(template, "AWS::CloudWatch::Alarm")
    full = {name for name, each in template["Resources"].items() if each.get("Condition") == "HasFullMonitoring"}

    assert template["Parameters"]["Monitoring"]["Default"] == "basic"
    assert template["Conditions"]["HasFullMonitoring"] == {"Fn::Equals": [{"Ref": "Monitoring"}, "full"]}
    assert alarms.keys() - full == {
        "ServerErrors",
        "CanaryFailures",
        "CanaryMissing",
        "SweepFailures",
        "SweepMissing",
        "DeadLetters",
    }
    assert full - alarms.keys() == {"Dashboard", "UnhandledErrorLines"}
    # Nothing that remains refers to what is left out, and the logs and the budget remain.
    remaining = {name: each for name, each in template["Resources"].items() if name not in full}
    assert not full & set(named([remaining, template["Outputs"]]))
    assert {each["Type"] for each in remaining.values()} >= {"AWS::Logs::LogGroup", "AWS::Budgets::Budget"}
    own = {name for name in alarms.keys() - full if '"Engawa"' in json.dumps(alarms[name])}
    assert own == {"ServerErrors"}
    assert "ErrorAnswerLines" in remaining
    for properties in of(template, "AWS::Serverless::Function").values():
        wanted = {"Fn::If": ["HasFullMonitoring", "1", "0"]}
        assert properties["Environment"]["Variables"]["ENGAWA_METRICS"] == wanted
    # The functions' roles are the same: both ways write the same log lines.
    roles = {name: each for name, each in of(template, "AWS::IAM::Role").items() if name != "RolloutRole"}
    assert "cloudwatch:" not in json.dumps(roles)


def test_the_canary_can_be_switched_off(template: dict[str, Any]) -> None:
    [event] = template["Resources"]["Canary"]["Properties"]["Events"].values()

    assert event["Properties"] == {
        "Schedule": "rate(5 minutes)",
        "State": {"Fn::If": ["HasCanary", "ENABLED", "DISABLED"]},
    }
    assert template["Conditions"]["HasCanary"] == {"Fn::Equals": [{"Ref": "CanaryRuns"}, "yes"]}
    assert template["Parameters"]["CanaryRuns"]["Default"] == "yes"
    watching = {name for name, each in template["Resources"].items() if each.get("Condition") == "HasCanary"}
    assert watching == {"CanaryFailures", "CanaryMissing"}


def test_the_dashboard_is_json_and_shows_every_table(template: dict[str, Any]) -> None:
    body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]

    shown = json.dumps(json.loads(body))

    for table in of(template, "AWS::DynamoDB::Table").values():
        assert table["TableName"]["Fn::Sub"] in shown


def test_cloudfront_keeps_nothing_of_the_api(template: dict[str, Any]) -> None:
    configuration = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    api = configuration["DefaultCacheBehavior"]

    # CachingDisabled and AllViewerExceptHostHeader; AWS uses these ids in every account.
    assert api["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert api["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} <= set(api["AllowedMethods"])
    errors = {each["ErrorCode"]: each for each in configuration["CustomErrorResponses"]}
    assert set(errors) == {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504}
    assert all(set(each) == {"ErrorCode", "ErrorCachingMinTTL"} for each in errors.values())
    assert {each["ErrorCachingMinTTL"] for each in errors.values()} == {0}


def test_the_api_compresses_and_cloudfront_does_not(template: dict[str, Any]) -> None:
    """CloudFront would turn a strong ETag into a weak one, with which `If-Match` always fails."""
    api = template["Resources"]["RestAPI"]["Properties"]
    configuration = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]

    assert api["MinimumCompressionSize"] == MIN_COMPRESSED
    assert api["DefinitionBody"]["x-amazon-apigateway-minimum-compression-size"] == MIN_COMPRESSED
    behaviors = [configuration["DefaultCacheBehavior"], *configuration["CacheBehaviors"]]
    # The pages of /docs do not come from the API.
    assert [each["TargetOriginId"] for each in behaviors if each.get("Compress")] == ["docs"]


def test_paths_have_no_stage_in_them(template: dict[str, Any]) -> None:
    configuration = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    origins = {each["Id"]: each for each in configuration["Origins"]}

    assert origins["api"]["OriginCustomHeaders"] == [
        {"HeaderName": "X-Engawa-Proxy-Key", "HeaderValue": PROXY_KEY},
    ]
    assert origins["api"]["OriginPath"] == "/" + template["Resources"]["RestAPI"]["Properties"]["StageName"]
    assert configuration["DefaultCacheBehavior"]["TargetOriginId"] == "api"
    assert [(each["PathPattern"], each["TargetOriginId"]) for each in configuration["CacheBehaviors"]] == [
        ("pages/*", "api"),
        ("images/*", "files"),
        ("docs/*", "docs"),
    ]


def test_pages_of_the_documentation_have_the_same_headers_from_the_bucket(template: dict[str, Any]) -> None:
    policy = of(template, "AWS::CloudFront::ResponseHeadersPolicy")["DocsHeaders"]["ResponseHeadersPolicyConfig"]
    headers = policy["SecurityHeadersConfig"]

    assert headers["ContentSecurityPolicy"]["Override"] is True
    policy = headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    assert re.sub(r" https://\S+/\$\{Files\}/answers/", "", policy) == reference.POLICY
    assert policy.count("/answers/") == 2
    assert headers["ContentTypeOptions"] == {"Override": True}
    given = {
        "X-Frame-Options": headers["FrameOptions"]["FrameOption"],
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": headers["ReferrerPolicy"]["ReferrerPolicy"],
    }
    # Only the app's own error pages need the referrer.
    assert given == rendering.GUARDS | {"Referrer-Policy": "no-referrer"}


def test_a_template_names_the_folder_of_the_present_pages(template: dict[str, Any]) -> None:
    combine.show_pages(template := copy.deepcopy(template), upload.folder())
    origins = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]["Origins"]
    [docs] = [each for each in origins if each["Id"] == "docs"]
    assert re.fullmatch(r"/sites/[0-9a-f]{32}", docs["OriginPath"])
    assert docs["DomainName"] == next(each["DomainName"] for each in origins if each["Id"] == "files")


def test_feed_pages_are_kept_by_what_makes_them_differ_and_for_seconds(template: dict[str, Any]) -> None:
    policy = of(template, "AWS::CloudFront::CachePolicy")["FeedPagesCache"]["CachePolicyConfig"]
    by = policy["ParametersInCacheKeyAndForwardedToOrigin"]

    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, 10)
    assert by["CookiesConfig"]["Cookies"] == ["__Host-engawa", "engawa", "engawa-language"]
    # Otherwise a client that takes no gzip would get another client's compressed copy.
    assert by["EnableAcceptEncodingGzip"] is True
    assert by["HeadersConfig"]["Headers"] == ["Accept-Language"]
    assert by["QueryStringsConfig"]["QueryStrings"] == ["cursor", "lang"]
    configuration = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    behavior, default = configuration["CacheBehaviors"][0], configuration["DefaultCacheBehavior"]
    differs = {name for name in behavior.keys() | default.keys() if behavior.get(name) != default.get(name)}
    assert differs == {"PathPattern", "CachePolicyId"}
    assert behavior["CachePolicyId"] == {"Ref": "FeedPagesCache"}


def test_http_without_tls_is_for_those_who_ask_for_it(template: dict[str, Any]) -> None:
    configuration = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]

    for behavior in (configuration["DefaultCacheBehavior"], *configuration["CacheBehaviors"]):
        assert behavior["ViewerProtocolPolicy"] == {"Fn::If": ["HasPlainHttp", "allow-all", "redirect-to-https"]}
    assert template["Parameters"]["PlainHttp"]["Default"] == "no"


def test_browsers_remember_to_ask_by_https(template: dict[str, Any]) -> None:
    policies = of(template, "AWS::CloudFront::ResponseHeadersPolicy")
    configuration = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]

    told = policies["ApiHeaders"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["StrictTransportSecurity"]
    assert told["AccessControlMaxAgeSec"] >= 31_536_000
    # If old clients need http, this policy does not exist.
    chosen = configuration["DefaultCacheBehavior"]["ResponseHeadersPolicyId"]
    assert chosen == {"Fn::If": ["HasPlainHttp", {"Ref": "AWS::NoValue"}, {"Ref": "ApiHeaders"}]}
    assert template["Resources"]["ApiHeaders"]["Condition"] == "HasTlsAlone"
    assert template["Conditions"]["HasTlsAlone"] == {"Fn::Not": [{"Condition": "HasPlainHttp"}]}


def test_logs_have_no_query_string_in_them(template: dict[str, Any]) -> None:
    api = template["Resources"]["RestAPI"]["Properties"]

    fields = set(re.findall(r"\$context\.([\w.]+)", api["AccessLogSetting"]["Format"]))

    assert "requestId" in fields
    # `path` has no query string, but ids; the others would contain data sent by clients.
    assert not fields & {"path", "identity.sourceIp", "identity.userAgent", "identity.apiKey"}
    assert not any(field.startswith(("querystring", "requestOverride", "authorizer")) for field in fields)
    line = re.sub(r'"?\$context\.[\w.]+"?', "1", api["AccessLogSetting"]["Format"])
    assert json.loads(line)["requestId"] == 1
    assert [(each["LoggingLevel"], each["DataTraceEnabled"]) for each in api["MethodSettings"]] == [("OFF", False)]


def test_what_never_reaches_the_app_is_answered_in_its_words(template: dict[str, Any]) -> None:
    from chalicelib.core import errors

    words = {
        each.error for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.Refusal)
    }
    body = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    responses = body["x-amazon-apigateway-gateway-responses"]

    for kind, response in responses.items():
        said = json.loads(response["responseTemplates"]["application/json"])
        assert list(said) == ["error", "error_description"]
        assert said["error"] in words, kind
        parameters = response["responseParameters"]
        assert parameters["gatewayresponse.header.Content-Type"] == "'application/json; charset=utf-8'"
        assert "$context" not in json.dumps(response)
    statuses = {kind: response.get("statusCode") for kind, response in responses.items()}
    assert statuses["MISSING_AUTHENTICATION_TOKEN"] == statuses["INVALID_SIGNATURE"] == "404"
    assert statuses["REQUEST_TOO_LARGE"] == "413"
    assert (statuses["THROTTLED"], statuses["INTEGRATION_TIMEOUT"]) == ("429", "504")
    assert statuses["DEFAULT_4XX"] is statuses["DEFAULT_5XX"] is None
    assert "multipart/form-data" in body["x-amazon-apigateway-binary-media-types"]


def test_the_function_at_the_edge_is_new_when_its_code_is(everywhere: dict[str, Any]) -> None:
    version = everywhere["Outputs"]["ChallengeFunction"]["Value"]["Ref"]

    assert everywhere["Resources"][version]["Type"] == "AWS::Lambda::Version"
    assert re.fullmatch("ChallengeVersion[0-9a-f]{8}", version)
    code = everywhere["Resources"]["Challenge"]["Properties"]["Code"]["ZipFile"]
    assert code == combine.edge_code()


def test_the_gateway_has_every_method_of_every_route(template: dict[str, Any]) -> None:
    """This includes HEAD and OPTIONS: a method unknown to the gateway never reaches the function."""
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    routes = entry.create_app(lambda: None).routes  # type: ignore[arg-type,return-value]
    assert {path: {*methods} for path, methods in paths.items()} == {
        path: {method.lower() for method in methods} for path, methods in routes.items()
    }
    assert {"get", "head"} == {*paths["/health"]}


@pytest.fixture(scope="module")
def url_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the package for prod with a function URL."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packaging, "BUILD", tmp_path_factory.mktemp("build"))
        patch.setattr(bundle, "build", lambda made, *_: zipfile.ZipFile(made, "w").close())
        yield packaging.package("prod", "arm64", front=combine.URL)


@pytest.fixture(scope="module")
def url_template(url_out: Path) -> dict[str, Any]:
    return yaml.safe_load((url_out / "sam.yaml").read_text(encoding="utf-8"))


def test_with_a_function_url_nothing_of_api_gateway_is_left(
    template: dict[str, Any], url_template: dict[str, Any]
) -> None:
    text = json.dumps(url_template)
    assert not re.findall(r"ApiGateway|RestAPI|execute-api|apigateway", text)
    gone = {"RestAPI", "APIHandlerInvokePermission", "AccessLogs", "GatewayLogsRole", "GatewayAccount"}
    new = {"ApiUrl", "ApiUrlPermission", "ApiUrlInvokePermission"}
    assert set(url_template["Resources"]) == (set(template["Resources"]) - gone) | new
    # What both have is the same, except for what names the API, its metrics, and the issuer.
    both = set(url_template["Resources"]) & set(template["Resources"])
    differing = {name for name in both if url_template["Resources"][name] != template["Resources"][name]}
    assert differing == {"APIHandler", "Distribution", "Dashboard", "SlowAnswers"}


def test_the_template_with_a_function_url_is_complete_and_without_a_fault(
    url_out: Path, url_template: dict[str, Any]
) -> None:
    there = {*url_template["Resources"], *url_template["Parameters"], *url_template["Conditions"]}
    asked = set(named([url_template["Resources"], url_template["Outputs"], url_template["Conditions"]]))
    assert {name for name in asked if not PSEUDO.fullmatch(name)} - there == {"APIHandlerAliaslive"}
    assert set(url_template["Parameters"]) <= asked

    found = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", "ap-northeast-1", "--template", url_out / "sam.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (found.returncode, found.stdout) == (0, "")


def test_the_function_url_is_open_but_the_function_is_not(url_template: dict[str, Any]) -> None:
    assert of(url_template, "AWS::Lambda::Url") == {
        "ApiUrl": {"AuthType": "NONE", "TargetFunctionArn": {"Ref": "APIHandler"}, "Qualifier": "live"}
    }
    assert url_template["Resources"]["ApiUrl"]["DependsOn"] == "APIHandlerAliaslive"
    everyone = {"FunctionName": {"Ref": "APIHandlerAliaslive"}, "Principal": "*"}
    assert of(url_template, "AWS::Lambda::Permission") == {
        "ApiUrlPermission": {**everyone, "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
        "ApiUrlInvokePermission": {**everyone, "Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
    }


def test_cloudfront_calls_the_function_url_with_its_key(url_template: dict[str, Any]) -> None:
    configuration = url_template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    api, *files = configuration["Origins"]

    assert [each["Id"] for each in files] == ["docs", "files"]
    assert api.keys() == {"Id", "DomainName", "OriginCustomHeaders", "CustomOriginConfig"}
    assert api["DomainName"] == {"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::GetAtt": ["ApiUrl", "FunctionUrl"]}]}]}
    assert api["OriginCustomHeaders"] == [{"HeaderName": "X-Engawa-Proxy-Key", "HeaderValue": PROXY_KEY}]
    # Host is not passed on, and CloudFront-Viewer-Address is added.
    assert configuration["DefaultCacheBehavior"]["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def test_the_function_url_is_limited_by_its_concurrency(url_template: dict[str, Any]) -> None:
    concurrency = url_template["Parameters"]["ApiConcurrency"]

    assert (concurrency["MinValue"], "Default" in concurrency) == (1, False)
    assert url_template["Resources"]["APIHandler"]["Properties"]["ReservedConcurrentExecutions"] == {
        "Fn::If": ["HasApiConcurrency", {"Ref": "ApiConcurrency"}, {"Ref": "AWS::NoValue"}]
    }


def test_alarms_and_the_dashboard_watch_the_function_url(url_template: dict[str, Any]) -> None:
    alarms = of(url_template, "AWS::CloudWatch::Alarm")
    function = [{"Name": "FunctionName", "Value": {"Fn::Sub": "engawa-${Stage}"}}]

    slow = alarms["SlowAnswers"]
    assert (slow["Namespace"], slow["MetricName"], slow["Dimensions"]) == ("AWS/Lambda", "Duration", function)
    widgets = json.loads(url_template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
    assert widgets[0]["properties"]["metrics"] == [
        ["AWS/Lambda", "UrlRequestCount", "FunctionName", "engawa-${Stage}"],
        [".", "Url4xxCount", ".", "."],
        [".", "Url5xxCount", ".", "."],
    ]
    assert [each[:4] for each in widgets[1]["properties"]["metrics"]] == [
        ["AWS/Lambda", "Duration", "FunctionName", "engawa-${Stage}"]
    ] * 3


def test_every_gateway_response_has_the_id_of_its_request() -> None:
    for response in combine.gateway_responses().values():
        # An expression, which API Gateway evaluates; in quotes it would be sent as it is.
        assert response["responseParameters"]["gatewayresponse.header.X-Request-Id"] == "context.requestId"


def test_the_function_at_the_edge_knows_our_words_for_the_errors_of_aws(everywhere: dict[str, Any]) -> None:
    code = everywhere["Resources"]["Challenge"]["Properties"]["Code"]["ZipFile"]

    errors = json.loads(code.partition("const ERRORS = ")[2].partition(";\n")[0].partition("; //")[0])
    responses = combine.gateway_responses()
    for status, kind in {"413": "REQUEST_TOO_LARGE", "429": "THROTTLED", "5XX": "DEFAULT_5XX"}.items():
        assert errors[status]["body"] == responses[kind]["responseTemplates"]["application/json"]
    assert errors["429"]["headers"] == {
        "Content-Type": "application/json; charset=utf-8",
        "Access-Control-Allow-Origin": "*",
        "Link": '</docs/en/errors/service_unavailable>; rel="help"',
        "Retry-After": "1",
    }


@pytest.mark.parametrize("warm", ["snapstart", "3"])
def test_cold_starts_can_be_bought_off(template: dict[str, Any], warm: str) -> None:
    kept = json.loads(json.dumps(template))

    combine.finish(kept, "prod", warm)

    function = kept["Resources"]["APIHandler"]["Properties"]
    assert ("SnapStart" in function) == (warm == "snapstart")
    assert ("ProvisionedConcurrencyConfig" in function) == (warm == "3")


def test_the_gateway_calls_the_version_of_the_alias(template: dict[str, Any]) -> None:
    assert template["Resources"]["APIHandlerInvokePermission"]["Properties"]["FunctionName"] == {
        "Ref": "APIHandlerAliaslive"
    }
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    for methods in paths.values():
        for method in methods.values():
            uri = method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]
            assert uri.endswith(":function:engawa-${Stage}:live/invocations")


@pytest.mark.parametrize("warm", ["hot", "0", "-1", "1.5"])
def test_a_word_for_warmth_that_is_none_is_refused(template: dict[str, Any], warm: str) -> None:
    with pytest.raises(ValueError, match="WARM must be"):
        combine.finish(json.loads(json.dumps(template)), "prod", warm)


def test_a_version_is_renewed_with_its_environment(template: dict[str, Any]) -> None:
    def version(domain: str, timeout: int = 29) -> str:
        made = json.loads(json.dumps(template))
        made["Resources"]["APIHandler"]["Properties"]["Timeout"] = timeout
        combine.renew(made, {"Domain": domain})
        return made["Resources"]["APIHandler"]["Properties"]["AutoPublishCodeSha256"]

    assert version("a.example") == version("a.example")
    assert len({version("a.example"), version("b.example"), version("a.example", 28)}) == 3


def test_what_outlives_its_stack_has_a_name_that_no_function_makes(template: dict[str, Any]) -> None:
    """CloudFormation imports existing resources only by such names (import-resources-automatically, user guide)."""
    deployed = json.loads(json.dumps(template))

    combine.name(deployed, "prod", "123456789012")

    names = [
        each["Properties"][key]
        for each in deployed["Resources"].values()
        for key in ("TableName", "BucketName", "LogGroupName")
        if each.get("DeletionPolicy") == "RetainExceptOnCreate" and key in each["Properties"]
    ]
    assert len(names) == len(of(template, "AWS::DynamoDB::Table")) + 1 + len(of(template, "AWS::Logs::LogGroup"))
    assert {"engawa-prod-appdata", "engawa-prod-123456789012", "/aws/lambda/engawa-prod"} < set(names)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_chalice_by_itself_subscribes_to_the_queue_of_the_stage(stage: str) -> None:
    """The test loads the app as Chalice's command line does; the app names the queue at import."""
    program = (
        "import os, sys; from chalice.cli.factory import CLIFactory;"
        "config = CLIFactory(sys.argv[1], environ=os.environ).create_config_obj(sys.argv[2]);"
        "print(*(each.queue for each in config.chalice_app.event_sources if hasattr(each, 'queue')))"
    )
    bare = {name: value for name, value in os.environ.items() if not name.startswith("ENGAWA_")}

    done = subprocess.run(
        [sys.executable, "-c", program, str(packaging.ROOT), stage],
        env=bare,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == f"engawa-{stage}-cleaning"


OWN_STAGE = """
[prod2]
architecture = "x86_64"
warm = 3
tracing = true
[prod2.settings]
ENGAWA_QUOTA_BYTES = 20000000
ENGAWA_SIGNED_URLS = "http://api.mixi-platform.com"
[prod2.functions]
api_handler = {memory = 2048, timeout = 20}
clean.memory = 256
"""


def test_a_stage_of_ones_own_is_packaged_without_a_change_of_tracked_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packaging, "BUILD", tmp_path)
    monkeypatch.setattr(bundle, "build", lambda made, *_: zipfile.ZipFile(made, "w").close())
    (tmp_path / "engawa.toml").write_text(OWN_STAGE, encoding="utf-8")
    said = stage_settings.read("prod2", environment={"ENGAWA_CONFIG": str(tmp_path / "engawa.toml")})

    out = packaging.package("prod2", said.architecture, said.warm, said.front, said.app)

    text = (out / "sam.yaml").read_text(encoding="utf-8")
    template = yaml.safe_load(text)
    functions = of(template, "AWS::Serverless::Function")
    assert template["Parameters"]["Stage"]["Default"] == "prod2"
    assert {name: (each["MemorySize"], each["Timeout"]) for name, each in functions.items()} == {
        "APIHandler": (2048, 20),
        "Sweep": (512, 60),
        "Clean": (256, 60),
        "Canary": (512, 40),
        "Send": (512, 60),
    }
    for each in functions.values():
        variables = each["Environment"]["Variables"]
        assert variables["ENGAWA_QUOTA_BYTES"] == "20000000"
        assert variables["ENGAWA_SIGNED_URLS"] == "http://api.mixi-platform.com"
        assert variables["ENGAWA_STAGE"] == {"Ref": "Stage"}
        assert (each["Architectures"], each["Tracing"]) == (["x86_64"], "Active")
    kept = functions["APIHandler"]["ProvisionedConcurrencyConfig"]
    assert kept == {"ProvisionedConcurrentExecutions": 3}
    # The policies are those of this stage, and those of the declarations.
    documents = [
        policy["PolicyDocument"]
        for role in of(template, "AWS::IAM::Role").values()
        for policy in role.get("Policies", ())
        if "Sid" in policy["PolicyDocument"]["Statement"][0]
    ]
    for expected in policies.of_stage("prod2", traced=True).values():
        assert expected in documents
    assert "table/engawa-prod2-appdata" in text
    assert not re.search(r"engawa-(prod|dev)\b", json.dumps([template["Resources"][name] for name in roles(template)]))


def roles(template: dict[str, Any]) -> set[str]:
    """Return the logical names of the functions' roles."""
    return {each["Role"]["Fn::GetAtt"][0] for each in of(template, "AWS::Serverless::Function").values()}


def test_prod_and_dev_have_the_committed_policies(out: Path) -> None:
    for path in (out / "policies").iterdir():
        committed = packaging.CONFIG.parent / "policies" / "prod" / path.name
        assert path.read_text(encoding="utf-8") == committed.read_text(encoding="utf-8")
    assert len(list((out / "policies").iterdir())) == len(FUNCTIONS)
