"""The TypeScript client in a real browser: signing in from an app's own origin, and ten tabs that share the tokens."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.kit.browser import DESKTOP, Open
from tests.kit.served import Served, running
from tests.kit.site import Site
from tests.kit.typescript import PACKAGES, built, run

TABS, EXPIRIES = 10, 10
SECONDS = int(os.environ.get("TAB_SECONDS", "2"))
"""Lifetime of an access token: the page is told so, whatever the platform says. TAB_SECONDS=60 takes ten minutes."""
PAGE = """<!doctype html><meta charset="utf-8"><title>App</title>
<script type="module">
%s
const base = %s, clientId = %s, seconds = %d;
const own = Math.random().toString(36).slice(2);
const count = (what) => {
  const key = `${what} ${own}`;
  localStorage.setItem(key, Number(localStorage.getItem(key)) + 1);
};
// Tokens are said to live for a few seconds only.
const short = (name) => async (url, init) => {
  const answer = await fetch(url, init);
  if (!url.pathname.endsWith("/2/token") || !answer.ok) return answer;
  count(`refresh ${name}`);
  return new Response(JSON.stringify({ ...(await answer.json()), expires_in: seconds }), answer);
};
const app = (name) =>
  new Authorization(base, { clientId, redirectUri: `${location.origin}/back`, fetch: short(name) });
const kept = (name) => webStorage(`tokens ${name}`);
const pending = webStorage("pending", sessionStorage);

globalThis.signIn = async (name) => {
  const request = await app(name).authorizationUrl({ scope: ["mixi_apps2", "r_profile"], lang: "en" });
  pending.set({ ...request, name });
  location.assign(request.url);
};
globalThis.finish = async () => {
  const request = pending.get();
  kept(request.name).set(await app(request.name).exchange(location.href, request));
  return request.name;
};
const engawa = (name) => new Engawa(base, { token: app(name).session(kept(name)).token });
globalThis.read = async (name) => (await engawa(name).people.me()).id;
// Reads until `end`, with locks and without them.
globalThis.work = (end) => {
  const { locks } = navigator;
  for (const name of ["locked", "free"]) {
    Object.defineProperty(navigator, "locks", { value: name === "locked" ? locks : undefined, configurable: true });
    const { people } = engawa(name);
    const again = async () => {
      try {
        await people.me({ fields: ["id"] });
        count(`read ${name}`);
      } catch (error) {
        count(`failed ${name}: ${error}`);
      }
      if (Date.now() < end) setTimeout(again, 50 * seconds * Math.random());
      else count(`done ${name}`);
    };
    again();
  }
};
Object.assign(globalThis, { Engawa, base, ready: true });
</script>
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Site]]:
    """Return a platform, and the site of its public app *album*."""
    site = Site()
    try:
        with running(tmp_path_factory.mktemp("sdk")) as served:
            album = served.demo["apps"]["album"]["id"]
            changes = {"origins": [site.origin], "redirectUris": [f"{site.origin}/back"]}
            operator = {"Authorization": f"Bearer {served.demo['tokens']['operator']}"}
            url = f"{served.base_url}/admin/apps/{album}"
            assert httpx.patch(url, headers=operator, json=changes, trust_env=False).status_code == 200
            folder = tmp_path_factory.mktemp("bundle")
            site.pages["/"] = site.pages["/back"] = page(served, album, folder)
            yield served, site
    finally:
        site.close()


def page(served: Served, app: str, folder: Path) -> str:
    """Return a page of the app, with the client in it."""
    (folder / "entry.js").write_text(f'export * from "{built()}/dist/index.js";', encoding="utf-8")
    names = ("Authorization", "Engawa", "webStorage")
    options = ("--bundle", "--format=iife", "--global-name=client", "--target=es2022", "--platform=browser")
    bundle = run(PACKAGES / ".bin" / "esbuild", "entry.js", *options, folder=folder)
    bundle += f"const {{ {', '.join(names)} }} = client;"
    return PAGE % (bundle, json.dumps(served.base_url), json.dumps(app), SECONDS)


def ask(browser: Chrome, script: str) -> Any:
    """Run a script of the page; return the value of its promise."""
    WebDriverWait(browser, 20).until(lambda each: each.execute_script("return globalThis.ready"))
    code = f"const done = arguments[0]; ({script}).then((value) => done([value]), (error) => done(String(error)))"
    answer = browser.execute_async_script(code)
    assert isinstance(answer, list), answer
    return answer[0]


def sign_in(browser: Chrome, served: Served, site: Site, name: str) -> None:
    """Authorize the app as Ken in the browser, and keep the tokens under a name."""
    browser.get(f"{site.origin}/")
    WebDriverWait(browser, 20).until(lambda each: each.execute_script("return globalThis.ready"))
    browser.execute_script(f"signIn('{name}')")
    WebDriverWait(browser, 20).until(lambda each: each.current_url.startswith(served.base_url))
    if browser.find_elements(By.NAME, "password"):
        browser.find_element(By.NAME, "login").send_keys("ken")
        browser.find_element(By.NAME, "password").send_keys(served.demo["users"]["ken"]["password"])
        browser.find_element(By.NAME, "password").submit()
    WebDriverWait(browser, 20).until(lambda each: each.find_elements(By.CSS_SELECTOR, "[name=decision][value=allow]"))
    browser.find_element(By.CSS_SELECTOR, "[name=decision][value=allow]").click()
    WebDriverWait(browser, 20).until(lambda each: each.current_url.startswith(f"{site.origin}/back"))
    assert ask(browser, "finish()") == name


def test_ten_tabs_stay_signed_in(platform: tuple[Served, Site], browse: Open) -> None:
    served, site = platform
    browser = browse("en", DESKTOP, script=True)
    for name in ("locked", "free"):
        sign_in(browser, served, site, name)
        assert ask(browser, f"read('{name}')") == served.demo["users"]["ken"]["id"]
    browser.execute_script(
        "for (const key of Object.keys(localStorage)) if (!key.startsWith('tokens')) localStorage.removeItem(key)"
    )

    for _ in range(TABS - 1):
        browser.switch_to.new_window("tab")
        browser.get(f"{site.origin}/")
    begun = time.time()
    end = (begun + 2 + SECONDS * EXPIRIES) * 1000
    for window in browser.window_handles:
        browser.switch_to.window(window)
        WebDriverWait(browser, 20).until(lambda each: each.execute_script("return globalThis.ready"))
        browser.execute_script(f"work({end})")

    def counted(what: str) -> dict[str, int]:
        """Return what the tabs have counted under names that begin so."""
        stored: dict[str, str] = browser.execute_script("return {...localStorage}")
        return {key: int(value) for key, value in stored.items() if key.startswith(what)}

    WebDriverWait(browser, 60 + 2 * SECONDS * EXPIRIES).until(lambda _: len(counted("done")) == 2 * TABS)
    expiries = (time.time() - begun) / (0.95 * SECONDS)
    figures = {
        what: sum(counted(what).values()) for what in ("read locked", "read free", "refresh locked", "refresh free")
    }
    print(expiries, figures)
    assert counted("failed") == {}
    assert len(counted("read locked")) == len(counted("read free")) == TABS
    # One refresh for each expiry with locks; without, at most one in each tab.
    assert EXPIRIES // 2 <= figures["refresh locked"] <= expiries + 1
    assert EXPIRIES // 2 <= figures["refresh free"] <= (expiries + 1) * TABS
    assert {key for key in browser.execute_script("return Object.keys(localStorage)") if key.startswith("tokens")} == {
        "tokens locked",
        "tokens free",
    }


def test_a_page_reads_an_answer_over_five_megabytes(platform: tuple[Served, Site], browse: Open) -> None:
    served, site = platform
    token = served.token(user="ken", app="album", scope="mixi_apps2")
    own = f"{served.base_url}/2/apps/appdata/@me/@self"
    for part in range(2):
        pairs = {f"big_{part}_{number}": "x" * 65_000 for number in range(45)}
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.post(own, headers=headers, json=pairs, timeout=30, trust_env=False).status_code == 200
    browser = browse("en", DESKTOP, script=True)
    browser.get(f"{site.origin}/")
    read = f"new Engawa(base, {{ token: '{token}' }}).appData.read()"
    assert ask(browser, f"{read}.then(({{ data, etag }}) => [Object.keys(data).length, etag ?? null])") == [90, None]
