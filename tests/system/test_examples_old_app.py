"""examples/old-app: `after` is `before` with other hosts, keys and loading lines, and it works.

One function differs besides: the server learns the viewer from its session, not from a signature of mixi.
"""

from __future__ import annotations

import difflib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib import oauth1
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from local.environment import free_port
from tests.kit.browser import DESKTOP, Open, await_url, button, sign_in
from tests.kit.served import ROOT, Served, await_answers, eventually, running

OLD_APP = ROOT / "examples" / "old-app"
BEFORE, AFTER = OLD_APP / "before", OLD_APP / "after"
CAFE = "20260401000000000001"


def changed(path: str) -> list[str]:
    """Return the lines of a file that differ between `before` and `after`, marked with - and +."""
    before, after = ((folder / path).read_text(encoding="utf-8").splitlines() for folder in (BEFORE, AFTER))
    return [line for line in difflib.ndiff(before, after) if line[0] in "+-"]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.*") if "__pycache__" not in path.parts}


def test_the_move_changes_hosts_keys_and_loading_lines_only() -> None:
    both = files(BEFORE) & files(AFTER)
    assert files(BEFORE) - both == {"gadget.xml"}
    assert files(AFTER) - both == {"index.html", "makerequest.js", "server/load_data.py"}
    assert {path for path in both if changed(path)} == {"app.js", "server/config.py", "server/viewer.py"}
    assert changed("app.js") == ['- var SERVER = "http://hitokoto.example";', '+ var SERVER = "";']
    config = changed("server/config.py")
    assert all(re.match(r'[-+] [A-Z_]+ = "[^"]*"$', line) for line in config)
    names = [{line[2:].split(" ")[0] for line in config if line[0] == sign} for sign in "+-"]
    assert names[0] == names[1]


def test_the_page_is_the_gadgets_content_with_loading_lines() -> None:
    content = re.search(r"CDATA\[\n(.*)\]\]>", (BEFORE / "gadget.xml").read_text(encoding="utf-8"), re.DOTALL)
    assert content
    page = (AFTER / "index.html").read_text(encoding="utf-8").splitlines()
    *body, script, _ = content[1].splitlines()
    assert script.replace("http://hitokoto.example", "") == page[-2]
    assert page[6:-2] == body
    assert page[4:6] == [
        '<script src="http://127.0.0.1:8000/js/opensocial.js"></script>',
        '<script src="/makerequest.js"></script>',
    ]


def test_the_old_server_took_the_viewer_from_a_signature_of_mixi() -> None:
    key = rsa.generate_private_key(65537, 1024)
    signer = oauth1.Client("mixi.jp", signature_method=oauth1.SIGNATURE_RSA, rsa_key=pem(key), signature_type="QUERY")
    url, *_ = signer.sign("http://hitokoto.example/ranking?opensocial_viewer_id=k3v9x2mtq7ra&a=1%202")
    found = {}
    for query in (url, url.replace("k3v9x2mtq7ra", "a8d1p0zzk4wn"), url.partition("&oauth_signature=")[0]):
        script = f"""
import urllib.parse, viewer
viewer.MODULUS = {key.public_key().public_numbers().n}
query = dict(urllib.parse.parse_qsl({urlsplit(query).query!r}))
print(viewer.of({{"PATH_INFO": "/ranking"}}, query, None))
"""
        done = [sys.executable, "-B", "-c", script]
        found[query] = subprocess.run(done, cwd=BEFORE / "server", capture_output=True, text=True, check=True).stdout
    assert [answer.strip() for answer in found.values()] == ["k3v9x2mtq7ra", "None", "None"]


def pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def test_the_readme_shows_every_changed_line() -> None:
    readme = (OLD_APP / "README.md").read_text(encoding="utf-8")
    for path in ("app.js", "server/config.py"):
        for line in changed(path):
            assert f"{line[0]}{line[2:]}\n" in readme


@dataclass
class Moved:
    """A running platform and the moved app beside it."""

    served: Served
    folder: Path
    client_id: str
    secret: str
    origin: str

    def run(self, *arguments: str, text: str = "") -> str:
        """Run Python in the folder of the app's server. Return what it prints."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder / "server",
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def expired_token(self) -> str:
        keys = TokenKeys((self.served.local_dir / "token-keys.json").read_text)
        return AccessTokens(keys, self.served.base_url).issue(app=self.client_id, viewer=None, scopes=[], lifetime=-1)

    def admin(self, method: str, path: str, body: object = None) -> Any:
        operator = {"Authorization": f"Bearer {self.served.demo['tokens']['operator']}"}
        url = f"{self.served.base_url}/admin/{path}"
        answer = httpx.request(method, url, headers=operator, json=body, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json()

    def stored(self, name: str) -> Any:
        """Return the values of a user in the app, as the operator exports them."""
        user = self.served.demo["users"][name]["id"]
        installs = self.admin("GET", f"users/{user}/export")["installs"]
        return next(each["data"] for each in installs if each["app"] == self.client_id)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    """Follow the README: make the app, write its keys, load old values, start its server."""
    directory = tmp_path_factory.mktemp("old-app")
    folder = directory / "after"
    shutil.copytree(AFTER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    with running(directory / "platform") as served:
        here = Moved(served, folder, "", "", origin)
        app = here.admin(
            "POST",
            "apps",
            {
                "name": "ひとこと",
                "dialect": "draft10",
                "redirectUris": [f"{origin}/callback"],
                "origins": [origin],
                "scopes": ["mixi_apps2", "r_profile", "w_pagefeed"],
            },
        )
        here.client_id, here.secret = app["id"], app["secret"]
        here.admin("POST", f"pages/{CAFE}/modules", {"app": app["id"], "name": "ひとこと"})
        for path in (folder / "server" / "config.py", folder / "index.html"):
            text = path.read_text(encoding="utf-8")
            for old, new in {
                "http://127.0.0.1:8000": served.base_url,
                "http://127.0.0.1:9000": origin,
                "0123456789abcdef": app["id"],
                "the secret that apps create prints": app["secret"],
            }.items():
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")
        with (directory / "app.log").open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "app.py", str(port)], cwd=folder / "server", stdout=log, stderr=log
            )
        try:
            await_answers(f"{origin}/app.js", server, directory / "app.log")
            yield here
        finally:
            server.kill()
            server.wait()


def installed(moved: Moved, name: str) -> str:
    """Install the app for a user. Return the user's id."""
    user = str(moved.served.demo["users"][name]["id"])
    moved.admin("PUT", f"users/{user}/installs/{moved.client_id}")
    return user


def start(moved: Moved, browser: Chrome, name: str) -> None:
    """Sign in by the app's server, allow the app, and wait for its page."""
    browser.get(f"{moved.origin}/start")
    sign_in(browser, moved.served.demo["users"][name])
    button(browser, "decision", "allow").click()
    await_url(browser, f"{moved.origin}/index.html#st=")


def await_stored(moved: Moved, name: str, key: str, value: str) -> None:
    assert eventually(lambda: moved.stored(name).get(key) == value, 10)


def await_text(browser: Chrome, place: str, text: str) -> None:
    WebDriverWait(browser, 10).until(lambda each: text in each.find_element(By.ID, place).text)


def test_the_moved_app_in_a_browser(moved: Moved, browse: Open, shots: Path) -> None:
    ken = installed(moved, "ken")
    old = {"user": ken, "data": {"word": "<b>ねむい</b>", "history": '["ねむい"]', "count": "1"}}
    moved.run("load_data.py", text=json.dumps(old) + "\n")
    assert moved.stored("ken") == old["data"]

    browser = browse("ja", DESKTOP, script=True)
    start(moved, browser, "hana")
    await_text(browser, "name", "花 (Hana)")
    await_text(browser, "theme", "縁側の朝")
    # The friend's value is shown as text, since values come escaped.
    assert browser.find_element(By.ID, "friends").text == "健 (Ken): <b>ねむい</b>"
    for word in ("おはよう", 'こんにちは "<b>"'):
        field = browser.find_element(By.ID, "word")
        field.clear()
        field.send_keys(word)
        browser.find_element(By.CSS_SELECTOR, "button[onclick='save()']").click()
        await_stored(moved, "hana", "word", word)
    await_stored(moved, "hana", "count", "2")
    assert json.loads(moved.stored("hana")["history"]) == ["おはよう", 'こんにちは "<b>"']

    # It reads its own JSON again.
    browser.refresh()
    await_text(browser, "name", "花 (Hana)")
    WebDriverWait(browser, 10).until(lambda each: each.execute_script("return past.length") == 2)

    browser.find_element(By.CSS_SELECTOR, "button[onclick='ranking()']").click()
    await_text(browser, "ranking", "健 (Ken) (1)")
    assert browser.find_element(By.ID, "ranking").text.splitlines() == ["花 (Hana) (2)", "健 (Ken) (1)"]
    assert moved.stored("hana")["place"] == "1"
    # Without her session, and for an id that a page names, there is none.
    assert httpx.get(f"{moved.origin}/callback?code=x", trust_env=False).status_code == 404
    url = f"{moved.origin}/ranking?user={ken}&opensocial_viewer_id={ken}"
    assert httpx.get(url, trust_env=False).status_code == 403

    # What is absent says so, in the app's own place for errors.
    browser.find_element(By.CSS_SELECTOR, "button[onclick='share()']").click()
    await_text(browser, "message", "NOT_IMPLEMENTED: opensocial.requestShareApp is not available here. ")
    browser.save_screenshot(str(shots / "old-app.png"))
    logged = [entry["message"] for entry in browser.get_log("browser")]
    assert any("NOT_IMPLEMENTED: opensocial.requestCreateActivity" in line for line in logged)
    assert not any("is not a function" in line or "Uncaught" in line for line in logged)


def test_the_graph_api_sample_posts_to_the_page(moved: Moved, browse: Open) -> None:
    browser = browse("ja", DESKTOP, script=True)
    start(moved, browser, "mei")
    # A link on a page of another site must not post.
    browser.get(f"{moved.origin}/theme/post?text=夏の思い出")
    assert "HTTP ERROR 404" in browser.find_element(By.TAG_NAME, "body").text
    browser.get(f"{moved.origin}/theme")
    script = "fetch('/theme/post?text=夏の思い出', {method: 'POST'}).then((answer) => answer.json()).then(arguments[0])"
    posted = browser.execute_async_script(script)
    assert posted["contentUri"].startswith(moved.served.base_url)
    assert json.loads(moved.run("-c", "import graph, json; print(json.dumps(graph.page_feeds()))"))[0] == "夏の思い出"
    assert httpx.get(f"{moved.origin}/theme", trust_env=False).json() == {"text": "夏の思い出"}


def test_the_graph_api_sample_refreshes_an_expired_token(moved: Moved) -> None:
    script = f"""
import config, graph
app = graph.Session(grant_type="client_credentials")
assert set(app.tokens) == {{"refresh_token", "expires_in", "access_token", "scope"}}, app.tokens
app.tokens["access_token"] = {moved.expired_token()!r}
print(app.ask("GET", "/pages/" + config.PAGE)["entry"]["id"], app.tokens["access_token"] != {moved.expired_token()!r})
"""
    assert moved.run("-c", script).split() == [CAFE, "True"]


def test_the_server_part_says_which_user_is_wrong(moved: Moved) -> None:
    record = json.dumps({"user": "nobody000000", "data": {"word": "a"}})
    done = subprocess.run(
        [sys.executable, "load_data.py"],
        cwd=moved.folder / "server",
        input=record,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith('nobody000000: {"error":')
