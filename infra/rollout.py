"""Requests that `make deploy` sends while a new version gets a tenth of the requests.

The alarms judge the new version by its answers (docs/operating/upgrading.md). On a platform with ten users it might get
no request in five minutes; these requests make sure that it gets some dozens.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress

import urllib3

_AT_ONCE = 4
_SECONDS = 10


def requests_to(base_url: str) -> Callable[[], None]:
    """Return a function that sends some requests to a platform. It needs no token and ignores the answers."""

    def send() -> None:
        for _ in range(_AT_ONCE):
            _get(f"{base_url}/health")
            # Reads a table. The number is random, so that CloudFront has no copy of the answer (404).
            _get(f"{base_url}/pages/1/feeds/{secrets.randbelow(10**9) + 1}")

    return send


def _get(url: str) -> None:
    # The alarms count the errors.
    with suppress(urllib3.exceptions.HTTPError):
        urllib3.request("GET", url, timeout=_SECONDS, retries=False, redirect=False)
