"""Lighthouse on the web pages: `make lighthouse` serves the demo world and prints the scores of some pages.

A desktop and a phone as Lighthouse simulates them: the phone has a slow network and a processor four times as slow.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import httpx

from chalicelib.core.roles import Role
from local.demo_data import CAFE, USERS
from tests.kit.browser import QUIET
from tests.kit.crowd import Crowd
from tests.kit.plain_browser import Browser
from tests.kit.served import ROOT, Served, running

CLI = ROOT / ".local" / "lighthouse-node" / "node_modules" / "lighthouse" / "cli" / "index.js"
PAGES = {
    "/, signed out": "/",
    "/": "/",
    "/settings": "/settings",
    "/pages/{page}": f"/pages/{CAFE.id}",
    "/pages/{page}/feeds/{feed}": f"/pages/{CAFE.id}/feeds/1",
    "/console": "/console",
    "/console/users/{user}": f"/console/users/{USERS['ken']}",
}
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")


def cookie_of(served: Served, login: str) -> str:
    """Sign in, and return the value of the header `Cookie`."""
    with httpx.Client(base_url=served.base_url, trust_env=False, timeout=60) as client:

        def send(method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, str]:
            answer = client.request(method, target, headers=headers, content=body)
            client.cookies.clear()
            return answer.status_code, answer.headers.multi_items(), answer.text

        browser = Browser(send)
        signed_in = browser.sign_in(browser.open("/sign_in"), login, served.demo["users"][login]["password"])
        assert signed_in.status == 303, signed_in.text
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def measured(url: str, cookie: str, directory: Path, *, desktop: bool) -> dict[str, Any]:
    """Return the report of Lighthouse on a page."""
    command = ["node", str(CLI), url, "--quiet", "--output=json", f"--output-path={directory / 'report.json'}"]
    command += [f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags={' '.join(QUIET)}"]
    command += ["--preset=desktop"] if desktop else []
    if cookie:
        (directory / "headers.json").write_text(json.dumps({"Cookie": cookie}))
        command += [f"--extra-headers={directory / 'headers.json'}"]
    environment = os.environ | {"CHROME_PATH": str(shutil.which("chromium"))}
    subprocess.run(command, env=environment, check=True, timeout=300)
    report: dict[str, Any] = json.loads((directory / "report.json").read_text())
    return report


def failed(report: dict[str, Any], category: str) -> list[str]:
    """Return the audits of a category that the page fails."""
    audits = (each["id"] for each in report["categories"][category]["auditRefs"] if each["weight"])
    return [id for id in audits if (score := report["audits"][id]["score"]) is not None and score < 0.9]


def main() -> None:
    """Print a table of the scores, and the audits that a page fails."""
    print("| page | screen | performance | accessibility | best practices | SEO | first contentful paint | below 90 |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="engawa-lighthouse-") as name, running(Path(name) / "served") as served:
        Crowd(served).platform.roles.give(USERS["taro"], Role.OPERATOR)
        cookie = cookie_of(served, "taro")
        for page, path in PAGES.items():
            for desktop in (False, True):
                own = "" if "signed out" in page else cookie
                report = measured(served.base_url + path, own, Path(name), desktop=desktop)
                assert report["finalDisplayedUrl"] == served.base_url + path, report["finalDisplayedUrl"]
                scores = [str(round(100 * report["categories"][each]["score"])) for each in CATEGORIES]
                paint = report["audits"]["first-contentful-paint"]["displayValue"].replace("\xa0", " ")
                below = [audit for each in CATEGORIES for audit in failed(report, each)]
                cells = [f"`{page}`", "desktop" if desktop else "phone", *scores, paint, ", ".join(below)]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
