"""The documentation is free of the faults that axe-core finds, such as missing names, in light and in dark.

The pages for people: test_browser_web_pages.py and test_browser_story.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.axe import violations
from tests.kit.browser import DESKTOP, PHONE, Open, color_scheme

PAGES = (
    "/docs",
    "/docs/ja",
    "/docs/en/operations/patch-data",
    "/docs/ja/operations/post-feed",
    "/docs/en/guide/five-minutes",
    "/docs/ja/guide/moving",
    "/docs/en/errors/parameter_invalid",
    "/docs/en/reference/limits",
    "/docs/en/operating/costs",
)


def test_axe_finds_a_fault(served: Any, browse: Open) -> None:
    browser = browse("en", DESKTOP, script=True)
    browser.get(f"{served.base_url}/docs")
    browser.execute_script("document.body.append(document.createElement('button'))")
    assert [each.partition(":")[0] for each in violations(browser)] == ["button-name"]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_no_fault(served: Any, browse: Open, size: tuple[int, int]) -> None:
    browser = browse("en", size, script=True)
    found: dict[str, list[str]] = {}
    for scheme in ("light", "dark"):
        color_scheme(browser, scheme)
        for path in PAGES:
            browser.get(served.base_url + path)
            found[f"{path} {scheme}"] = violations(browser)
    color_scheme(browser)
    assert {page: faults for page, faults in found.items() if faults} == {}
