"""The start of a page app by a form in a real browser, with and without JavaScript: the signature verifies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from selenium.webdriver.common.by import By

from tests.kit.browser import DESKTOP, PHONE, Open, await_url, shoot
from tests.kit.launches import verify

APP_PARAMS = '{"名":"花 & <b>\\"\'","lines":"a\nb\rc"}'


class Started(ThreadingHTTPServer):
    """The web server of an app, which records the address and body of each start."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.starts: list[tuple[str, bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/start?device=PC&lang=%E6%97%A5+%2B"


class _Handler(BaseHTTPRequestHandler):
    server: Started

    def do_POST(self) -> None:
        assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.starts.append((f"http://{self.headers['Host']}{self.path}", body))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"started")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def started(served: Any) -> Iterator[Started]:
    """Return a server at which quest starts by a form."""
    with _serving() as server, httpx.Client(base_url=served.base_url, trust_env=False) as client:
        quest = f"/admin/apps/{served.demo['apps']['quest']['id']}"
        operator = {"Authorization": f"Bearer {served.demo['tokens']['operator']}"}
        before = client.get(quest, headers=operator).json()
        try:
            changed = {"startUrl": server.url, "startMethod": "form"}
            assert client.patch(quest, json=changed, headers=operator).status_code == 200
            yield server
        finally:
            changed = {name: before[name] for name in ("startUrl", "startMethod")}
            assert client.patch(quest, json=changed, headers=operator).status_code == 200


@contextmanager
def _serving() -> Iterator[Started]:
    server = Started()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("language", "size", "script"), [("ja", PHONE, False), ("en", DESKTOP, True)])
def test_a_form_starts_an_app(
    served: Any, started: Started, browse: Open, shots: Path, language: str, size: tuple[int, int], script: bool
) -> None:
    cafe = served.demo["pages"]["cafe"]
    query = {"page_id": cafe["id"], "module_id": cafe["moduleId"], "appParams": APP_PARAMS}
    browser = browse(language, size, script=script)
    browser.get(str(httpx.URL(f"{served.base_url}/run_page_apps.pl", params=query)))
    if not script:
        assert started.starts == []
        shoot(browser, shots / "start.png")
        browser.find_element(By.CSS_SELECTOR, "button.whole").click()
    await_url(browser, started.url.partition("?")[0])
    ((address, body),) = started.starts
    fields = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True)
    assert dict(fields)["appParams"] == APP_PARAMS.replace("\n", "\r\n").replace("\rc", "\r\nc")
    kid = dict(fields)["xoauth_signature_publickey"]
    pem = httpx.get(f"{served.base_url}/launch/{kid}.pem", trust_env=False).text
    verify(address, pem, "POST", fields)
