"""Checks of a deployed platform, run by an operator: `make check URL=https://api.example.com`.

| variable | meaning |
|---|---|
| ENGAWA_ADMIN_TOKEN | an access token with the scope `admin`; or |
| ENGAWA_CHECK_CLIENT, ENGAWA_CHECK_SECRET | id and secret of an app that may have that scope |

With either, the checks create an app, users and a page of their own, and delete them again. With neither, they only
read what is open to everyone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.checks.site import Site, answered
from tests.checks.world import World
from tests.kit import contract

WITHOUT = "needs ENGAWA_ADMIN_TOKEN, or ENGAWA_CHECK_CLIENT and ENGAWA_CHECK_SECRET"
CREDENTIALS = ("ENGAWA_ADMIN_TOKEN", "ENGAWA_CHECK_CLIENT", "ENGAWA_CHECK_SECRET")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_LEFT = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--url`."""
    parser.addoption("--url", help="The base URL of the platform to check.")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a wrong URL, or one that would send credentials unencrypted, before the first request."""
    config.stash[_LEFT] = []
    if url := config.getoption("--url", None):
        try:
            Site(url).close()
        except ValueError as error:
            raise pytest.UsageError(f"--url: {error}") from None
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and any(map(os.environ.get, CREDENTIALS)):
            raise pytest.UsageError(
                f"An operator's credentials do not go over plain http to {parts.hostname}: use https"
            )


@pytest.fixture(scope="session")
def site(pytestconfig: pytest.Config) -> Iterator[Site]:
    """Return the platform."""
    url = pytestconfig.getoption("--url", None)
    if not url:
        pytest.skip("needs a platform: make check URL=https://api.example.com")
    made = Site(url)
    contract.watch(url)
    with contract.watching():
        yield made
    made.close()


@pytest.fixture(scope="session")
def world(site: Site, pytestconfig: pytest.Config) -> Iterator[World]:
    """Return the app, the users and the page that the checks have created for themselves."""
    made = World(site, _operator(site))
    try:
        made.make()
        yield made
    finally:
        made.clean()
        pytestconfig.stash[_LEFT].extend(made.left)


def _operator(site: Site) -> str:
    if token := os.environ.get("ENGAWA_ADMIN_TOKEN"):
        return token.strip()
    client, secret = os.environ.get("ENGAWA_CHECK_CLIENT"), os.environ.get("ENGAWA_CHECK_SECRET")
    if not (client and secret):
        pytest.skip(WITHOUT)
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": "admin"}
    return str(answered(site.post("/2/token", data=form))["access_token"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was checked, what was not and why, and what must be deleted by hand."""
    url = config.getoption("--url", None)
    if not url:
        return
    counts = {name: len(terminalreporter.getreports(name)) for name in ("passed", "failed", "error", "skipped")}
    failed = counts["failed"] + counts["error"]
    terminalreporter.write_line("")
    terminalreporter.write_line(
        f"{url}: {counts['passed']} checks passed, {failed} failed, {counts['skipped']} left out."
    )
    if counts["skipped"]:
        terminalreporter.write_line(f"Left out: what {WITHOUT}.")
    for thing in config.stash[_LEFT]:
        terminalreporter.write_line(f"Still there, to be deleted by the operator: {thing}")
