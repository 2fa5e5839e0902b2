"""The data that the checks create on a platform by the operator's API, and delete again.

These are an app, two users who are friends and have a login each, and a page with the first user as administrator and
the app as a module. Names begin with "Engawa check", so that the remains of a killed check can be found.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.checks.site import TIMEOUT, Site, answered, require

NAME = "check of a deployment"
REDIRECT = "https://check.engawa.example/back"
ORIGIN = "https://check.engawa.example"
SCOPES = ("mixi_apps2", "r_profile", "r_page", "w_pagefeed")


@dataclass
class Person:
    """A user of the world, who has granted the app all its scopes."""

    id: str
    login: str
    password: str = field(repr=False)
    token: str = field(default="", repr=False)
    """An access token of the app for the user."""
    refresh_token: str = field(default="", repr=False)


@dataclass
class World:
    """The created data. `left` names the data that could not be deleted."""

    site: Site
    operator: str = field(repr=False)
    app: str = ""
    secret: str = field(default="", repr=False)
    page: str = ""
    module: str = ""
    people: list[Person] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def one(self) -> Person:
        """The first user, who administers the page."""
        return self.people[0]

    @property
    def other(self) -> Person:
        """The second user, a friend of the first."""
        return self.people[1]

    def admin(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Send a request to the operator's API."""
        headers = {"Authorization": f"Bearer {self.operator}"}
        return self.site.send(method, f"/admin/{path}", headers=headers, json=body)

    def make(self) -> None:
        """Create everything. If it fails midway, the data created so far are known."""
        mark = secrets.token_hex(4)
        told = {"name": f"{NAME} {mark}", "redirectUris": [REDIRECT], "startUrl": REDIRECT, "origins": [ORIGIN]}
        app = answered(self.admin("POST", "apps", {**told, "scopes": [*SCOPES]}), 201)
        self.app, self.secret = app["id"], app["secret"]
        for number in (1, 2):
            login, password = f"check-{mark}-{number}", secrets.token_urlsafe(18)
            user = {"displayName": f"{NAME} {mark} 縁側 {number}", "login": login, "password": password}
            made = answered(self.admin("POST", "users", user), 201)
            self.people.append(Person(made["id"], login, password))
        answered(self.admin("PUT", f"users/{self.one.id}/friends/{self.other.id}"))
        self.page = answered(self.admin("POST", "pages", {"name": f"{NAME} {mark}", "category": "local"}), 201)["id"]
        answered(self.admin("PUT", f"pages/{self.page}/administrators/{self.one.id}"))
        module = {"app": self.app, "name": f"{NAME} {mark}"}
        self.module = answered(self.admin("POST", f"pages/{self.page}/modules", module), 201)["id"]
        for person in self.people:
            told = self.tokens(grant_type="authorization_code", code=self.code(person), redirect_uri=REDIRECT)
            person.token, person.refresh_token = told["access_token"], told["refresh_token"]

    def tokens(self, status: int = 200, **form: str) -> Any:
        """Return the response of `/2/token` to the app."""
        return answered(self.site.post("/2/token", data={**self.credentials, **form}), status)

    @property
    def credentials(self) -> dict[str, str]:
        """The app's credentials, for a form."""
        return {"client_id": self.app, "client_secret": self.secret}

    def client_token(self) -> str:
        """Get an access token of the app itself."""
        return str(self.tokens(grant_type="client_credentials")["access_token"])

    def code(self, person: Person) -> str:
        """Sign in and allow, as a person does with a browser; return the authorization code."""
        asked = {"client_id": self.app, "response_type": "code", "scope": " ".join(SCOPES), "state": "check"}
        url = f"{self.site.url}/connect_authorize.pl"
        with httpx.Client(timeout=TIMEOUT, headers={"Accept-Language": "en"}) as browser:
            page = browser.get(f"{url}?{urlencode(asked)}")
            page = browser.post(url, data={**asked, **_form(page), "login": person.login, "password": person.password})
            page = browser.post(url, data={**asked, **_form(page), "decision": "allow"})
        require(page, page.status_code in (302, 303), "a redirect to the app")
        location = page.headers.get("Location", "")
        given = parse_qs(urlsplit(location).query)
        require(page, location.startswith(f"{REDIRECT}?"), "a redirect to the app's own address")
        require(page, given.get("state") == ["check"] and len(given.get("code", [])) == 1, "a code and the state")
        return str(given["code"][0])

    def clean(self) -> None:
        """Delete everything; `left` then names what could not be deleted."""
        things = [f"pages/{self.page}"] if self.page else []
        things += [f"users/{person.id}" for person in self.people]
        things += [f"apps/{self.app}"] if self.app else []
        for thing in things:
            try:
                self._delete(thing)
            except (httpx.HTTPError, pytest.fail.Exception):
                self.left.append(thing)

    def _delete(self, thing: str) -> None:
        for _ in range(20):
            told = answered(self.admin("DELETE", thing))
            if told.get("done", True):
                return
        self.left.append(thing)


def _form(page: httpx.Response) -> dict[str, str]:
    """Return the CSRF field of the forms of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    require(page, page.status_code == 200 and found, "a page with a form")
    assert found
    return {"csrf": found[1]}
