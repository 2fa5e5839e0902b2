"""The documentation at `/docs` in a real browser, headless, on a desktop and on a phone. It needs no JavaScript.

`ENGAWA_SCREENSHOTS` names the directory for the screenshots; the default is the test's temporary directory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.kit.browser import DESKTOP, PHONE, Open, shoot

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


def complaints(browser: Chrome) -> list[str]:
    """Return what the browser says about a page, such as what its policy has refused."""
    return [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]]


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours as the browser writes them: `rgb(1, 2, 3)` or `rgba(1, 2, 3, 1)`."""

    def luminance(colour: str) -> float:
        parts = [int(each) / 255 for each in colour.partition("(")[2].rstrip(")").split(",")[:3]]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@SIZES
def test_an_operation_is_found_from_the_overview_and_shows_its_code(
    served: Any, browse: Open, shots: Path, size: tuple[int, int]
) -> None:
    browser = browse("en", size)
    name = "phone" if size == PHONE else "desktop"
    browser.get(f"{served.base_url}/docs")
    shoot(browser, shots / f"docs-{name}.png")

    browser.find_element(By.XPATH, '//main//a[.="Write a user\'s data"]').click()
    assert browser.current_url == f"{served.base_url}/docs/en/operations/write-data"
    shoot(browser, shots / f"docs-{name}-operation.png")
    shown = browser.find_element(By.TAG_NAME, "main").text
    for expected in ("Write a user's data", "POST", "/2/apps/appdata/{user}/{group}", "mixi_apps2", "1 to 99 pairs"):
        assert expected in shown
    # The page's policy allows its style.
    assert browser.find_element(By.CSS_SELECTOR, ".card").value_of_css_property("border-top-left-radius") == "14px"
    current = browser.find_element(By.CSS_SELECTOR, "nav a[aria-current=page]")
    assert current.get_attribute("textContent") == "Write a user's data"
    assert complaints(browser) == []

    panels = browser.find_elements(By.CSS_SELECTOR, ".panel")
    labels = browser.find_elements(By.CSS_SELECTOR, ".tabs label")
    assert [label.text for label in labels] == ["curl", "JavaScript", "Python"]
    for chosen, label in enumerate(labels):
        label.click()
        assert [panel.is_displayed() for panel in panels] == [index == chosen for index in range(3)]
    for panel in panels:
        assert "TOKEN" in (panel.get_attribute("textContent") or "")


@SIZES
def test_the_same_page_is_there_in_japanese(served: Any, browse: Open, shots: Path, size: tuple[int, int]) -> None:
    browser = browse("ja", size)
    name = "phone" if size == PHONE else "desktop"
    browser.get(f"{served.base_url}/docs/en/operations/read-people")
    browser.find_element(By.CSS_SELECTOR, "header .language").click()
    assert browser.current_url == f"{served.base_url}/docs/ja/operations/read-people"
    assert browser.find_element(By.TAG_NAME, "h1").text == "ユーザーまたは友人のプロフィールを読む"
    shoot(browser, shots / f"docs-ja-{name}-operation.png")
    browser.get(f"{served.base_url}/docs/ja")
    shoot(browser, shots / f"docs-ja-{name}.png")
    assert complaints(browser) == []


@pytest.mark.parametrize(
    "path", ["", "/en/operations/call-methods", "/en/reference/persistence", "/en/operating/costs"]
)
def test_every_kind_of_page_fits_a_phone_and_can_be_read_in_the_dark(
    served: Any, browse: Open, shots: Path, path: str
) -> None:
    browser = browse("en", PHONE)
    name = path.rpartition("/")[2] or "overview"
    papers = []
    for scheme in ("light", "dark"):
        wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
        browser.get(f"{served.base_url}/docs{path}")
        shoot(browser, shots / f"docs-phone-{name}-{scheme}.png")
        paper = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
        papers.append(paper)
        for selector in ("h1", "main p", "main a", "footer a"):
            ink = browser.find_element(By.CSS_SELECTOR, selector).value_of_css_property("color")
            assert contrast(ink, paper) >= 4.5, f"{selector} in {scheme}"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert papers[0] != papers[1]
    assert complaints(browser) == []


def test_the_contents_are_reached_on_a_phone_and_by_the_keyboard(served: Any, browse: Open) -> None:
    browser = browse("en", PHONE)
    browser.get(f"{served.base_url}/docs/en/operations/write-data")
    browser.find_element(By.CSS_SELECTOR, "header .menu").click()
    assert browser.current_url.endswith("#contents")
    assert browser.find_element(By.XPATH, "//nav//a[.='Overview']").is_displayed()
    skip = browser.find_element(By.CSS_SELECTOR, "a.skip")
    assert browser.find_element(By.CSS_SELECTOR, "body > :first-child") == skip
    assert (skip.get_attribute("href") or "").endswith("#main")


def test_an_unknown_page_is_a_page_that_says_so(served: Any, browse: Open) -> None:
    browser = browse("en", DESKTOP)
    browser.get(f"{served.base_url}/docs/en/no/page")
    assert "There is no such page" in browser.find_element(By.TAG_NAME, "main").text
