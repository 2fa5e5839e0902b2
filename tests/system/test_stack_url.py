"""`make deploy FRONT=url` in an emulator: the stack with a function URL behind CloudFront, and requests to it.

The tests depend on each other and run in file order. The emulator's CloudFront calls the function URL; it renames no
header, has no limit of size, and runs no function at the edge (docs/internals/architecture.md).
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from infra import combine
from local.environment import free_port
from local.server import Server
from tests.kit.deployed import zipped
from tests.kit.emulated import Emulated, Viewer, emulated, python_version
from tests.kit.run_checks import counted, run_checks

NOT_SHOWN = (
    "tests/checks/test_open.py::test_a_request_that_is_too_large",
    # The emulator answers this path itself.
    "tests/checks/test_open.py::test_it_is_well",
    "tests/checks/test_open.py::test_head_is_get_without_its_body[/health]",
)
"""Checks that need features which the emulator does not have."""
LIMIT = {"ApiConcurrency": "10"}


class Story:
    """The state that the tests share."""

    def __init__(self, account: Emulated, port: int) -> None:
        self.account = account
        self.url = f"http://127.0.0.1:{port}"
        self.outputs: dict[str, str] = {}
        self.function_url = ""

    def by_key(self, *keys: str) -> list[int]:
        """Return the status of a request to the function URL itself with each of these keys; empty for none."""
        url_id = self.function_url.partition("://")[2].partition(".")[0]
        url = f"{self.account.url}/_aws/lambda-url/{url_id}/health"
        return [httpx.get(url, headers={"X-Engawa-Proxy-Key": key} if key else {}).status_code for key in keys]

    def key(self) -> str:
        """Return the key that CloudFront sends."""
        [api] = [each for each in self.account.origins(self.outputs) if each["Id"] == "api"]
        [header] = api["CustomHeaders"]["Items"]
        assert header["HeaderName"] == "X-Engawa-Proxy-Key"
        return str(header["HeaderValue"])


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with emulated(tmp_path_factory.mktemp("stack"), zipped(python_version())) as account:
        yield Story(account, free_port())


def test_a_first_deployment_finds_out_its_issuer_itself(story: Story) -> None:
    account = story.account

    outputs = story.outputs = account.deploy("dev", combine.URL, **LIMIT)

    assert set(account.resources("engawa-dev").values()) <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    assert account.variables("engawa-dev")["ENGAWA_ISSUER"] == f"https://{outputs['DistributionDomain']}"
    assert outputs["BaseUrl"] == f"https://{outputs['DistributionDomain']}"
    assert "CloudFront's name is known now; the functions get it as their issuer." in account.said


def test_the_same_again_changes_nothing(story: Story) -> None:
    assert story.account.deploy("dev", combine.URL, **LIMIT) == story.outputs

    assert [words for words in story.account.said if words.endswith("nothing changes.")] == [
        "engawa-dev-global: nothing changes.",
        "engawa-dev: nothing changes.",
    ]


def test_everything_is_made_and_nothing_of_api_gateway(story: Story) -> None:
    account = story.account
    assert not account.aws("apigateway").get_rest_apis()["items"]
    aws = account.aws("lambda")
    [url] = aws.list_function_url_configs(FunctionName="engawa-dev")["FunctionUrlConfigs"]
    story.function_url = url["FunctionUrl"]
    assert (url["AuthType"], "Cors" in url) == ("NONE", False)
    statements = aws.get_policy(FunctionName="engawa-dev")["Policy"]
    assert "lambda:InvokeFunctionUrl" in statements
    assert "lambda:InvokedViaFunctionUrl" in statements
    [api] = [each for each in account.origins(story.outputs) if each["Id"] == "api"]
    assert f"https://{api['DomainName']}/" == url["FunctionUrl"]
    assert not api.get("OriginPath")


def test_only_cloudfront_may_call_the_url(story: Story) -> None:
    key = story.account.variables("engawa-dev")["ENGAWA_PROXY_KEY"]

    assert story.key() == key
    assert len(key) == 48
    assert story.by_key(key, "", "guessed-by-somebody") == [200, 403, 403]
    assert story.account.by_cloudfront(story.outputs, "/health").status_code == 200


def test_what_is_served_passes_the_checks(story: Story) -> None:
    story.outputs = story.account.deploy("dev", combine.URL, **LIMIT, Issuer=story.url)
    server = Server(int(story.url.rpartition(":")[2]))
    server.serve(Viewer(story.account, story.outputs["DistributionDomain"]))  # type: ignore[arg-type]
    try:
        token = story.account.operator("dev", story.url)
        done = run_checks(story.url, *(f"--deselect={name}" for name in NOT_SHOWN), ENGAWA_ADMIN_TOKEN=token)
    finally:
        server.stop()

    assert done.returncode == 0, done.stdout[-8000:] + story.account.logged("/aws/lambda/engawa-dev")
    passed, failed, left_out = counted(done, story.url)
    assert (passed > 90, failed, left_out) == (True, 0, 0)


def test_cloudfront_s_key_changes_as_the_documentation_says(story: Story) -> None:
    """The steps are those of "Keys" in docs/operating/operations.md."""
    account, old, new = story.account, story.key(), "n" * 48
    account.aws("secretsmanager").put_secret_value(SecretId=story.outputs["ProxyKeySecret"], SecretString=new)

    account.deploy("dev", combine.URL, **LIMIT, Issuer=story.url, OldProxyKey=old)
    assert story.key() == new
    assert story.by_key(old, new, "") == [200, 200, 403]

    account.deploy("dev", combine.URL, **LIMIT, Issuer=story.url)
    assert story.key() == new
    assert story.by_key(old, new, "") == [403, 200, 403]


def test_the_front_can_be_changed_and_the_name_stays(story: Story) -> None:
    changed = story.account.deploy("dev", Issuer=story.url)

    assert changed["DistributionDomain"] == story.outputs["DistributionDomain"]
    assert changed["RestAPIId"]
    assert not story.account.aws("lambda").list_function_url_configs(FunctionName="engawa-dev")["FunctionUrlConfigs"]
    assert httpx.get(f"{story.account.base_url(changed)}/health").status_code == 200
