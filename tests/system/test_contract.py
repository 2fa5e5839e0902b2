"""Valid and invalid requests that Schemathesis makes from openapi.yaml, sent to a platform of this module: no server
errors, and only documented responses. One of five goes to the deployed zip behind a function URL, the others to the
local platform.

The requests are the same in every run. `ENGAWA_CONTRACT_EXAMPLES` is the number of random requests for each operation,
besides those from its examples and bounds; if it is set, they differ in each run.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from itertools import count, cycle
from typing import Any

import pytest
import requests
import schemathesis
from authlib.integrations.requests_client import OAuth1Auth
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import checks as known
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as documented

from chalicelib.core import people
from chalicelib.core.moderation import Post
from chalicelib.core.oauth import OPERATOR
from chalicelib.core.reports import ReportReason
from chalicelib.core.request_records import RequestRecord, Sampling
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.records.reports import Reports
from chalicelib.store.records.request_log import RequestLog
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from chalicelib.web.auth.sessions import Session, Sessions
from infra import combine
from local.demo_data import APPS, CAFE, RECEIVER, USERS
from tests.kit.contract import Contract, Seen, document
from tests.kit.deployed import Deployed, deploying
from tests.kit.served import Served, running
from tests.kit.sessions import sign_in

EXAMPLES = int(os.environ.get("ENGAWA_CONTRACT_EXAMPLES", "0"))
OPERATIONS = {each.declared["operationId"]: each for each in Contract.ours().operations() if each.method != "OPTIONS"}
LAST = ("hideFeed", "unhideFeed", "moderateFeed", "deleteFeed")
"""Operations that take the feed away, or bring it back, in this order."""
NAMES = [
    *sorted((name for name in OPERATIONS if name not in LAST), key=lambda name: OPERATIONS[name].method == "DELETE"),
    *LAST,
]
"""DELETE operations come late, and LAST at the very end, since the others use the feed."""
SCOPES = ("mixi_apps2", "w_pagefeed", "r_page", *{each.scope for each in people.FIELDS.values()} - {None}, people.SCOPE)
MOST = 10
"""The largest number of cases from bounds and examples that are sent for each operation."""
FEED = "http://quest.example/contents/1"
SPARE = {"user": "spare0000000", "app": "5fa4e00000000000", "page": "99"}
"""Things that may be deleted; the requests that follow need the others."""
SHOWN = {"user": "displayName", "app": "name", "page": "name"}
LOSING = {"eraseUser": "user", "deleteApp": "app", "deletePage": "page", "renewSecret": "app"}
LOSING |= {"suspendUser": "user", "suspendApp": "app"}
THERE = {
    "group": "@self",
    "guid": "@me",
    "selector": "@self",
    "page": CAFE.id,
    "module": "3",
    "feed": "1",
    "friend": USERS["ken"],
    "certificate": "current.pem",
    "id": "0c1d2e3f-failed",
}
"""Path parameters of existing things; `user` and `app` depend on the face."""
KNOWN = {
    "UserId": [*USERS.values()],
    "AppId": [*APPS.values()],
    "PageId": [CAFE.id],
    "ModuleId": ["3"],
    "ContentUri": [FEED],
}
"""The ids of existing things on the platform; half of the requests use them."""
KNOWN_IDS = {each for values in KNOWN.values() for each in values}
URL, PLAIN_URL = r"([!#$&-;=?-Z\[\]_a-z~]|%[0-9A-Fa-f]{2})+", r"[!#$&-;=?-Z\[\]_a-z~]+"
"""The pattern of a URL after its scheme, and the one without escapes."""
CHECKS = [
    known.not_a_server_error,
    documented.status_code_conformance,
    documented.content_type_conformance,
    documented.response_headers_conformance,
    documented.response_schema_conformance,
    documented.allow_header_conformance,
]
WINDOW = "appdata update frequency is too high"


def prepared() -> dict[str, Any]:
    """Return the document with the demo world's ids as alternatives in its schemas, and without fetchable images.

    Its URLs have no escapes such as %20: a URL of the largest length with some takes seconds to draw.
    """
    made = json.loads(json.dumps(document()).replace(json.dumps(URL)[1:-1], json.dumps(PLAIN_URL)[1:-1]))
    schemas = made["components"]["schemas"]
    for name, values in KNOWN.items():
        schemas[f"Any{name}"] = schemas[name]
        schemas[name] = {"anyOf": [{"enum": values}, {"$ref": f"#/components/schemas/Any{name}"}]}
    # No server answers at this URL, and no other image URL is used.
    schemas["NewFeed"]["properties"]["imageUrls"]["items"] = {"const": "http://127.0.0.1:9/none.png"}
    for item in made["paths"].values():
        # tests/integration/test_cors.py tests preflights; here they would be a sixth of all requests.
        item.pop("options", None)
    return made


SETTINGS = settings(
    max_examples=EXAMPLES or 4,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=[*HealthCheck],
)
GENERATION = GenerationConfig(deterministic=not EXAMPLES, with_security_parameters=False)


class Sender:
    """A client that sends the requests of each operation with credentials that its security declares."""

    def __init__(self, served: Served, by_url: Deployed) -> None:
        self._keys = TokenKeys((served.local_dir / "token-keys.json").read_text)
        self._fronts = cycle([served.base_url] * 4 + [by_url.base_url])
        self._secret = served.demo["apps"]["quest"]["clientSecret"]
        self._served, self._password = served, served.demo["users"]["taro"]["password"]
        self._session: Session | None = None
        dynamo = Dynamo(served.aws("dynamodb"))
        self._reports = Reports(dynamo, "engawa-local-records", _now)
        # The platform itself writes a record at most once a minute.
        failed = Sampling()
        failed.add(RequestRecord(THERE["id"], _now(), "GET /health", 500, "internal_error", "KeyError", None, "1", 1))
        RequestLog(dynamo, "engawa-local-records", _now).write(failed)
        # Each user has a write window of their own.
        self._users = cycle([USERS[name] for name in ("hana", "ken", "mei", "yuki")])
        self._turns, self._aims, self._reporters = cycle(range(4)), cycle(range(4)), count()
        self._http = requests.Session()
        self._http.trust_env = False
        self.statuses: dict[str, set[int]] = {}
        """The statuses of each operation, for requests with its own method."""

    def send(self, case: schemathesis.Case) -> None:
        """Send a request and check its answer."""
        user = next(self._users)
        self._base_url = next(self._fronts)
        self._tokens = AccessTokens(self._keys, self._base_url)
        self._sessions = Sessions(self._keys, self._base_url)
        self._aim(case, user)
        answer = case.call(
            base_url=self._base_url, session=self._http, allow_redirects=False, **self._brought(case, user)
        )
        if answer.request.method == case.operation.method.upper():
            self.statuses.setdefault(case.operation.definition.raw["operationId"], set()).add(answer.status_code)
        if answer.status_code in (403, 413) and answer.headers.get("x-cache") == ["Error from cloudfront"]:
            # CloudFront itself refuses a GET with a body and a long URL, with a page (docs/reference/protocol.md).
            return
        # A full write window is the only reason for a 503 from a server without faults.
        busy = answer.status_code == 503 and answer.json().get("error_description") == WINDOW
        case.validate_response(answer, checks=CHECKS[busy:])
        path = answer.request.path_url.partition("?")[0]
        headers = {name: ", ".join(values) for name, values in answer.headers.items()}
        seen = Seen(answer.request.method or "", path, answer.status_code, headers, answer.content)
        assert Contract.ours().faults(seen) == []

    def _aim(self, case: schemathesis.Case, user: str) -> None:
        """Point three of four requests to existing things, so that the server checks more than their first error."""
        name, path = case.operation.definition.raw["operationId"], case.path_parameters
        aimed = next(self._aims) > 0
        if kind := LOSING.get(name):
            if aimed or path[kind] in KNOWN_IDS:
                path[kind] = SPARE[kind]
                self._make(f"/admin/{kind}s", None, {"id": SPARE[kind], SHOWN[kind]: "spare"})
            return
        if not aimed:
            return
        ours = case.path.startswith("/admin/")
        there = THERE | {"user": USERS["hana"] if ours else "@me", "app": APPS["quest"] if ours else "@app"}
        path.update({each: there[each] for each in path if each in there})
        if "contentUri" in case.query:
            case.query["contentUri"] = FEED
        for kind in ("comment", "favorite"):
            if kind in path:
                path[kind] = self._make(f"/2/pages/{CAFE.id}/{kind}s", user, {"comment": "first"})["id"]
        if "report" in path:
            path["report"] = self._report(user)
        if name == "deleteFeed":
            # A moderator has deleted the first one.
            self._make(f"/2/pages/{CAFE.id}/feeds", USERS["mei"], {"title": "spare", "contentUri": FEED})
        if "endpoint" in path:
            path["endpoint"] = RECEIVER
            made = {"id": RECEIVER, "url": "https://receiver.example/events", "kinds": ["app.installed"]}
            self._make(f"/admin/apps/{APPS['quest']}/endpoints", None, made)
        for unwanted in ("format", "If-Match", "If-None-Match"):
            case.query.pop(unwanted, None)
            case.headers.pop(unwanted, None)

    def _report(self, user: str) -> str:
        """Report a new comment, by a person of its own since a day has a limit for each; return the id of the case."""
        comment = self._make(f"/2/pages/{CAFE.id}/comments", user, {"comment": "first"})["id"]
        reporter = f"reporter{next(self._reporters):04}"
        return self._reports.report(Post(CAFE.id, THERE["feed"], comment), reporter, ReportReason.SPAM, "", user).case

    def _make(self, path: str, user: str | None, body: dict[str, Any]) -> Any:
        """Create a thing for a request to find, as the operator or as a user."""
        headers = {"Authorization": f"Bearer {self._token(user)}"}
        url, query = self._base_url + path, {"contentUri": FEED}
        made = self._http.post(url, json=body, headers=headers, params=query)
        assert made.status_code in (201, 409), made.text
        return made.json()

    def _token(self, viewer: str | None) -> str:
        scopes: Any = SCOPES if viewer else [OPERATOR]
        return self._tokens.issue(app=APPS["quest"], viewer=viewer, scopes=scopes, lifetime=900)

    def _brought(self, case: schemathesis.Case, user: str) -> dict[str, Any]:
        """Return credentials for a request, in turn from those in its operation's security."""
        ways = [name for each in case.operation.definition.raw.get("security", []) for name in each]
        turn = next(self._turns)
        if not ways:
            return {}
        if "session" in ways:
            session = self._session or sign_in(self._served.base_url, "taro", self._password)
            # A form may end the session.
            self._session = None if case.method == "POST" else session
            if isinstance(case.body, dict) and "csrf" in case.body and turn:
                case.body["csrf"] = session.masked_csrf()
            return {"headers": {"Cookie": self._sessions.cookie(session).partition(";")[0]}}
        if "signature" in ways and turn == 3:
            signed = OAuth1Auth(APPS["quest"], self._secret, force_include_body=True)
            return {"auth": signed, "params": {"xoauth_requestor_id": user}}
        token = self._token(None if "user" not in ways or ("app" in ways and turn == 2) else user)
        if turn == 1:
            return {"params": {"access_token": token}}
        return {"headers": {"Authorization": f"{'OAuth' if turn else 'Bearer'} {token}"}}


def _now() -> int:
    return int(time.time() * 1000)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("contract")) as served:
        yield served


@pytest.fixture(scope="module")
def sender(platform: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    with deploying(platform, tmp_path_factory.mktemp("by-url"), combine.URL) as by_url:
        yield Sender(platform, by_url)
        assert by_url.url.events


@pytest.fixture(scope="module")
def contract() -> Any:
    project = ProjectConfig(generation=GENERATION)
    return schemathesis.openapi.from_dict(
        prepared(), config=SchemathesisConfig(projects=ProjectsConfig(default=project), seed=1)
    )


@pytest.mark.parametrize("name", NAMES)
def test_requests_made_of_it_are_answered_as_it_says(name: str, contract: Any, sender: Sender) -> None:
    operation = contract.find_operation_by_id(name)
    for mode in GenerationMode:
        cases = [*contract.iter_coverage_cases(operation, generation_modes=[mode], generation_config=GENERATION)]
        for case in cases if EXAMPLES else cases[:: -(-len(cases) // MOST) or 1]:
            sender.send(case)

        @SETTINGS
        @given(case=operation.as_strategy(mode))
        def draw(case: schemathesis.Case) -> None:
            sender.send(case)

        # If an operation takes no input, or any text, no request to it is invalid.
        with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
            draw()
    # At least one request was accepted, so not all were refused at the first check.
    assert min(sender.statuses[name]) < 400
