"""CORS in a real browser: preflights, and the responses and headers that pages of other origins can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from selenium.webdriver import Chrome

from tests.kit.browser import DESKTOP, Open
from tests.kit.site import Site

if TYPE_CHECKING:
    from tests.kit.served import Served


ME, OS = "/2/apps/appdata/@me/@self", "/os/0.8/appdata/@me/@self/@app"
ASK = """
const [url, request, done] = arguments;
fetch(url, request).then(
  async (answer) => {
    const headers = Object.fromEntries(answer.headers);
    done({status: answer.status, body: await answer.text(), headers});
  },
  (error) => done({failed: error.name}));
"""


@dataclass
class Page:
    """A page of `origin` in a browser, with hana's token for quest."""

    served: Served
    browser: Chrome

    def visit(self, origin: str) -> None:
        self.browser.get(f"{origin}/")

    def fetch(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Any:
        """Run a script's fetch. Return status, body and visible headers, or the error's name."""
        sent = {"Authorization": f"Bearer {token or self.served.demo['tokens']['users']['hana']['quest']}"}
        sent |= {name.replace("_", "-"): text for name, text in headers.items()}
        request: dict[str, Any] = {"method": method, "headers": sent}
        if body is not None:
            request["body"] = json.dumps(body)
            sent["Content-Type"] = "application/json"
        return self.browser.execute_async_script(ASK, self.served.base_url + path, request)


@pytest.fixture
def site(served: Served) -> Iterator[Site]:
    """Return a site whose origin, as 127.0.0.1, is registered for quest."""
    made = Site()
    made.pages["/"] = "<!doctype html><title>Game</title>"
    app = f"{served.base_url}/admin/apps/{served.demo['apps']['quest']['id']}"
    operator = {"Authorization": f"Bearer {served.demo['tokens']['operator']}"}
    before = httpx.get(app, headers=operator, timeout=30).json()["origins"]
    try:
        changed = httpx.patch(app, headers=operator, json={"origins": [*before, made.origin]}, timeout=30)
        assert changed.status_code == 200, changed.text
        yield made
    finally:
        httpx.patch(app, headers=operator, json={"origins": before}, timeout=30)
        made.close()


@pytest.fixture
def page(served: Served, browse: Open) -> Page:
    return Page(served, browse("en", DESKTOP, script=True))


def test_a_registered_origin_and_another(served: Served, site: Site, page: Page) -> None:
    page.visit(site.origin)

    for method, path in (("POST", ME), ("PUT", OS)):
        written = page.fetch(method, path, {"cors": method})
        assert written["status"] == 200, written
        assert {"etag", "x-ratelimit-remaining"} <= set(written["headers"])
        read = page.fetch("GET", path)
        assert (read["status"], f'"cors":"{method}"' in read["body"]) == (200, True)
    assert page.fetch("DELETE", ME + "?fields=cors", If_Match='"no-such-version"')["status"] == 412
    refused = page.fetch("GET", ME, token="nonsense.of.mine")
    assert (refused["status"], '"invalid_token"' in refused["body"]) == (401, True)  # Although it names no app.
    expired = page.fetch("GET", ME, token=served.token(user="hana", app="quest", lifetime=-60))
    assert expired["status"] == 401
    assert "www-authenticate" in expired["headers"]

    page.visit(site.origin.replace("127.0.0.1", "localhost"))

    for method, path in (("GET", ME), ("POST", ME), ("DELETE", ME), ("PUT", OS), ("DELETE", OS)):
        assert page.fetch(method, path, {"cors": "no"} if method in ("POST", "PUT") else None) == {
            "failed": "TypeError"
        }
    page.visit(site.origin)
    assert '"cors":"PUT"' in page.fetch("GET", ME)["body"]
    assert page.fetch("DELETE", ME + "?fields=cors")["status"] == 200
