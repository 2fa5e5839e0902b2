"""The event that API Gateway passes to a Lambda function."""

from collections.abc import Mapping
from typing import Any


def event(
    method: str, route: str, path: str, parameters: Mapping[str, str] | None, token: str, body: str | None = None
) -> dict[str, Any]:
    """Return the event of a request; the body, if any, is JSON."""
    headers = {"Authorization": f"OAuth {token}", "Accept": "application/json", "Host": "api.example.com"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return {
        "resource": route,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route,
            "httpMethod": method,
            "path": f"/api{path}",
            "stage": "api",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e800000000",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": None},
        },
        "body": body,
        "isBase64Encoded": False,
    }
