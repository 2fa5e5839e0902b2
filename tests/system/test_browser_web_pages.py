"""Every page of tests/kit/web_pages.py in a browser: axe, borders of fields, sizes of targets, and no wider than 360 px.

Each page is opened on a phone and on a desktop, in one language each, once in the light and once in the dark; the next
page has the other halves. With `ENGAWA_SCREENSHOTS`, a directory for screenshots, each page is opened in all four ways.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from chalicelib.bootstrap import Platform
from chalicelib.core.errors import Conflict
from chalicelib.core.roles import Role
from local.demo_data import USERS
from tests.kit.axe import violations
from tests.kit.browser import DESKTOP, Open, color_scheme, resize, shoot, sign_in
from tests.kit.crowd import Crowd
from tests.kit.served import Served, running
from tests.kit.web_pages import PAGES, WebPage

NARROW = (360, 800)
VIEWS = (("ja", NARROW, "light"), ("en", DESKTOP, "dark"), ("en", NARROW, "dark"), ("ja", DESKTOP, "light"))
# ruff: noqa: E501 (a script)
_MEASURE = """
const lum = (rgb) => { const [r, g, b] = rgb.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
  return .2126 * r + .7152 * g + .0722 * b; };
const color = (text) => { const p = text.match(/[\\d.]+/g).map(Number); return p.length > 3 && p[3] === 0 ? null : p.slice(0, 3); };
const contrast = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((m, n) => n - m); return (x + .05) / (y + .05); };
const behind = (e) => { for (let p = e.parentElement; p; p = p.parentElement) { const c = color(getComputedStyle(p).backgroundColor); if (c) return c; } return [255, 255, 255]; };
const named = (e) => e.outerHTML.slice(0, 120);
const found = [];
if (document.scrollingElement.scrollWidth > innerWidth) found.push('wider than the screen: ' + document.scrollingElement.scrollWidth);
for (const e of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')) {
  if (e.tabIndex > 0) found.push('tabindex: ' + named(e));
  const target = e.type === 'checkbox' || e.type === 'radio' ? e.closest('label') || e : e;
  const box = target.getBoundingClientRect(), style = getComputedStyle(e);
  const inline = e.tagName === 'A' && style.display === 'inline' && e.parentElement.textContent.trim() !== e.textContent.trim();
  const hidden = !e.checkVisibility() || e.classList.contains('skip');
  if (!inline && !hidden && (box.height < 43.5 || box.width < 43.5)) found.push(`${Math.round(box.width)}x${Math.round(box.height)}: ` + named(e));
  if (!hidden && e.matches('input:not([type=checkbox], [type=radio], [type=file]), select, textarea, button:not(.link)')) {
    const ground = behind(e), own = color(style.backgroundColor), border = color(style.borderTopColor);
    const best = Math.max(own ? contrast(own, ground) : 0, border && parseFloat(style.borderTopWidth) ? contrast(border, ground) : 0);
    if (best < 3) found.push(`border ${best.toFixed(2)}: ` + named(e));
  }
}
return found;
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Return a platform for this test alone: to be shown, an app is suspended and people leave."""
    with running(tmp_path / "served") as platform:
        yield platform


def test_every_page_is_fit_for_people(served: Any, browse: Open, shots: Path) -> None:
    platform = Crowd(served).platform
    browser = browse("en", NARROW, script=True)
    filmed = "ENGAWA_SCREENSHOTS" in os.environ
    platform.roles.give(USERS["taro"], Role.OPERATOR)
    found: dict[str, list[str]] = {}
    before: WebPage | None = None
    for number, shown in enumerate(PAGES):
        path = opened(served, browser, platform, shown, before)
        before = shown
        for language, size, scheme in VIEWS if filmed else VIEWS[:2] if number % 2 else VIEWS[2:]:
            resize(browser, size)
            color_scheme(browser, scheme)
            browser.get(f"{served.base_url}{path}{'&' if '?' in path else '?'}lang={language}")
            name = f"{shown.name}--{language} {size[0]} {scheme}"
            found[name] = [*browser.execute_script(_MEASURE), *violations(browser)]
            if filmed:
                shoot(browser, shots / f"{name}.png", check=False, whole=True)
    color_scheme(browser)
    for user in {each.user for each in PAGES if each.role}:
        platform.roles.give(USERS[str(user)], None)
    pages: dict[str, list[str]] = {}
    for page, faults in found.items():
        for fault in faults:
            pages.setdefault(fault, []).append(page)
    told = [f"{fault}\n    on {len(on)} pages, such as {on[0]}" for fault, on in pages.items()]
    assert not told, "\n".join(told)


def opened(served: Any, browser: Chrome, platform: Platform, shown: WebPage, before: WebPage | None) -> str:
    """Sign in whoever opens the page, unless they have opened the page before it; give them the role. Return the path.

    Who has given the password again signs in anew for the next page, which may ask for it.
    """
    signed_in = before is not None and before.user == shown.user and not before.confirmed
    if not signed_in:
        browser.get(f"{served.base_url}/health")
        browser.delete_all_cookies()
    if shown.user:
        try:
            platform.roles.give(USERS[shown.user], shown.role)
        except Conflict:
            raise AssertionError(f"{shown.user} cannot get the role of {shown.name}") from None
    if shown.user and not signed_in:
        browser.get(f"{served.base_url}/sign_in")
        sign_in(browser, served.demo["users"][shown.user])
        WebDriverWait(browser, 10).until(lambda each: "sign_in" not in each.current_url)
    path = shown.made(platform)
    if shown.confirmed:
        browser.get(served.base_url + path)
        field = browser.find_element("name", "password_again")
        field.send_keys(served.demo["users"][str(shown.user)]["password"])
        field.submit()
    return path
