"""Sign-in, consent, code exchange and the settings page in a real browser, headless and without JavaScript.

`ENGAWA_SCREENSHOTS` names the directory for the screenshots; the default is the test's temporary directory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.kit.browser import DESKTOP, PHONE, Open, authorize_url, await_url, button, is_there, resize, shoot, sign_in


@pytest.mark.parametrize(("language", "size", "name"), [("ja", PHONE, "phone"), ("en", DESKTOP, "desktop")])
def test_sign_in_allow_and_exchange_the_code(
    served: Any, browse: Open, shots: Path, language: str, size: tuple[int, int], name: str
) -> None:
    quest, person = served.demo["apps"]["quest"], served.demo["users"]["hana"]
    browser = browse(language, size)
    browser.get(authorize_url(served, state="s 花", display="touch"))
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
    shoot(browser, shots / f"sign-in-{name}.png")
    sign_in(browser, person, "wrong password")
    assert browser.find_element(By.CSS_SELECTOR, "[role=alert]").is_displayed()
    shoot(browser, shots / f"wrong-{name}.png")
    sign_in(browser, person)
    shoot(browser, shots / f"consent-{name}.png")
    # The content security policy allows the page's own style: a button has its colour.
    colour = button(browser, "decision", "allow").value_of_css_property("background-color")
    assert colour == "rgba(47, 95, 79, 1)"
    button(browser, "decision", "allow").click()
    await_url(browser, quest["redirectUri"])
    told = {key: values[-1] for key, values in parse_qs(urlsplit(browser.current_url).query).items()}
    assert told.keys() == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("s 花", served.base_url)

    form = {
        "grant_type": "authorization_code",
        "client_id": quest["clientId"],
        "client_secret": quest["clientSecret"],
        "redirect_uri": quest["redirectUri"],
        "code": told["code"],
    }
    with httpx.Client(base_url=served.base_url, trust_env=False) as client:
        made = client.post("/2/token", data=form)
        assert made.status_code == 200, made.text
        token = {"Authorization": f"OAuth {made.json()['access_token']}"}
        own = client.get("/2/apps/appdata/@me/@self", headers=token)
        assert own.json()["entry"][0]["id"] == person["id"]
        refresh = {"grant_type": "refresh_token", "refresh_token": made.json()["refresh_token"]}
        assert client.post("/2/token", data=form | refresh).status_code == 200
        assert client.post("/2/token", data=form).json()["error"] == "invalid_grant"
        assert client.post("/2/token", data=form | refresh).json()["error"] == "invalid_grant"


def test_refuse(served: Any, browse: Open) -> None:
    browser = browse("ja", DESKTOP)
    browser.get(authorize_url(served, state="s"))
    sign_in(browser, served.demo["users"]["mei"])
    button(browser, "decision", "deny").click()
    quest = served.demo["apps"]["quest"]
    await_url(browser, quest["redirectUri"])
    told = {"error": ["access_denied"], "state": ["s"], "iss": [served.base_url]}
    assert parse_qs(urlsplit(browser.current_url).query) == told


def test_settings(served: Any, browse: Open, shots: Path) -> None:
    browser = browse("ja", DESKTOP)
    person = served.demo["users"]["yuki"]
    browser.get(authorize_url(served))
    sign_in(browser, person)
    button(browser, "decision", "allow").click()
    await_url(browser, served.demo["apps"]["quest"]["redirectUri"])
    browser.get(f"{served.base_url}/settings")
    for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
        resize(browser, size)
        shoot(browser, shots / f"settings-{name}.png")
    browser.find_element(By.CSS_SELECTOR, "a[hreflang=en]").click()
    browser.find_element(By.CSS_SELECTOR, "main a[href$='/settings/apps']").click()
    quest = served.demo["apps"]["quest"]["id"]
    button(browser, "end", quest).click()
    ended = WebDriverWait(browser, 10).until(lambda each: each.find_element(By.CSS_SELECTOR, "[role=status]"))
    assert "ended the access" in ended.text
    assert not is_there(browser, f"button[name=end][value='{quest}']")
    shoot(browser, shots / "settings-saved.png")
    browser.refresh()
    assert not is_there(browser, f"button[name=end][value='{quest}']")


def test_an_unknown_redirect_uri_stays_here(served: Any, browse: Open, shots: Path) -> None:
    browser = browse("ja", PHONE)
    browser.get(authorize_url(served, redirect_uri="https://evil.example/"))
    assert browser.current_url.startswith(served.base_url)
    shoot(browser, shots / "error-phone.png")


def test_no_page_of_ours_can_be_framed(served: Any, browse: Open, tmp_path: Path) -> None:
    browser = browse("en", DESKTOP, script=True)
    frame = tmp_path / "frame.html"
    frame.write_text(f'<iframe src="{authorize_url(served)}" width="600" height="600"></iframe>')
    browser.get(frame.as_uri())
    browser.switch_to.frame(0)
    assert not browser.find_elements(By.NAME, "login")
