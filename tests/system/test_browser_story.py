"""The story of tests/kit/story.py: by keyboard only; and without JavaScript, when axe finds no fault on its pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.kit.axe import violations
from tests.kit.browser import DESKTOP, PHONE, Open
from tests.kit.served import Served, eventually, running
from tests.kit.story import MEI, RIKU, STEPS, TARO, Hands, Mouse, Story

MOST_TABS = 100
# What is wrong with the focus, or "": it is not visible, out of sight, or before the element that had it last.
_FOCUS = """
const now = document.activeElement, [target, started] = arguments;
if (now === document.body) { window.lastFocus = null; return [false, started ? 'nothing has the focus' : '']; }
const box = now.getBoundingClientRect(), style = getComputedStyle(now), found = [];
if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) found.push('no outline');
if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) found.push('out of sight');
const last = window.lastFocus || now;
window.lastFocus = now;
const follows = last.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING;
if (last !== now && !follows) found.push('out of order');
return [now === target, found.length ? found.join(', ') + ': ' + now.outerHTML.slice(0, 120) : ''];
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Return a platform for one telling of the story."""
    with running(tmp_path / "served") as platform:
        yield platform


class Keyboard:
    """Reaches everything by the Tab key, in the order of the page, and sees where the focus is."""

    def fill(self, browser: Chrome, element: WebElement, value: str) -> None:
        self._reach(browser, element)
        if element.tag_name == "select":
            while element.get_property("value") != value:
                before = element.get_property("selectedIndex")
                _type(browser, Keys.DOWN)
                assert element.get_property("selectedIndex") != before, f"no choice {value}"
        elif element.get_attribute("type") == "file":
            # Its dialog belongs to the operating system.
            element.send_keys(value)
        else:
            element.send_keys(Keys.CONTROL + "a" + Keys.NULL + value)

    def press(self, browser: Chrome, element: WebElement) -> None:
        self._reach(browser, element)
        _type(browser, Keys.ENTER)

    def _reach(self, browser: Chrome, element: WebElement) -> None:
        there, wrong = browser.execute_script(_FOCUS, element, False)
        for _ in range(MOST_TABS):
            assert not wrong, wrong
            if there:
                return
            _type(browser, Keys.TAB)
            there, wrong = browser.execute_script(_FOCUS, element, True)
        raise AssertionError(f"Tab does not reach {element.get_attribute('outerHTML')}")


def _type(browser: Chrome, keys: str) -> None:
    ActionChains(browser, duration=0).send_keys(keys).perform()


def played(served: Any, browse: Open, tmp_path: Path, size: tuple[int, int], hands: Hands, *, script: bool) -> None:
    """Tell the story; assert that the browser logs no fault, and that the file has the person's own data.

    Without JavaScript (`script`), axe looks at each page: what it sees is what both readers see.
    """
    browsers = {who: browse("en", size, script=True) for who in (RIKU, MEI, TARO)}
    for browser in browsers.values():
        _run_scripts(browser, script)
    story = Story(served, browsers, "en", tmp_path / "downloads")
    found: dict[str, list[str]] = {}
    for step, browser in story.steps(hands):
        # The pictures of the demo world's people and pages are at hosts that do not exist.
        faults = [each["message"] for each in browser.get_log("browser") if ".example/" not in each["message"]]
        if not script:
            # axe is a script. What the page would have run when it was loaded does not run now.
            _run_scripts(browser, True)
            faults += violations(browser)
            _run_scripts(browser, False)
        found[f"{step.part}: {step.name}"] = faults
    for browser in browsers.values():
        _run_scripts(browser, True)
    assert len(found) == len(STEPS)
    assert {page: faults for page, faults in found.items() if faults} == {}
    assert eventually(lambda: bool(list(story.downloads.glob("*.json"))))
    (file,) = story.downloads.glob("*.json")
    data = json.loads(file.read_text())
    told = json.dumps(data, ensure_ascii=False)
    assert "陸 (Riku)" in told
    assert "I like the seat by the window." in told


def _run_scripts(browser: Chrome, allowed: bool) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not allowed})


def test_by_keyboard_only(served: Served, browse: Open, tmp_path: Path) -> None:
    played(served, browse, tmp_path, DESKTOP, Keyboard(), script=True)


def test_without_javascript(served: Served, browse: Open, tmp_path: Path) -> None:
    played(served, browse, tmp_path, PHONE, Mouse(), script=False)


def test_a_focus_that_cannot_be_seen_is_found(served: Served, browse: Open) -> None:
    browser = browse("en", DESKTOP, script=True)
    browser.get(served.base_url)
    browser.execute_script("document.styleSheets[0].insertRule('a:focus-visible { outline: none !important }')")
    with pytest.raises(AssertionError, match="no outline"):
        Keyboard().press(browser, browser.find_element(By.CSS_SELECTOR, "main a.button"))
