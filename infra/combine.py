"""The templates of infra/*.yaml, merged for `chalice package --merge-template`, and the last changes to its output.

`merge_template` merges data.yaml (tables, bucket, queues), edge.yaml (CloudFront), watch.yaml (logs, alarms) and
functions.yaml (settings of the functions that Chalice does not support), and puts the gateway responses of gateway.yaml
into the API's definition. `finish` then makes the changes that a merge cannot make, because Chalice chooses the names
of events and integrations, and replaces API Gateway by a function URL (url.yaml) if that is the front.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from chalicelib import VERSION
from chalicelib.web.error_answers import help_link

INFRA = Path(__file__).resolve().parent
PARTS = ("data", "edge", "watch", "functions")
DESCRIPTION = "Engawa, all of it but what must be in us-east-1 (global.yaml, edge_watch.yaml)."
ALIAS = "live"
STEPS, AT_ONCE = "steps", "at-once"
COLD, SNAPSTART = "cold", "snapstart"
FRONTS = REST, URL = "rest", "url"
"""The fronts: API Gateway's REST API, which Chalice makes, or a function URL."""
ROLLBACK_ALARMS = ("ServerErrors",)
"""The alarms, by their logical ids, that end a deployment in steps: those that need no condition, watch the requests of
users, and ring within five minutes. At most ten: docs.aws.amazon.com/codedeploy/latest/userguide/limits.html"""
_GATEWAY_METRICS = "AWS/ApiGateway"
_METRICS = {
    "Count": "UrlRequestCount",
    "4XXError": "Url4xxCount",
    "5XXError": "Url5xxCount",
    # AWS names percentiles for this metric, but only averages and maxima for UrlRequestLatency:
    # docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html, …/urls-monitoring.html
    "Latency": "Duration",
}
"""Metrics of a function URL in place of those of API Gateway."""
_BY_STATUS = {
    "ACCESS_DENIED": "403",
    "MISSING_AUTHENTICATION_TOKEN": "404",
    "REQUEST_TOO_LARGE": "413",
    "THROTTLED": "429",
    "INTEGRATION_FAILURE": "502",
    "INTEGRATION_TIMEOUT": "504",
    "DEFAULT_4XX": "4XX",
    "DEFAULT_5XX": "5XX",
}
"""The gateway responses that the function at the edge gives for a status of a function URL or of S3."""
_NAMES = {"TableName", "BucketName", "LogGroupName"}

Template = dict[str, Any]


def merge_template() -> Template:
    """Return everything that is added to Chalice's own template."""
    merged: Template = {}
    for part in PARTS:
        merged = _merged(merged, _part(part))
    merged["Description"] = DESCRIPTION
    merged["Outputs"]["Version"]["Value"] = VERSION
    rollout = merged["Resources"]["APIHandler"]["Properties"]["DeploymentPreference"]
    rollout["Alarms"]["Fn::If"][1] = [{"Ref": name} for name in ROLLBACK_ALARMS]
    # If the API's definition has a title, it becomes the name of the API, which also names its metrics.
    title = merged["Resources"]["RestAPI"]["Properties"]["Name"]
    body = {"info": {"title": title}, "x-amazon-apigateway-gateway-responses": gateway_responses()}
    merged["Resources"]["RestAPI"]["Properties"]["DefinitionBody"] = body
    return merged


def parameters(front: str) -> Template:
    """Return the declarations of the parameters of both templates."""
    merged = merge_template()["Parameters"]
    if front == URL:
        merged = _patched(merged, _part("url")["Parameters"])
    declared: Template = _patched(merged, global_template()["Parameters"])
    return declared


def global_template() -> Template:
    """Return the template of the small stack in us-east-1, with the function's code in it."""
    template = _part("global")
    resources = template["Resources"]
    code = edge_code()
    resources["Challenge"]["Properties"]["Code"]["ZipFile"] = code
    # New code needs a new name: CloudFormation publishes a version only for a new name.
    said = json.dumps([code, resources["Challenge"]["Properties"]["Runtime"]])
    name = f"ChallengeVersion{hashlib.sha256(said.encode()).hexdigest()[:8]}"
    resources[name] = resources.pop("ChallengeVersion")
    template["Outputs"]["ChallengeFunction"]["Value"]["Ref"] = name
    return template


def copy_template() -> Template:
    """Return the template of the stack in CopyRegion."""
    return _part("copy")


def edge_watch_template() -> Template:
    """Return the template of the alarms in us-east-1."""
    return _part("edge_watch")


def edge_code() -> str:
    """Return infra/edge.js with the errors of infra/gateway.yaml and their static headers."""
    errors = {}
    for kind, status in _BY_STATUS.items():
        response = gateway_responses()[kind]
        named = {name.rpartition(".")[2]: value for name, value in response["responseParameters"].items()}
        static = {name: value.strip("'") for name, value in named.items() if value.startswith("'")}
        errors[status] = {"body": response["responseTemplates"]["application/json"], "headers": static}
    code = (INFRA / "edge.js").read_text(encoding="utf-8")
    return code.replace("const ERRORS = {};", f"const ERRORS = {json.dumps(errors, indent=2)};")


@cache
def _responses() -> str:
    return (INFRA / "gateway.yaml").read_text(encoding="utf-8")


def gateway_responses() -> dict[str, dict[str, Any]]:
    """Return API Gateway's own responses by response type, in the form of its OpenAPI extension.

    `Access-Control-Allow-Origin` lets a page of any origin read the reason; a response contains nothing else but the id
    of the request. A static value is in quotes; without them it is an expression:
    docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
    """
    responses = {}
    for kind, said in yaml.safe_load(_responses()).items():
        body = {name: said[name] for name in ("error", "error_description")}
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Access-Control-Allow-Origin": "*",
            "Link": help_link(said["error"]),
        }
        if "retry_after" in said:
            headers["Retry-After"] = str(said["retry_after"])
        responses[kind] = {
            **({"statusCode": str(said["status"])} if "status" in said else {}),
            "responseParameters": {
                **{f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
                "gatewayresponse.header.X-Request-Id": "context.requestId",
            },
            "responseTemplates": {"application/json": json.dumps(body, separators=(",", ":"))},
        }
    return responses


def finish(template: Template, stage: str, warm: str = COLD, front: str = REST) -> None:
    """Make the changes to Chalice's template that a merge cannot make.

    `warm`: cold (the default), snapstart, or a number of instances of the API to keep (provisioned concurrency).
    `front`: rest (the default) or url. Raises ValueError for another value of `warm`.
    """
    resources = template["Resources"]
    template["Parameters"]["Stage"]["Default"] = stage
    _keep_warm(resources["APIHandler"]["Properties"], warm)
    # A name, not a reference, which would make a cycle: functions refer to CloudFront, and CloudFront to the API.
    function = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:engawa-${{Stage}}:{ALIAS}"
    uri = f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/{function}/invocations"
    for methods in resources["RestAPI"]["Properties"]["DefinitionBody"]["paths"].values():
        for method in methods.values():
            method["x-amazon-apigateway-integration"]["uri"] = {"Fn::Sub": uri}
    # The size is also in the API's definition, of which SAM makes a new deployment: only with one does it take effect.
    api = resources["RestAPI"]["Properties"]
    api["DefinitionBody"]["x-amazon-apigateway-minimum-compression-size"] = api["MinimumCompressionSize"]
    for resource in resources.values():
        if resource["Type"] == "AWS::Serverless::Function":
            for event in resource["Properties"].get("Events", {}).values():
                if event["Type"] == "SQS":
                    # A reference, so that the queue is created first.
                    event["Properties"]["Queue"] = {"Fn::GetAtt": ["Cleaning", "Arn"]}
    for event in resources["Canary"]["Properties"]["Events"].values():
        event["Properties"]["State"] = {"Fn::If": ["HasCanary", "ENABLED", "DISABLED"]}
    # Chalice's output has the stage in its path; clients use BaseUrl instead.
    template["Outputs"].pop("EndpointURL", None)
    if front == URL:
        _replace_gateway(template)


def show_pages(template: Template, folder: str) -> None:
    """Set the folder of the bucket from which CloudFront serves the pages of `/docs`."""
    [docs] = [each for each in _origins(template) if each["Id"] == "docs"]
    docs["OriginPath"] = f"/{folder}"


def _origins(template: Template) -> list[dict[str, Any]]:
    distribution = template["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    origins: list[dict[str, Any]] = distribution["Origins"]
    return origins


def name(template: Template, stage: str, account: str) -> None:
    """Write the full names of the resources that outlive their stack.

    CloudFormation imports an existing resource by its name, but not if a function makes the name.
    """
    known = {"${Stage}": stage, "${AWS::AccountId}": account}
    for resource in template["Resources"].values():
        if resource.get("DeletionPolicy", "").startswith("Retain"):
            for key in _NAMES & resource["Properties"].keys():
                text = resource["Properties"][key]["Fn::Sub"]
                for variable, value in known.items():
                    text = text.replace(variable, value)
                resource["Properties"][key] = text


def named(stage: str, account: str) -> list[tuple[str, str]]:
    """Return the type and the name of each resource that outlives its stack."""
    template = merge_template()
    name(template, stage, account)
    kept = [each for each in template["Resources"].values() if each.get("DeletionPolicy", "").startswith("Retain")]
    return [(each["Type"], each["Properties"][key]) for each in kept for key in _NAMES & each["Properties"].keys()]


def read_key_again(template: Template) -> Template:
    """Return a template for which CloudFormation reads the key of CloudFront again.

    It reads a secret only if the definition of the resource changes, so the reference gets another spelling.
    """
    text = json.dumps(template).replace("secretsmanager:${ProxyKey}}}", "secretsmanager:${ProxyKey}:SecretString}}")
    changed: Template = json.loads(text)
    return changed


def renew(template: Template, parameters: Mapping[str, str]) -> None:
    """Have a new function version published if anything in the template or the parameters has changed.

    By itself SAM publishes a version only for new code, and the alias would keep the old environment.
    `AutoPublishAliasAllProperties` of SAM does not see the parameters.
    """
    everything = json.dumps([template, dict(parameters)], sort_keys=True, default=str)
    digest = hashlib.sha256(everything.encode()).hexdigest()
    template["Resources"]["APIHandler"]["Properties"]["AutoPublishCodeSha256"] = digest


def _keep_warm(properties: dict[str, Any], warm: str) -> None:
    """Set SnapStart or provisioned concurrency of a function."""
    if warm == SNAPSTART:
        properties["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    elif warm.isdecimal() and int(warm) > 0:
        properties["ProvisionedConcurrencyConfig"] = {"ProvisionedConcurrentExecutions": int(warm)}
    elif warm != COLD:
        raise ValueError(f"WARM must be {COLD}, {SNAPSTART} or a number of instances, not {warm!r}.")


def _replace_gateway(template: Template) -> None:
    """Put a function URL into a template in place of API Gateway."""
    patched = _patched(template, _part("url"))
    template.clear()
    template |= patched
    resources = template["Resources"]
    [api] = [origin for origin in _origins(template) if origin["Id"] == "api"]
    del api["OriginPath"]
    # https://<id>.lambda-url.<region>.on.aws/
    api["DomainName"] = {"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::GetAtt": ["ApiUrl", "FunctionUrl"]}]}]}
    template["Resources"] = _with_url_metrics(resources)


def _with_url_metrics(value: Any) -> Any:
    """Replace API Gateway's metrics in alarms, and in the text of the dashboard."""
    if isinstance(value, str):
        if _GATEWAY_METRICS in value:
            for gateway, url in _METRICS.items():
                value = value.replace(
                    f'"{_GATEWAY_METRICS}", "{gateway}", "ApiName"', f'"AWS/Lambda", "{url}", "FunctionName"'
                )
                value = value.replace(f'[".", "{gateway}", ".", "."', f'[".", "{url}", ".", "."')
        return value
    if isinstance(value, list):
        return [_with_url_metrics(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("Namespace") == _GATEWAY_METRICS:
        function = [{"Name": "FunctionName", "Value": {"Fn::Sub": "engawa-${Stage}"}}]
        value |= {"Namespace": "AWS/Lambda", "MetricName": _METRICS[value["MetricName"]], "Dimensions": function}
    return {key: _with_url_metrics(inner) for key, inner in value.items()}


def _part(name: str) -> Template:
    """Return a template of infra/ in which no objects are shared (as YAML's anchors do)."""
    loaded = yaml.safe_load((INFRA / f"{name}.yaml").read_text(encoding="utf-8"))
    template: Template = json.loads(json.dumps(loaded))
    return template


def _patched(value: Any, patch: Any) -> Any:
    """Return a value after a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    kept = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            kept.pop(key, None)
        else:
            kept[key] = _patched(kept.get(key), change)
    return kept


def _merged(one: Any, other: Any) -> Any:
    """Merge two values deeply: lists are joined, and `other` replaces any other value."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {**one, **{key: _merged(one[key], value) if key in one else value for key, value in other.items()}}
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    return other
