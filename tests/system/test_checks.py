"""The checks that an operator runs against a deployment; the deployed zip and the local platform pass them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.checks.site import Site, refused
from tests.kit.run_checks import counted, run_checks

if TYPE_CHECKING:
    from tests.kit.deployed import Deployed
    from tests.kit.served import Served


def test_what_is_deployed_passes_every_check(by_any_front: Deployed) -> None:
    deployed = by_any_front
    before = deployed.notes()

    done = run_checks(deployed.base_url, ENGAWA_ADMIN_TOKEN=deployed.operator)

    assert done.returncode == 0, done.stdout[-8000:]
    passed, failed, left_out = counted(done, deployed.base_url)
    assert (passed > 90, failed, left_out) == (True, 0, 0)
    assert "Still there" not in done.stdout
    # One process has served all of it.
    assert deployed.api.starts == 1
    # When the queue is empty, only the notes for a second cleanup of the users are left.
    assert deployed.deliver() >= 3
    assert not [note for note in deployed.notes() - before if not note.startswith("user#")]


def test_the_local_platform_passes_every_check(served: Served) -> None:
    done = run_checks(served.base_url, ENGAWA_ADMIN_TOKEN=served.demo["tokens"]["operator"])

    assert done.returncode == 0, done.stdout[-8000:]
    assert counted(done, served.base_url)[1:] == (0, 0)


def test_the_checks_leave_nothing(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.demo['tokens']['operator']}"}
    for kind in ("apps", "pages"):
        entries = httpx.get(f"{served.base_url}/admin/{kind}?count=100", headers=headers).json()["entry"]
        assert not [each for each in entries if each["name"].startswith("Engawa check")]


def test_without_credentials_the_checks_only_read(served: Served) -> None:
    done = run_checks(served.base_url)

    assert done.returncode == 0, done.stdout[-8000:]
    passed, failed, left_out = counted(done, served.base_url)
    assert (passed > 40, failed, left_out > 40) == (True, 0, True)
    assert "needs ENGAWA_ADMIN_TOKEN, or ENGAWA_CHECK_CLIENT and ENGAWA_CHECK_SECRET" in done.stdout


def test_an_app_may_be_the_checks_operator(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.demo['tokens']['operator']}"}
    wanted = {"name": "checker", "scopes": ["admin"]}
    app = httpx.post(f"{served.base_url}/admin/apps", json=wanted, headers=headers).json()
    credentials = {"ENGAWA_CHECK_CLIENT": app["id"], "ENGAWA_CHECK_SECRET": app["secret"]}

    done = run_checks(served.base_url, "-k", "test_admin", **credentials)

    assert counted(done, served.base_url)[1:] == (0, 0), done.stdout
    assert httpx.delete(f"{served.base_url}/admin/apps/{app['id']}", headers=headers).status_code == 200


def test_a_check_that_fails_says_what_and_never_a_token(served: Served) -> None:
    """The platform is called by another host name than the issuer's, as if ENGAWA_ISSUER were wrong."""
    url = served.base_url.replace("127.0.0.1", "localhost")

    done = run_checks(url, ENGAWA_ADMIN_TOKEN="wrong-" + served.demo["tokens"]["operator"])

    assert done.returncode == 1
    assert f"expected the issuer {url} (ENGAWA_ISSUER), not {served.base_url}" in done.stdout
    assert "POST " + url + "/admin/apps: expected 201." in done.stdout
    assert "Answered 401" in done.stdout
    assert served.demo["tokens"]["operator"] not in done.stdout + done.stderr


def test_a_url_where_nothing_is() -> None:
    done = run_checks("http://127.0.0.1:9", "-k", "test_head_has_no_body")

    assert done.returncode == 1
    assert "HEAD http://127.0.0.1:9/no/such/path was not answered: " in done.stdout


def test_credentials_do_not_go_over_plain_http() -> None:
    done = run_checks("http://api.example.com", ENGAWA_CHECK_SECRET="tell-nobody")

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "credentials do not go over plain http to api.example.com" in done.stderr
    assert "tell-nobody" not in done.stdout + done.stderr


@pytest.mark.parametrize("url", ["api.example.com", "ftp://api.example.com", "https://"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="is not an http or https URL"):
        Site(url)


@pytest.mark.parametrize("name", ["access_token", "refresh_token", "secret"])
def test_what_is_told_of_an_answer_has_no_secret(name: str) -> None:
    request = httpx.Request("POST", "https://api.example.com/2/token?oauth_token=tell-nobody")
    answer = httpx.Response(
        200, json={"a": "shown", name: "tell-nobody"}, headers={"x-amzn-RequestId": "1-2"}, request=request
    )

    with pytest.raises(pytest.fail.Exception) as failed:
        refused(answer, 401, "invalid_client")

    assert str(failed.value) == (
        "POST https://api.example.com/2/token: expected 401 invalid_client.\n"
        f'Answered 200, application/json: {{"a":"shown","{name}":"…"}}\nIn the logs: x-amzn-requestid 1-2'
    )
