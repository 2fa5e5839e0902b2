"""The base URL of an API that Chalice has deployed, if no setting gives one.

API Gateway writes the API's id and stage into each event, and Lambda knows its region. A client can choose none of
them, unlike `Host`, which API Gateway repeats as `domainName`.
"""

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Request, Response

from chalicelib.platform import Platform
from chalicelib.settings import WrongSetting

_TEST_STAGE = "test-invoke-stage"
"""The stage in events of API Gateway's own test, which clients cannot call."""


def url_of_api(context: Mapping[str, Any], region: str) -> str | None:
    """Return the base URL of the API that has made an event with this context, or None if it is not known."""
    api, stage = str(context.get("apiId") or ""), str(context.get("stage") or "")
    known = re.fullmatch("[a-z0-9]{8,32}", api) and re.fullmatch("[A-Za-z0-9_-]{1,128}", stage)
    if not known or stage == _TEST_STAGE or not re.fullmatch("[a-z]{2}(-[a-z]+)+-[0-9]", region):
        return None
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{api}.execute-api.{region}.{domain}/{stage}"


def named(
    platform: Callable[[], Platform], environment: Mapping[str, str] = os.environ
) -> Callable[[Request, Callable[[Request], Response]], Response]:
    """Return Chalice middleware that names a platform without ENGAWA_ISSUER after the API of its first request.

    It raises WrongSetting if the API is not known, or is another one later: tokens of one would not be valid at the
    other.
    """

    def name(request: Request, get_response: Callable[[Request], Response]) -> Response:
        here = platform()
        if not here.settings.issuer or here.named_by_request:
            url = url_of_api(request.context, environment.get("AWS_REGION", ""))
            if url is None:
                raise WrongSetting("ENGAWA_ISSUER is not set, and the request does not come from an API's stage")
            here.name(url)
        return get_response(request)

    return name
