"""Requests that Schemathesis makes of openapi.yaml, good and bad ones, to a platform of their own: no failure of the
server, and no answer that is not documented.

The requests are the same in every run. `ENGAWA_CONTRACT_EXAMPLES` is how many are drawn for each operation, beside
those that its examples and bounds give; with it, they are others each time.
"""

from __future__ import annotations

import copy
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from itertools import cycle
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

from chalicelib.core import people
from chalicelib.core.oauth import OPERATOR
from chalicelib.web.sessions import Session, Sessions
from chalicelib.web.tokens import Keys, Tokens
from local.demo_data import APPS, CAFE, USERS
from tests.contract import Contract, Seen, document
from tests.system.conftest import Served, running

EXAMPLES = int(os.environ.get("ENGAWA_CONTRACT_EXAMPLES", "0"))
OPERATIONS = {each.declared["operationId"]: each for each in Contract.ours().operations() if each.method != "OPTIONS"}
NAMES = sorted(OPERATIONS, key=lambda name: OPERATIONS[name].method == "DELETE")
"""Those that delete come last."""
SCOPES = ("mixi_apps2", "w_pagefeed", "r_page", *{each.scope for each in people.FIELDS.values()} - {None}, people.SCOPE)
MOST = 12
"""Of the cases that bounds and examples give, so many are sent for each operation."""
SPARE = {"user": "spare0000000", "app": "5fa4e00000000000", "page": "99"}
"""What may be lost: the others have to be there for the requests that follow."""
LOSING = {"eraseUser": "user", "deleteApp": "app", "deletePage": "page", "renewSecret": "app"}
THERE = {
    "group": "@self",
    "guid": "@me",
    "selector": "@self",
    "page": CAFE.id,
    "module": "3",
    "feed": "1",
    "friend": USERS["ken"],
    "certificate": "current.pem",
}
"""Path parameters that lead somewhere; `user` and `app` depend on the face."""
KNOWN = {
    "UserId": [*USERS.values()],
    "AppId": [*APPS.values()],
    "PageId": [CAFE.id],
    "ModuleId": ["3"],
    "ContentUri": ["http://quest.example/contents/1"],
}
"""What there is on the platform: half of the requests speak of it."""
KNOWN_IDS = {each for values in KNOWN.values() for each in values}
WINDOW = "appdata update frequency is too high"


def prepared() -> dict[str, Any]:
    """The document with what there is in the demo world beside what there could be, and no image to be fetched."""
    made = copy.deepcopy(document())
    schemas = made["components"]["schemas"]
    for name, values in KNOWN.items():
        schemas[f"Any{name}"] = schemas[name]
        schemas[name] = {"anyOf": [{"enum": values}, {"$ref": f"#/components/schemas/Any{name}"}]}
    # Nothing is there, and nothing else is asked for an image.
    schemas["NewFeed"]["properties"]["imageUrls"]["items"] = {"const": "http://127.0.0.1:9/none.png"}
    for item in made["paths"].values():
        # A preflight is asked in test_browser_cors.py; here it would be a sixth of all requests.
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
    """Sends requests as who may: each operation's by what its security says."""

    def __init__(self, served: Served) -> None:
        self._base_url = served.base_url
        keys = Keys((served.local_dir / "token-keys.json").read_text)
        self._tokens = Tokens(keys, served.base_url)
        self._sessions = Sessions(keys, served.base_url)
        self._secret = served.demo["apps"]["quest"]["clientSecret"]
        # Each has a write window of their own.
        self._users = cycle([USERS[name] for name in ("hana", "ken", "mei", "yuki")])
        self._turns, self._aims = cycle(range(4)), cycle(range(4))
        self._http = requests.Session()
        self._http.trust_env = False
        self.sent: Counter[tuple[str, int]] = Counter()

    def send(self, case: schemathesis.Case) -> None:
        """Send a request and check its answer."""
        self._aim(case)
        brought: dict[str, Any] = {}
        ways = [name for each in case.operation.definition.raw.get("security", []) for name in each]
        if ways and ways != ["session"]:
            brought = self._brought(ways)
        elif ways:
            csrf = "c" * 32
            cookie = self._sessions.cookie(Session(USERS["taro"], csrf)).partition(";")[0]
            brought = {"headers": {"Cookie": cookie}}
            if isinstance(case.body, dict) and "csrf" in case.body and next(self._turns):
                case.body["csrf"] = csrf
        answer = case.call(base_url=self._base_url, session=self._http, allow_redirects=False, **brought)
        self.sent[case.operation.definition.raw["operationId"], answer.status_code] += 1
        busy = answer.status_code == 503 and answer.json().get("error_description") == WINDOW
        case.validate_response(answer, checks=[check for check in CHECKS if not busy or check is not NO_FAILURE])
        path = answer.request.path_url.partition("?")[0]
        headers = {name: ", ".join(values) for name, values in answer.headers.items()}
        seen = Seen(case.method.upper(), path, answer.status_code, headers, answer.content)
        assert Contract.ours().faults(seen) == []

    def _aim(self, case: schemathesis.Case) -> None:
        """Have three of four requests speak of what there is, so that more than their first fault is looked at."""
        name, path = case.operation.definition.raw["operationId"], case.path_parameters
        if (kind := LOSING.get(name)) and (path[kind] in KNOWN_IDS or next(self._aims)):
            path[kind] = SPARE[kind]
            self._create(kind)
        elif next(self._aims):
            ours = case.path.startswith("/admin/")
            there = THERE | {"user": USERS["hana"] if ours else "@me", "app": APPS["quest"] if ours else "@app"}
            path.update({each: there[each] for each in path if each in there})
            if "contentUri" in case.query:
                case.query["contentUri"] = KNOWN["ContentUri"][0]
            for unwanted in ("format", "If-Match", "If-None-Match"):
                case.query.pop(unwanted, None)
                case.headers.pop(unwanted, None)

    def _create(self, kind: str) -> None:
        body = {"id": SPARE[kind], "displayName" if kind == "user" else "name": "spare"}
        headers = {"Authorization": f"Bearer {self._token([OPERATOR], None)}"}
        made = self._http.post(f"{self._base_url}/admin/{kind}s", json=body, headers=headers)
        assert made.status_code in (201, 409), made.text

    def _token(self, scopes: Iterable[str], viewer: str | None) -> str:
        return self._tokens.issue(app=APPS["quest"], viewer=viewer, scopes=scopes, lifetime=900)

    def _brought(self, ways: list[str]) -> dict[str, Any]:
        user, turn = next(self._users), next(self._turns)
        if "signature" in ways and turn == 3:
            signed = OAuth1Auth(APPS["quest"], self._secret, force_include_body=True)
            return {"auth": signed, "params": {"xoauth_requestor_id": user}}
        scopes, viewer = (SCOPES, user) if "user" in ways else ([OPERATOR], None)
        if "app" in ways and turn == 2:
            viewer = None
        token = self._token(scopes, viewer)
        if turn == 1:
            return {"params": {"access_token": token}}
        return {"headers": {"Authorization": f"{'OAuth' if turn else 'Bearer'} {token}"}}


NO_FAILURE = known.not_a_server_error
CHECKS: list[Any] = [NO_FAILURE]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("contract")) as served:
        yield served


@pytest.fixture(scope="module")
def sender(platform: Served) -> Sender:
    return Sender(platform)


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

        # What takes nothing, or any text, can be sent nothing wrong.
        with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
            draw()
    print(name, {status: count for (of, status), count in sender.sent.items() if of == name})
