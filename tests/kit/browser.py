"""A real headless browser, and helpers for its tests.

`ENGAWA_SCREENSHOTS` names a directory for the screenshots; by default, they are in the test's temporary directory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

DESKTOP, PHONE = (1280, 900), (390, 844)
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
Open = Callable[..., Chrome]


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    directory = Path(os.environ.get("ENGAWA_SCREENSHOTS") or tmp_path / "screenshots")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture
def browse(tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens a browser: `browse("ja", PHONE)`."""
    driver = shutil.which("chromedriver")
    assert driver, "chromedriver is needed; make chromium installs it on Debian"
    opened: list[Chrome] = []

    def open_one(language: str, size: tuple[int, int], *, script: bool = False) -> Chrome:
        options = ChromeOptions()
        profile = tmp_path / f"profile{len(opened)}"
        for flag in [*QUIET, f"--user-data-dir={profile}", f"--lang={language}", f"--accept-lang={language}"]:
            options.add_argument(flag)
        scripts = {} if script else {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", {"intl.accept_languages": language, **scripts})
        browser = Chrome(options, Service(driver))
        browser.set_page_load_timeout(30)
        browser.implicitly_wait(5)
        opened.append(browser)
        resize(browser, size)
        return browser

    yield open_one
    for browser in opened:
        browser.quit()


def resize(browser: Chrome, size: tuple[int, int]) -> None:
    """Set the size of the page. A browser window cannot be as narrow as a phone, so the metrics are overridden."""
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def shoot(browser: Chrome, path: Path) -> None:
    """Save a screenshot, and check that the page is not wider than the screen."""
    layout = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})
    assert layout["cssContentSize"]["width"] <= layout["cssLayoutViewport"]["clientWidth"], path.name
    assert browser.save_screenshot(str(path))
    assert path.stat().st_size > 5_000


def await_url(browser: Chrome, start: str) -> None:
    """Wait until a form's redirect has led to a URL that begins with `start`."""
    WebDriverWait(browser, 10).until(lambda each: each.current_url.startswith(start))


def button(browser: Chrome, name: str, value: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, f"button[name='{name}'][value='{value}']")


def sign_in(browser: Chrome, person: dict[str, str], password: str | None = None) -> None:
    login = browser.find_element(By.NAME, "login")
    login.clear()
    login.send_keys(person["login"])
    browser.find_element(By.NAME, "password").send_keys(password or person["password"])
    browser.find_element(By.CSS_SELECTOR, "button.whole").click()


def authorize_url(served: Any, **more: str) -> str:
    quest = served.demo["apps"]["quest"]
    asked = {"client_id": quest["clientId"], "response_type": "code", "scope": "r_profile mixi_apps2 w_pagefeed"}
    return f"{served.base_url}/connect_authorize.pl?{urlencode(asked | more)}"
