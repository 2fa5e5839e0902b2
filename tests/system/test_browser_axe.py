"""Pages are free of the faults that axe-core finds, such as missing names and weak contrast, in light and in dark."""

from __future__ import annotations

from typing import Any

import pytest

from local.demo_data import CAFE
from tests.kit.axe import violations
from tests.kit.browser import DESKTOP, PHONE, Open, color_scheme, sign_in

PAGES = (
    "/",
    "/docs",
    "/docs/ja",
    "/docs/en/operations/patch-data",
    "/docs/ja/operations/post-feed",
    "/docs/en/guide/five-minutes",
    "/docs/ja/guide/moving",
    "/docs/en/errors/parameter_invalid",
    "/docs/en/reference/limits",
    "/docs/en/operating/costs",
    f"/pages/{CAFE.id}/feeds/1",
    "/settings",
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
        browser.get(f"{served.base_url}/settings")
        sign_in(browser, served.demo["users"]["hana"])
        found[f"settings of hana {scheme}"] = violations(browser)
        browser.delete_all_cookies()
    color_scheme(browser)
    assert {page: faults for page, faults in found.items() if faults} == {}
