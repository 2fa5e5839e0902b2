"""The documentation at `/docs` in a real browser, headless and without JavaScript, on a desktop and on a phone.

`ENGAWA_SCREENSHOTS` names the directory for the screenshots; the default is the test's temporary directory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from tests.kit.browser import DESKTOP, PHONE, Open, shoot
from tests.kit.contract import Contract


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_request_is_found_from_the_top_of_the_page(
    served: Any, browse: Open, shots: Path, size: tuple[int, int]
) -> None:
    browser = browse("en", size)
    browser.get(f"{served.base_url}/docs")
    name = "phone" if size == PHONE else "desktop"
    shoot(browser, shots / f"docs-{name}.png")
    written = [
        each
        for each in Contract.ours().operations()
        if each.method not in ("HEAD", "OPTIONS") and ".json" not in each.path
    ]
    articles = {each.get_attribute("id") for each in browser.find_elements(By.CSS_SELECTOR, "article")}
    assert {each.declared["operationId"] for each in written} <= articles

    browser.find_element(By.XPATH, "//nav//summary[.='Persistence']").click()
    browser.find_element(By.CSS_SELECTOR, "nav a[href='#writeData']").click()
    shown = browser.find_element(By.ID, "writeData")
    assert browser.current_url.endswith("/docs#writeData")
    assert "POST /2/apps/appdata/{user}/{group}" in shown.text
    assert "1 to 99 pairs" in shown.text
    # The page's content security policy allows its style.
    assert shown.value_of_css_property("border-top-left-radius") == "14px"
    shoot(browser, shots / f"docs-{name}-request.png")

    shown.find_element(By.CSS_SELECTOR, "a[href='#answer-Busy']").click()
    assert "Retry-After" in browser.find_element(By.ID, "answer-Busy").text
    shoot(browser, shots / f"docs-{name}-answer.png")
    assert [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]] == []
