"""The start of a page app: the redirect, its parameters, and the signature that proves their origin."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature

from chalicelib.core.model.directory import App, Page, StartMethod, User
from chalicelib.core.oauth import Family
from chalicelib.store.aws.side_by_side import longest_chain
from chalicelib.web.auth.launch_keys import RELOAD_SECONDS, LaunchKeys
from local import keys
from tests.kit.launches import verify
from tests.kit.plain_browser import Browser, Form, browser_at
from tests.kit.plain_browser import Page as Shown
from tests.kit.sessions import begin_session
from tests.kit.worlds import HANA, KEN, World

QUEST, IDLE = "6d1f0c2ab4e79853", "c07be4915fa2d386"
CAFE = "20260401000000000001"
LAUNCH = "/run_page_apps.pl"
START_URL = "https://Quest.example:443/start?device=PC&lang=%E6%97%A5+%2B&flag&device=TO#top"
HOSTILE = "https://evil.example/"
HOSTILE_NAME = "<script>alert('\"')</script>"


@pytest.fixture(scope="module")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "launch-keys.json"
    keys.ensure_launch(path)
    return path


@pytest.fixture
def here(make_world: Callable[..., World], keys_file: Path) -> World:
    """Return a world with the cafe: quest is module 3, an app without a start URL module 4. Hana has granted quest."""
    world = make_world(ENGAWA_LAUNCH_KEYS_FILE=str(keys_file))
    for user in (HANA, KEN):
        world.platform.users.create(User(user, user))
    world.platform.apps.create(App(QUEST, "クエスト", start_url=START_URL))
    world.platform.apps.create(App(IDLE, "Idle"))
    world.platform.pages.create(Page(CAFE, "カフェ"))
    world.platform.pages.add_module(CAFE, QUEST, "クエスト", "3")
    world.platform.pages.add_module(CAFE, IDLE, "Idle", "4")
    world.platform.appdata.install(QUEST, HANA)
    world.platform.grants.allow(Family("", QUEST, HANA, frozenset({"r_profile"}), 0, 0))
    world.calls.clear()
    return world


def browser_of(here: World, user: str | None = None) -> Browser:
    """Return a browser in which `user`, if given, has signed in."""

    browser = browser_at(here.gateway)
    if user:
        sessions = here.platform.sessions
        cookie = sessions.cookie(begin_session(here, user)).partition(";")[0]
        name, _, browser.cookies[sessions.cookie_name] = cookie.partition("=")
        assert name == sessions.cookie_name
    return browser


def launched(here: World, user: str | None = None, path: str = LAUNCH, **query: str) -> Shown:
    page = browser_of(here, user).open(path, **{"page_id": CAFE, "module_id": "3"} | query)
    assert page.status == 302, page.text
    return page


def told(page: Shown) -> list[tuple[str, str]]:
    """Return the decoded parameters of the start URL."""
    return parse_qsl(urlsplit(page.location).query, keep_blank_values=True, strict_parsing=True)


def certificate(here: World, kid: str) -> str:
    page = browser_of(here).open(f"/launch/{kid}.pem")
    assert page.status == 200, page.text
    return page.html


# The redirect and its parameters


@pytest.mark.parametrize("path", ["/run_page_apps.pl", "/run_page_appli.pl"])
def test_leads_to_the_start_url_with_the_page_and_the_module(here: World, path: str) -> None:
    page = launched(here, path=path)
    assert page.location.startswith("https://Quest.example:443/start?")
    assert page.location.endswith("#top")
    named = dict(told(page))
    assert named["mixi_page_id"] == CAFE
    assert named["mixi_module_id"] == "3"
    assert named["oauth_consumer_key"] == QUEST
    assert (named["oauth_signature_method"], named["oauth_version"]) == ("RSA-SHA1", "1.0")
    assert abs(int(named["oauth_timestamp"]) - time.time()) < 60
    assert not {"mixi_viewer_id", "appParams"} & named.keys()


def test_the_start_url_keeps_its_own_query_in_order(here: World) -> None:
    own = [("device", "PC"), ("lang", "日 +"), ("flag", ""), ("device", "TO")]
    assert told(launched(here))[:4] == own


def test_nobody_may_keep_or_refer_to_it(here: World) -> None:
    headers = launched(here).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "app_params",
    [
        '{"uid":"1569"}',
        '{"名":"花 & 鳥","a":"1+1=2","b":"100% #?/\\\\"}',
        "not json",
        "",
        "%7B%22a%22%7D",
        "a\r\nb: c\x00",
    ],
)
def test_app_params_arrive_as_they_came(here: World, app_params: str) -> None:
    page = launched(here, appParams=app_params)
    assert dict(told(page))["appParams"] == app_params
    verify(page.location, certificate(here, "current"))


def test_app_params_of_the_last_allowed_length_pass_and_longer_ones_are_refused(here: World) -> None:
    longest = "花" * 341 + "x"
    assert len(longest.encode()) == 1_024
    page = launched(here, appParams=longest)
    assert dict(told(page))["appParams"] == longest
    assert len(page.location) < 8_000
    page = browser_of(here).open(LAUNCH, page_id=CAFE, module_id="3", appParams=longest + "x")
    assert page.status == 400
    assert "appParams is too long (max=1024)" in page.text


# As a form


@pytest.fixture
def by_form(here: World) -> World:
    here.platform.apps.change(QUEST, name=HOSTILE_NAME, start_method=StartMethod.FORM)
    return here


def form_of(here: World, user: str | None = None, **query: str) -> tuple[Shown, Form]:
    page = browser_of(here, user).open(LAUNCH, **{"page_id": CAFE, "module_id": "3"} | query)
    assert page.status == 200, page.text
    (form,) = page.forms
    return page, form


def test_an_app_may_start_by_a_form_that_is_signed_as_a_post(by_form: World) -> None:
    page, form = form_of(by_form, HANA, appParams='{"名":"a+b &%\\"\'<"}')
    assert form.action == "https://Quest.example:443/start?device=PC&lang=%E6%97%A5%20%2B&flag=&device=TO#top"
    assert (form.fields["mixi_page_id"], form.fields["mixi_module_id"]) == (CAFE, "3")
    assert form.fields["mixi_viewer_id"] == HANA
    assert form.fields["appParams"] == '{"名":"a+b &%\\"\'<"}'
    assert form.fields["oauth_consumer_key"] == QUEST
    pem = certificate(by_form, form.fields["xoauth_signature_publickey"])
    verify(form.action, pem, "POST", form.fields.items())
    for method, fields in (("GET", form.fields), ("POST", form.fields | {"mixi_viewer_id": KEN}), ("POST", {})):
        with pytest.raises((InvalidSignature, ValueError)):
            verify(form.action, pem, method, fields.items())
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert "location" not in page.headers


def test_a_form_start_names_nobody_who_has_not_granted_the_app(by_form: World) -> None:
    for user in (KEN, None):
        assert "mixi_viewer_id" not in form_of(by_form, user)[1].fields


def test_the_page_of_a_form_works_without_its_script_and_lets_no_other_run(by_form: World) -> None:
    page, form = form_of(by_form)
    assert form.buttons == [("", "")]
    (script,) = re.findall("<script>(.*?)</script>", page.html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'sha256-{digest}'"
    assert policy["form-action"] == "'self' https://quest.example:443"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert HOSTILE_NAME in page.text
    assert HOSTILE_NAME not in page.html


@pytest.mark.parametrize(("accepted", "shown"), [("ja", "を開いています"), ("en", "Opening")])
def test_the_page_of_a_form_is_in_both_languages(by_form: World, accepted: str, shown: str) -> None:
    browser = browser_of(by_form)
    browser.headers["Accept-Language"] = accepted
    page = browser.open(LAUNCH, page_id=CAFE, module_id="3")
    assert page.headers["content-language"] == accepted
    assert shown in page.text


def test_a_form_start_is_refused_as_a_redirect_is(by_form: World) -> None:
    assert browser_of(by_form).open(LAUNCH, page_id=CAFE, module_id="5").status == 404
    assert browser_of(by_form).open(LAUNCH, page_id=CAFE, module_id="3", appParams="x" * 1025).status == 400
    by_form.platform.apps.change(QUEST, start_url="https://quest.example/?name=%B2%D6")
    assert browser_of(by_form).open(LAUNCH, page_id=CAFE, module_id="3").status == 404


# The viewer


def test_the_viewer_is_told_where_the_viewer_has_granted_the_app(here: World) -> None:
    assert dict(told(launched(here, HANA)))["mixi_viewer_id"] == HANA


def test_no_viewer_is_told_without_a_grant_or_a_session(here: World) -> None:
    for user in (KEN, None):
        assert "mixi_viewer_id" not in dict(told(launched(here, user)))
    here.platform.grants.end(HANA, QUEST)
    assert "mixi_viewer_id" not in dict(told(launched(here, HANA)))


def test_a_grant_to_another_app_tells_this_one_nothing(here: World) -> None:
    here.platform.appdata.install(IDLE, KEN)
    here.platform.grants.allow(Family("", IDLE, KEN, frozenset({"r_profile"}), 0, 0))
    assert "mixi_viewer_id" not in dict(told(launched(here, KEN)))


def test_a_grant_that_has_run_out_tells_nothing(here: World) -> None:
    here.clock.now += 91 * 24 * 3_600_000
    assert "mixi_viewer_id" not in dict(told(launched(here, HANA)))


def test_a_session_that_nobody_signed_tells_nothing(here: World) -> None:
    browser = browser_of(here, HANA)
    name = here.platform.sessions.cookie_name
    browser.cookies[name] = browser.cookies[name][:-4] + "AAAA"
    page = browser.open(LAUNCH, page_id=CAFE, module_id="3")
    assert "mixi_viewer_id" not in page.told


def test_what_the_request_says_about_the_viewer_is_worth_nothing(here: World) -> None:
    named = told(launched(here, mixi_viewer_id=HANA, opensocial_viewer_id=HANA, oauth_consumer_key=IDLE))
    assert HANA not in dict(named).values()
    assert [value for name, value in named if name == "oauth_consumer_key"] == [QUEST]


# The signature


@pytest.mark.parametrize("user", [HANA, None])
def test_an_app_can_verify_it_by_the_published_certificate(here: World, user: str | None) -> None:
    page = launched(here, user, appParams='{"名":"a+b &%"}')
    verify(page.location, certificate(here, "current"))
    verify(page.location, certificate(here, dict(told(page))["xoauth_signature_publickey"]))


@pytest.mark.parametrize(
    "name", ["mixi_page_id", "mixi_viewer_id", "appParams", "device", "oauth_timestamp", "oauth_nonce"]
)
def test_whatever_is_changed_breaks_the_signature(here: World, name: str) -> None:
    location = launched(here, HANA, appParams="{}").location
    pem = certificate(here, "current")
    assert location.count(f"{name}=") >= 1
    for tampered in (location.replace(f"{name}=", f"{name}=1", 1), location.replace(f"{name}=", f"x{name}=", 1)):
        with pytest.raises(InvalidSignature):
            verify(tampered, pem)
    with pytest.raises(InvalidSignature):
        verify(location.replace("/start", "/other"), pem)
    with pytest.raises(InvalidSignature):
        verify(location.replace("?", "?more=1&", 1), pem)
    with pytest.raises(InvalidSignature):
        verify(location, pem, "POST")


def test_a_certificate_of_another_key_does_not_verify_it(here: World, tmp_path: Path) -> None:
    keys.rotate_launch(tmp_path / "other.json")
    other = json.loads((tmp_path / "other.json").read_text())["keys"][0]["certificate"]
    with pytest.raises(InvalidSignature):
        verify(launched(here).location, other)


def test_each_start_has_a_nonce_of_its_own(here: World) -> None:
    nonces = [dict(told(launched(here)))["oauth_nonce"] for _ in range(3)]
    assert len(set(nonces)) == 3


def test_a_start_url_that_is_not_utf_8_is_not_signed_wrongly(here: World) -> None:
    here.platform.apps.change(QUEST, start_url="https://quest.example/?name=%B2%D6")
    page = browser_of(here).open(LAUNCH, page_id=CAFE, module_id="3")
    assert page.status == 404


# Refusals


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"page_id": CAFE}, 400),
        ({"module_id": "3"}, 400),
        ({"page_id": "", "module_id": "3"}, 400),
        ({"page_id": "0", "module_id": "3"}, 400),
        ({"page_id": CAFE, "module_id": "3#"}, 400),
        ({"page_id": CAFE, "module_id": "<script>"}, 400),
        ({"page_id": CAFE[:-1] + "2", "module_id": "3"}, 404),
        ({"page_id": CAFE, "module_id": "5"}, 404),
        ({"page_id": CAFE, "module_id": "4"}, 404),
    ],
)
def test_what_cannot_be_started_is_a_page_that_says_so(here: World, query: dict[str, str], status: int) -> None:
    page = browser_of(here, HANA).open(LAUNCH, **query)
    assert page.status == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "location" not in page.headers
    assert "<script" not in page.html


def test_a_parameter_that_stands_twice_is_refused(here: World) -> None:
    for name in ("page_id", "module_id", "appParams"):
        page = browser_of(here).open(f"{LAUNCH}?page_id={CAFE}&module_id=3&appParams=x&{name}=3")
        assert page.status == 400, name


def test_it_leads_nowhere_but_to_the_registered_start_url(here: World) -> None:
    names = ("url", "redirect_uri", "start_url", "next", "appParams")
    page = launched(here, **dict.fromkeys(names, HOSTILE))
    assert urlsplit(page.location).hostname == "quest.example"


def test_an_app_that_has_left_the_page_is_not_started(here: World) -> None:
    here.platform.pages.remove_module(CAFE, "3")
    assert browser_of(here, HANA).open(LAUNCH, page_id=CAFE, module_id="3").status == 404


def test_it_takes_three_reads_in_sequence_at_most(here: World) -> None:
    launched(here, HANA)
    assert len(here.calls) == 5  # One of them begins the session of this test.
    assert longest_chain([call.lane for call in here.calls]) == 4


# Keys


def test_certificates_are_public_and_may_be_kept(here: World) -> None:
    kid = dict(told(launched(here)))["xoauth_signature_publickey"]
    current, named = (browser_of(here).open(f"/launch/{name}.pem") for name in ("current", kid))
    assert current.html == named.html
    assert current.html.startswith("-----BEGIN CERTIFICATE-----\n")
    assert "PRIVATE" not in current.html
    assert named.headers["content-type"] == "application/x-pem-file"
    assert named.headers["cache-control"] == "public, max-age=86400"
    assert current.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("name", ["unknown.pem", "current", "current.key", ".pem", "..%2Fcurrent.pem"])
def test_no_other_certificate_is_there(here: World, name: str) -> None:
    assert browser_of(here).open(f"/launch/{name}").status == 404


def test_after_a_rotation_the_new_key_signs_and_old_starts_still_verify(
    here: World, make_world: Callable[..., World], keys_file: Path, tmp_path: Path
) -> None:
    old = launched(here)
    rotated = tmp_path / "rotated.json"
    rotated.write_text(keys_file.read_text())
    kid = keys.rotate_launch(rotated)
    there = make_world(ENGAWA_LAUNCH_KEYS_FILE=str(rotated))
    new = launched(there)
    assert dict(told(new))["xoauth_signature_publickey"] == kid != dict(told(old))["xoauth_signature_publickey"]
    verify(new.location, certificate(there, "current"))
    verify(old.location, certificate(there, dict(told(old))["xoauth_signature_publickey"]))


def test_a_certificate_that_is_not_at_hand_is_looked_for_at_most_once_a_minute(keys_file: Path, tmp_path: Path) -> None:
    now, loads, path = [0.0], [0], tmp_path / "keys.json"
    path.write_text(keys_file.read_text())

    def load() -> str:
        loads[0] += 1
        return path.read_text()

    launch_keys = LaunchKeys(load, lambda: now[0])
    assert loads == [0]
    assert launch_keys.certificate("unknown") is None
    kid = keys.rotate_launch(path)
    now[0] = RELOAD_SECONDS - 0.1
    assert launch_keys.certificate(kid) is None
    assert loads == [1]
    now[0] = RELOAD_SECONDS
    assert launch_keys.certificate(kid)
    assert loads == [2]
    assert launch_keys.signing().kid == kid


def test_the_private_key_is_not_read_before_an_app_is_started(make_world: Callable[..., World], tmp_path: Path) -> None:
    world = make_world(ENGAWA_LAUNCH_KEYS_FILE=str(tmp_path / "nowhere.json"))
    page = browser_of(world).open("/settings")
    assert page.status == 200
    assert browser_of(world).open(LAUNCH, page_id=CAFE, module_id="9").status == 404


def test_without_keys_a_deployment_starts_no_apps(make_world: Callable[..., World]) -> None:
    world = make_world()
    page = browser_of(world).open(LAUNCH, page_id=CAFE, module_id="3")
    assert page.status == 404
    assert "This deployment does not start apps" in page.text
    assert browser_of(world).open("/launch/current.pem").status == 404
