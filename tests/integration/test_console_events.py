"""The console's pages of an app's endpoints and events."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.api.console.app_events import event_filter
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.events import ENDPOINTS, Delivery, EventKind, Outcome
from tests.integration.test_console_apps import browser, browser_of, followed, form_to, hashed, world  # noqa: F401
from tests.kit.plain_browser import Browser, Page
from tests.kit.worlds import APP, KEN, MEI, World

ONE = f"/console/apps/{APP}"
URL = "https://game.example/events"
DAY = 86_400_000
