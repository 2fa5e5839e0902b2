"""Chalice's own command line in front of the emulator of AWS (tests/kit/emulated.py), with a finished zip.

Runs as `python -m tests.kit.chalice_deploy ZIP deploy --stage dev`, in the folder of a project. It is Chalice's
command line but for these differences:

- the zip is given: Chalice would download the libraries each time, which takes a minute, and the emulator runs
  functions with its own Python;
- the emulator's ImportRestApi ignores the definition, but its CloudFormation reads one, so a stack imports it;
- that one forgets the type of the endpoint, which Chalice reads before it changes an API;
- the emulator has no PutRestApi, so the definition must have the paths and the methods that the API has; as on AWS,
  the gateway responses are removed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from chalice.awsclient import TypedAWSClient
from chalice.cli import main
from chalice.deploy.packager import LambdaDeploymentPackager

from infra import bundle

BINARY = "x-amazon-apigateway-binary-media-types"
STACK = "imported-api"


def import_rest_api(self: TypedAWSClient, swagger_document: dict[str, Any], endpoint_type: str) -> str:
    """Create an API from its definition; return its id."""
    properties = {
        "Body": swagger_document,
        "BinaryMediaTypes": swagger_document[BINARY],
    }
    template = {"Resources": {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": properties}}}
    client, s3 = self._client("cloudformation"), self._client("s3")
    # The definition is larger than a template in a request may be.
    where = {"LocationConstraint": client.meta.region_name}
    s3.create_bucket(Bucket=STACK, CreateBucketConfiguration=where)
    s3.put_object(Bucket=STACK, Key="template", Body=json.dumps(template).encode())
    client.create_stack(StackName=STACK, TemplateURL=f"{s3.meta.endpoint_url}/{STACK}/template")
    client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    [resource] = client.describe_stack_resources(StackName=STACK)["StackResources"]
    return str(resource["PhysicalResourceId"])


def get_rest_api(self: TypedAWSClient, rest_api_id: str) -> dict[str, Any]:
    """Return an API, which is regional."""
    found: dict[str, Any] = self._client("apigateway").get_rest_api(restApiId=rest_api_id)
    return found | {"endpointConfiguration": {"types": ["REGIONAL"]}}


def update_api_from_swagger(self: TypedAWSClient, rest_api_id: str, swagger_document: dict[str, Any]) -> None:
    """Check that the definition is that of the API, and remove the gateway responses."""
    client = self._client("apigateway")
    pages = client.get_paginator("get_resources").paginate(restApiId=rest_api_id)
    known = {each["path"]: set(each.get("resourceMethods", {})) for page in pages for each in page["items"]}
    wanted = {path: {name.upper() for name in methods} for path, methods in swagger_document["paths"].items()}
    if {path: methods for path, methods in known.items() if methods} != wanted:
        sys.exit("the emulator cannot change the paths of an API")
    for each in client.get_gateway_responses(restApiId=rest_api_id, limit=500)["items"]:
        if not each.get("defaultResponse"):
            client.delete_gateway_response(restApiId=rest_api_id, responseType=each["responseType"])


def patch(zip_path: str) -> None:
    """Change Chalice as the module's text says."""
    bundle.PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
    LambdaDeploymentPackager.create_deployment_package = lambda *_: zip_path  # type: ignore[method-assign]
    TypedAWSClient.import_rest_api = import_rest_api  # type: ignore[method-assign]
    TypedAWSClient.get_rest_api = get_rest_api  # type: ignore[method-assign]
    TypedAWSClient.update_api_from_swagger = update_api_from_swagger  # type: ignore[method-assign]


if __name__ == "__main__":
    patch(sys.argv.pop(1))
    main()
