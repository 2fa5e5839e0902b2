"""The routes of the app."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import app as entry
from tests.kit.worlds import no_platform


def routes() -> Iterator[tuple[str, str, Any]]:
    """Return method, path and view of every route of the app."""
    for path, methods in entry.create_app(no_platform).routes.items():
        for method, route in methods.items():
            yield method, path, route.view_function


def target(path: str) -> str:
    """Return the path of a route with `@me` in place of every parameter."""
    return re.sub(r"\{[^}]+\}", "@me", path)
