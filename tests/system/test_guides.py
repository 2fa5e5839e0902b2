"""The guides, followed by a new user: each command, each program, and each step in a browser."""

from __future__ import annotations

import json
import re
import sysconfig
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from local.environment import free_port
from tests.kit.browser import DESKTOP, Open, await_url, button, sign_in
from tests.kit.documents import ROOT
from tests.kit.guides import blocks, examples, server, shell
from tests.kit.plain_browser import Browser as PlainBrowser
from tests.kit.served import Served

CODE = "paste-the-code-here"
INSTALL = ("/pip install ", "npm install ")
"""The commands that need a package registry. The tests run with the library's sources, and with our own packages."""
PACKAGES = ROOT / ".local" / "clients-node" / "node_modules"
PORTS = ("5500", "5600")
"""The ports of the reader's own servers, in the order of a guide. A test takes free ones instead."""


@dataclass
class Reader:
    """A new user who follows a guide."""

    served: Served
    browse: Open
    home: Path
    replaced: dict[str, str]
    printed: list[str] = field(default_factory=list)
    browser: Chrome | None = None
    """The browser in which one user after the other signs in."""

    def adapt(self, text: str) -> str:
        """Return a text of the guide with the addresses and files of this test."""
        return re.sub("|".join(map(re.escape, self.replaced)), lambda found: self.replaced[found[0]], text)

    def sign_in(self, browser: Chrome, name: str) -> None:
        """Sign in and allow the app."""
        sign_in(browser, self.served.demo["users"][name])
        button(browser, "decision", "allow").click()


def await_text(browser: Chrome, selector: str, text: str) -> None:
    """Wait until an element contains a text; the browser may be on its way to another page."""
    waiting = WebDriverWait(browser, 10, ignored_exceptions=[StaleElementReferenceException])
    waiting.until(lambda each: text in each.find_element(By.CSS_SELECTOR, selector).text, text)


def greet_in_the_page(reader: Reader) -> str:
    """Ken saves a greeting; Hana reads it and saves her own; Ken reads hers."""
    url = reader.adapt("http://127.0.0.1:5500/")
    ken, hana = reader.browse("en", DESKTOP, script=True), reader.browse("en", DESKTOP, script=True)
    for browser, name, shown in ((ken, "ken", "健 (Ken)"), (hana, "hana", "花 (Hana)")):
        browser.get(url)
        browser.find_element(By.CSS_SELECTOR, "button").click()
        reader.sign_in(browser, name)
        await_text(browser, "p", f"{shown}: (no greeting)")
        browser.find_element(By.CSS_SELECTOR, "form input").send_keys(f"Hello from {name}")
        browser.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
        await_text(browser, "p", f"{shown}: Hello from {name}")
        assert browser.current_url == url
    await_text(hana, "ul", "健 (Ken): Hello from ken")
    ken.get(url)
    ken.find_element(By.CSS_SELECTOR, "button").click()
    button(ken, "decision", "allow").click()
    await_text(ken, "ul", "花 (Hana): Hello from hana")
    ken.get(url)
    ken.find_element(By.CSS_SELECTOR, "button").click()
    button(ken, "decision", "deny").click()
    await_text(ken, "p", "access_denied")
    return ""


def greet_by_the_server(reader: Reader) -> str:
    """Do the same with the server: Ken's greeting is there when Hana signs in."""
    url = reader.adapt("http://127.0.0.1:5600/")
    for name, shown in (("ken", "健 (Ken)"), ("hana", "花 (Hana)")):
        browser = reader.browse("en", DESKTOP, script=True)
        browser.get(url)
        reader.sign_in(browser, name)
        await_text(browser, "p", f"{shown}: (no greeting)")
        browser.find_element(By.CSS_SELECTOR, "form [name=greeting]").send_keys(f"<b>Hello</b> from {name}")
        browser.find_element(By.CSS_SELECTOR, "form [type=submit]").click()
        await_text(browser, "p", f"{shown}: <b>Hello</b> from {name}")
        assert browser.current_url == url
    await_text(browser, "ul", "健 (Ken): <b>Hello</b> from ken")
    refused = reader.browse("en", DESKTOP, script=True)
    refused.get(url)
    sign_in(refused, reader.served.demo["users"]["mei"])
    button(refused, "decision", "deny").click()
    await_text(refused, "body", "access_denied")
    return ""


def code_of(name: str) -> Callable[[Reader], str]:
    """Return a visit to the address that the guide has printed. It returns the code in the address bar."""

    def visit(reader: Reader) -> str:
        [*_, address] = [each.strip() for each in reader.printed if "/connect_authorize.pl?" in each]
        if reader.browser is None:
            reader.browser = reader.browse("en", DESKTOP, script=True)
            reader.browser.get(address)
        else:
            reader.browser.get(address)
            button(reader.browser, "session", "end").click()
        browser = reader.browser
        reader.sign_in(browser, name)
        await_url(browser, f"{reader.served.base_url}/connect_authorize_success.html?code=")
        return parse_qs(urlsplit(browser.current_url).query)["code"][0]

    return visit


def code_on_a_phone(reader: Reader) -> str:
    """Return the code in the address with which the phone would start the app."""

    def send(method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, list[tuple[str, str]], str]:
        url = urljoin(reader.served.base_url, target)
        answer = httpx.request(method, url, headers=headers, content=body, trust_env=False)
        return answer.status_code, answer.headers.multi_items(), answer.text

    browser, hana = PlainBrowser(send), reader.served.demo["users"]["hana"]
    [address] = [each.strip() for each in reader.printed if "/connect_authorize.pl?" in each]
    consent = browser.sign_in(browser.open(address), hana["login"], hana["password"])
    back = browser.submit(consent.form("decision"), decision="allow")
    assert back.location.startswith("com.example.album:/back?code=")
    assert back.told["iss"] == reader.served.base_url
    return back.told["code"]


def start_of_a_page_app(reader: Reader) -> str:
    """Open the app from the page as Mei, who has allowed it. The same address again, or another, is refused."""
    guide = (ROOT / "docs/guide/pages.md").read_text(encoding="utf-8")
    [link] = re.findall(r"<(http://127.0.0.1:8000/run_page_apps\.pl[^>]+)>", guide)
    browser = reader.browser
    assert browser
    browser.get(reader.adapt(link))
    await_text(browser, "body", '"mixi_page_id": "20261129000000000001"')
    started = json.loads(browser.find_element(By.TAG_NAME, "body").text)
    assert (started["mixi_viewer_id"], started["appParams"]) == ("m5c2e7uub9fh", '{"concert":1}')
    address = browser.current_url
    for wrong, problem in ((address, "used before"), (address.replace("m5c2", "k3v9"), "InvalidSignature")):
        browser.get(wrong)
        await_text(browser, "body", problem)
    return ""


def stay(reader: Reader) -> str:
    """Do nothing in a browser: the server waits for requests of the platform."""
    return ""


VISITS: dict[str, Sequence[Callable[[Reader], str]]] = {
    "five-minutes.md": [greet_in_the_page, greet_by_the_server, code_of("hana"), code_of("ken")],
    "phone.md": [code_on_a_phone],
    "pages.md": [code_of("mei"), start_of_a_page_app],
    "events.md": [stay, stay],
}
"""The steps of each guide in a browser: after a server has started, and for each code to paste."""
GUIDES = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs" / "guide").glob("*.md"))]
"""The translations have the same programs (tests/unit/test_site_translations.py)."""


@pytest.fixture
def reader(serve: Callable[..., Served], browse: Open, tmp_path: Path) -> Reader:
    """Return a new user on a new platform, with a home folder."""
    served = serve()
    home = tmp_path / "home"
    home.mkdir()
    # Node looks for packages in the folders above a program.
    (tmp_path / "node_modules").symlink_to(PACKAGES)
    replaced = {"http://127.0.0.1:8000": served.base_url, ".local/": f"{served.local_dir}/"}
    return Reader(served, browse, home, replaced | {port: str(free_port()) for port in PORTS})


@pytest.mark.parametrize("guide", GUIDES)
def test_a_new_user_can_follow_it(guide: str, reader: Reader, tmp_path: Path) -> None:
    visits = iter(VISITS.get(Path(guide).name, ()))
    ports = (int(reader.replaced[port]) for port in PORTS)
    environment = {
        "HOME": str(reader.home),
        "ENGAWA_LOCAL_DIR": str(reader.served.local_dir),
        "PYTHONPATH": f"{ROOT / 'sdk/python/src'}:{sysconfig.get_path('purelib')}",
    }
    with ExitStack() as stack:
        terminal = stack.enter_context(shell(tmp_path, **environment))
        for block in blocks(reader.adapt((ROOT / guide).read_text(encoding="utf-8"))):
            if block.file:
                [folder] = [each for each in reader.home.iterdir() if not each.name.startswith(".")]
                (folder / block.file).write_text(block.text, encoding="utf-8")
            elif block.language == "sh" and block.text != "make serve\n":
                stack.enter_context(server(block.text, next(ports), tmp_path, **environment))
                next(visits)(reader)
            elif block.language == "console":
                for command, expected in examples(block.text):
                    if any(each in command for each in INSTALL):
                        continue
                    code = next(visits)(reader) if CODE in command else ""
                    reader.printed.append(terminal.check(command.replace(CODE, code), expected))
    assert not list(visits)
