"""The receiver of events of the app quest: it checks each message as any receiver of Standard Webhooks does.

A receiver elsewhere knows only its secret, and uses a library of standardwebhooks.com. This one reads the secrets from
the platform, so that a new secret is known at once, and needs no package.
"""

from __future__ import annotations

import hmac
import json
import time
from collections import deque
from typing import Any

from chalicelib.core.events import headers
from chalicelib.store.events.endpoints import Endpoints
from local.demo_data import RECEIVER
from local.gateway import Request

KEPT = 20
_TOLERANCE = 300
"""Seconds. An older message may be one that somebody has recorded and sends again."""


class EventReceiver:
    """The last events that were received, each once."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._got: deque[dict[str, Any]] = deque(maxlen=KEPT)

    @property
    def received(self) -> list[dict[str, Any]]:
        """The last events, the newest first: `id`, and `type`, `timestamp` and `data` of the message.

        Their ids begin with their time. They arrive in any order.
        """
        return sorted(self._got, key=lambda event: str(event["id"]), reverse=True)

    def receive(self, request: Request) -> bool:
        """Keep an event unless it is known; return whether its signature is valid."""
        if not self._is_signed(request):
            return False
        event = {"id": request.header("webhook-id")} | json.loads(request.body)
        if all(each["id"] != event["id"] for each in self.received):
            self._got.appendleft(event)
        return True

    def _is_signed(self, request: Request) -> bool:
        event, sent = request.header("webhook-id"), request.header("webhook-timestamp")
        if not (sent.isascii() and sent.isdigit() and abs(time.time() - int(sent)) <= _TOLERANCE):
            return False
        keys = [key for each in self._endpoints.active() if each.id == RECEIVER for key in each.secrets]
        known = headers(event, request.body, keys, int(sent))["webhook-signature"].split()
        given = request.header("webhook-signature").encode("utf-8", "replace").split()
        return any(hmac.compare_digest(one.encode(), other) for one in known for other in given)
