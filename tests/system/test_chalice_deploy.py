"""`chalice deploy` by Chalice's real deployer, to its end, in an emulator of AWS, twice; and requests to the result.

tests/kit/chalice_deploy.py names the differences from AWS. The tests depend on each other and run in file order.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra import combine
from tests.checks.site import Site, answered
from tests.kit.deployed import zipped
from tests.kit.emulated import ACCOUNT, REGION, Emulated, emulated, python_version
from tests.kit.served import ROOT, copied_project

APP, USER = "5b0c1e6f2a7d9348", "aki000000001"
MINE = "/2/apps/appdata/@me/@self"


class Chalice:
    """Chalice's command line in a copy of the project, over an account."""

    def __init__(self, directory: Path, account: Emulated, zip_path: Path) -> None:
        self.account = account
        self._zip = zip_path
        self._project = copied_project(directory / "engawa")
        # The emulator's IAM does not support variables in policies.
        for path in (self._project / ".chalice" / "policies").rglob("*.json"):
            path.write_text(path.read_text(encoding="utf-8").replace("${aws:PrincipalAccount}", ACCOUNT))
        own = {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "engawa", "AWS_SECRET_ACCESS_KEY": "engawa"}
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ENGAWA_"))}
        self._environment = bare | own | {"AWS_ENDPOINT_URL": account.url}

    def deploy(self) -> subprocess.CompletedProcess[str]:
        """Run `chalice deploy --stage dev`."""
        # The module is the project's, not the copy's, which has no tests.
        run = "import runpy, sys; sys.path.append(sys.argv.pop(1)); runpy.run_module('tests.kit.chalice_deploy', "
        run += "run_name='__main__', alter_sys=False)"
        command = [sys.executable, "-c", run, str(ROOT), str(self._zip), "deploy", "--stage", "dev"]
        return subprocess.run(
            command, cwd=self._project, env=self._environment, capture_output=True, text=True, check=False
        )

    @property
    def api(self) -> str:
        [api] = self.account.aws("apigateway").get_rest_apis()["items"]
        return str(api["id"])

    @property
    def url(self) -> str:
        return self.account.base_url({"RestAPIId": self.api})

    @property
    def issuer(self) -> str:
        return f"https://{self.api}.execute-api.{REGION}.amazonaws.com/api"

    def token(self) -> str:
        """Return a token of the user in the app."""
        return self.account.token("dev", self.issuer, USER, APP, "mixi_apps2")

    def own_responses(self) -> int:
        """Return the number of gateway responses that are not AWS's."""
        found = self.account.aws("apigateway").get_gateway_responses(restApiId=self.api, limit=500)["items"]
        return len([each for each in found if not each.get("defaultResponse")])


@pytest.fixture(scope="module")
def chalice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chalice]:
    directory = tmp_path_factory.mktemp("chalice-deploy")
    zip_path = zipped(python_version())
    with emulated(directory, zip_path) as account:
        yield Chalice(directory, account, zip_path)


def test_what_is_missing_is_said_and_made_by_the_command_that_is_named(chalice: Chalice) -> None:
    done = chalice.deploy()

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no table engawa-dev-appdata, ")
    assert done.stderr.endswith(": .venv/bin/python -m infra prepare dev creates all of them.\n")

    chalice.account.deployment("dev").prepare()
    chalice.account.said.clear()
    chalice.account.deployment("dev").prepare()
    assert chalice.account.said == ["engawa-dev-data: computing the changes ...", "engawa-dev-data: nothing changes."]


def test_a_deployment_serves_the_api_under_the_address_that_chalice_prints(chalice: Chalice) -> None:
    done = chalice.deploy()

    assert done.returncode == 0, done.stderr[-4000:]
    assert f"Rest API URL: {chalice.issuer}/\n" in done.stdout
    assert "ENGAWA_ISSUER" not in chalice.account.variables("engawa-dev")
    told = httpx.get(f"{chalice.url}/.well-known/oauth-authorization-server", timeout=30).raise_for_status().json()
    assert told["issuer"] == chalice.issuer
    site, operator = Site(chalice.url), chalice.account.operator("dev", chalice.issuer)
    answered(site.post("/admin/apps", operator, json={"id": APP, "name": "Shogi", "confidential": False}), 201)
    people = {"users": [{"id": USER, "displayName": "Aki"}], "installs": [{"user": USER, "app": APP}]}
    answered(site.post("/admin/import", operator, json=people))
    answered(site.post(MINE, chalice.token(), json={"score": "12"}))
    assert answered(site.get(f"{MINE}?fields=score", chalice.token()))["entry"][0]["data"] == {"score": "12"}
    unknown = httpx.get(f"{chalice.url}/nowhere", timeout=30)
    assert (unknown.status_code, unknown.json()["error"]) == (404, "not_found")
    assert chalice.own_responses() == len(combine.gateway_responses())


def test_a_token_of_another_issuer_is_not_valid(chalice: Chalice) -> None:
    token = chalice.account.operator("dev", "https://evil.example")

    answer = httpx.get(
        f"{chalice.url}/admin/users/nobody000000", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_the_next_deployment_keeps_data_tokens_and_gateway_responses(chalice: Chalice) -> None:
    token = chalice.token()

    done = chalice.deploy()

    assert done.returncode == 0, done.stderr[-4000:]
    assert "Updating lambda function: engawa-dev\n" in done.stdout
    entry = answered(Site(chalice.url).get(f"{MINE}?fields=score", token))["entry"]
    assert entry[0]["data"] == {"score": "12"}
    assert chalice.own_responses() == len(combine.gateway_responses())
