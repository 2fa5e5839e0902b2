"""The gateway responses of gateway.yaml, for an API that `chalice deploy` has created or overwritten.

The whole stack has them in the API's definition. Chalice's own deployment replaces the definition and so removes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.combine import gateway_responses

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient


def put(client: APIGatewayClient, api: str, stage: str) -> int:
    """Put the responses that are missing or differ, deploy the stage if there were any, and return their number."""
    items = client.get_gateway_responses(restApiId=api, limit=500)["items"]
    known = {item["responseType"]: item for item in items if not item.get("defaultResponse")}
    changed = 0
    for kind, wanted in gateway_responses().items():
        if _differs(known.get(kind, {}), wanted):  # type: ignore[call-overload]
            client.put_gateway_response(restApiId=api, responseType=kind, **wanted)  # type: ignore[arg-type]
            changed += 1
    if changed:
        client.create_deployment(restApiId=api, stageName=stage, description="Gateway responses of Engawa")
    return changed


def _differs(known: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return any(known.get(name) != value for name, value in wanted.items())
