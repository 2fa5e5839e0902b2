"""axe-core in a browser: the faults that it finds on a page, such as missing names and weak contrast."""

from __future__ import annotations

from selenium.webdriver import Chrome

from tests.kit.typescript import PACKAGES

AXE = PACKAGES / "axe-core" / "axe.min.js"
_RUN = """
const done = arguments[0];
axe.run({ preload: false }).then(({ violations }) => done(violations), done);
"""


def violations(browser: Chrome) -> list[str]:
    """Return the faults that axe-core finds on the page that the browser shows."""
    # It comes from the driver, so the page's policy does not apply.
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(_RUN)
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]
