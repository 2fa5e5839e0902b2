"""The console's pages of apps."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.core.model.directory import App
from tests.kit.console import app_world, browser_of, confirm, followed, form_to
from tests.kit.plain_browser import Browser, Page
from tests.kit.signing import SECRET
from tests.kit.worlds import APP, HANA, MEI, World

APPS = "/console/apps"
ONE = f"{APPS}/{APP}"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return app_world(make_world())


@pytest.fixture
def browser(world: World) -> Browser:
    return browser_of(world)


def known(world: World) -> App:
    app = world.platform.apps.get(APP)
    assert app
    return app


# See and find


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("path", [APPS, ONE, f"{ONE}/edit", f"{APPS}/new", f"{ONE}/endpoints", f"{ONE}/events"])
def test_every_page_is_shown_in_both_languages(world: World, path: str, language: str) -> None:
    page = browser_of(world).open(path, lang=language)

    assert page.status == 200
    assert f'<html lang="{language}">' in page.html
    assert page.html.count("<h1") == 1
    assert " style=" not in page.html
    assert "ecret" not in page.html or SECRET not in page.html
    assert len(page.html.encode()) < 50_000


def test_apps_are_listed_in_parts(world: World, browser: Browser) -> None:
    for number in range(25):
        world.platform.apps.create(App(f"{number:016x}", f"app number {number}"))

    first = browser.open(APPS)
    following = re.findall(r'href="([^"]*cursor=[^"]*)"', first.html)
    assert first.html.count("/console/apps/0000") == 20
    second = browser.open(following[0].replace("&amp;", "&"))
    assert second.html.count("/console/apps/0000") == 5
    assert "Quest" in second.text
    assert browser.open(APPS, cursor="nonsense!").status == 400


def test_apps_are_found_by_the_beginning_of_their_name(world: World, browser: Browser) -> None:
    world.platform.apps.create(App("a" * 16, "クエスト 2"))

    for text, names in (("que", {"Quest"}), ("くえ", {"クエスト 2"}), (APP, {"Quest"}), ("zzz", set())):
        page = browser.open(APPS, q=text)
        assert {name for name in ("Quest", "クエスト 2") if f"<bdi>{name}</bdi>" in page.html} == names
    assert browser.open(APPS, q="x" * 300).status in (200, 400)


def test_an_unknown_app_is_no_page(browser: Browser) -> None:
    for path in ("f" * 16, "nonsense", f"{'f' * 16}/edit", f"{'f' * 16}/events", f"{'f' * 16}/endpoints"):
        assert browser.open(f"{APPS}/{path}").status == 404
    assert browser.open(f"{ONE}/endpoints/{'0' * 12}").status == 404
    assert browser.open(f"{ONE}/endpoints/nonsense").status == 404


def test_a_moderator_sees_an_app_and_changes_nothing(world: World) -> None:
    browser = browser_of(world, "ken")

    page = browser.open(ONE)
    assert page.status == 200
    assert [form.action for form in page.forms] == ["/sign_out"]
    for path in (f"{ONE}/edit", f"{APPS}/new", f"{ONE}/endpoints", f"{ONE}/events", f"{ONE}/delete"):
        assert browser.open(path).status == 403


# Register


def test_an_app_gets_the_scope_of_operators_only_with_the_password(world: World, browser: Browser) -> None:
    """With it, an app may do everything that the console asks the password for."""
    admin = {"scope.admin": "on"}
    asked, _ = registered(browser, **admin)
    assert asked.status == 403
    assert len(world.platform.apps.list_part(None, 10)[0]) == 1
    page = form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit")
    edited = browser.submit(page, **admin)
    assert edited.status == 403
    assert "admin" not in known(world).scopes

    assert followed(browser, confirm(browser, edited)).status == 200
    assert "admin" in known(world).scopes
    # The password was just given.
    assert registered(browser, **admin)[0].status == 200


def test_an_operators_app_is_edited_without_the_password(world: World, browser: Browser) -> None:
    world.platform.apps.change(APP, scopes=("admin", "r_page"))
    page = browser.submit(form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit"), developer="Stars")
    assert page.status == 303


def registered(browser: Browser, **fields: str) -> tuple[Page, Any]:
    form = form_to(browser.open(f"{APPS}/new"), APPS)
    return browser.submit(form, **{"name": "New app", "redirectUris": "https://a.example/back"} | fields), form


def test_an_app_is_registered_and_its_secret_is_shown_once(world: World, browser: Browser) -> None:
    page, form = registered(browser, developer="星", iconUrl="https://a.example/i.png", origins="https://a.example")

    assert page.status == 200
    secret = re.findall(r'<code class="secret">([0-9a-f]{40})</code>', page.html)[0]
    assert page.headers["cache-control"] == "no-store"
    app = world.platform.apps.get(form.fields["id"])
    assert app
    assert (app.name, app.secret, app.developer) == ("New app", secret, "星")
    assert (app.redirect_uris, app.origins) == (("https://a.example/back",), ("https://a.example",))
    assert app.scopes == ("mixi_apps2", "r_profile")
    assert secret not in browser.open(f"{APPS}/{app.id}").html

    again = browser.submit(form, name="New app")
    assert again.status == 409
    assert secret not in again.html
    assert len(world.platform.apps.list_part()[0]) == 2


def test_a_public_app_has_no_secret_to_show(world: World, browser: Browser) -> None:
    page, form = registered(browser, kind="public", redirectUris="com.example.app:/back")

    assert "The app is registered." in followed(browser, page).text
    app = world.platform.apps.get(form.fields["id"])
    assert app
    assert (app.confidential, app.secret) == (False, None)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", " ", "Enter 1 to 100"),
        ("name", "x" * 101, "Enter 1 to 100"),
        ("name", "\u200b", "Enter 1 to 100"),
        ("name", "Engаwa", "looks like this platform"),
        ("iconUrl", "http://a.example/i.png", "https URL"),
        ("homepageUrl", "javascript:alert(1)", "http or https"),
        ("redirectUris", "https://a.example/#x", "without #"),
        ("redirectUris", "\n".join(f"https://a.example/{n}" for n in range(21)), "up to 20"),
        ("origins", "https://a.example/path", "origins such as"),
        ("startMethod", "nonsense", "Choose one"),
        ("scope.nonsense", "on", "scopes"),
    ],
)
def test_a_wrong_field_is_said_and_nothing_is_stored(
    world: World, browser: Browser, field: str, value: str, says: str
) -> None:
    page, form = registered(browser, **{field: value, "developer": "星ゲームス"})

    assert page.status == 400
    assert says in page.text
    assert "aria-invalid" in page.html or field.startswith("scope")
    assert 'value="星ゲームス"' in page.html
    assert world.platform.apps.get(form.fields["id"]) is None


def test_hostile_texts_are_only_text(world: World, browser: Browser) -> None:
    hostile = '"><script>alert(1)</script>'
    world.platform.apps.change(APP, name=hostile, developer=hostile, scopes=("mixi_apps2",))

    for path in (APPS, ONE, f"{ONE}/edit", f"{ONE}/endpoints", f"{ONE}/events"):
        page = browser.open(path)
        assert page.status == 200
        assert "script" not in page.tags


# Edit


def test_settings_are_edited(world: World, browser: Browser) -> None:
    form = form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit")
    page = browser.submit(
        form, name="Quest II", origins="https://a.example\r\nhttps://b.example", privacyUrl="https://a.example/p"
    )

    assert (page.status, known(world).origins) == (403, ())
    assert '<a href="/console">Cancel</a>' in page.html
    page = confirm(browser, page)
    assert "The settings are saved." in followed(browser, page).text
    app = known(world)
    assert (app.name, app.origins, app.privacy_url) == (
        "Quest II",
        ("https://a.example", "https://b.example"),
        "https://a.example/p",
    )
    assert (app.scopes, app.secret, app.redirect_uris) == (
        ("mixi_apps2", "r_photo"),
        SECRET,
        ("https://game.example/back",),
    )


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("redirectUris", "https://game.example/back\r\nhttps://a.example/", 403),
        ("redirectUris", "", 303),
        ("origins", "https://a.example", 403),
        ("privacyUrl", "https://a.example/p", 303),
    ],
)
def test_where_an_apps_tokens_may_go_is_widened_only_with_the_password(
    world: World, browser: Browser, field: str, value: str, status: int
) -> None:
    before = known(world)
    page = browser.submit(form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit"), **{field: value})

    assert page.status == status
    assert (known(world) == before) == (status == 403)


def test_saving_what_is_stored_changes_nothing(world: World, browser: Browser) -> None:
    before = known(world)
    page = browser.submit(form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit"))

    assert "Nothing has changed." in followed(browser, page).text
    assert known(world) == before


def test_the_second_of_two_operators_sees_what_has_changed(world: World, browser: Browser) -> None:
    other = browser_of(world)
    mine = form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit")
    theirs = form_to(other.open(f"{ONE}/edit"), f"{ONE}/edit")
    assert other.submit(theirs, developer="Their words", name="Their name").status == 303

    stale = browser.submit(mine, developer="My words")
    assert stale.status == 409
    assert "These settings were changed after you opened this page." in stale.text
    assert "<bdi>Their words</bdi>" in stale.html
    assert "<bdi>Their name</bdi>" in stale.html
    assert 'value="My words"' in stale.html
    assert known(world).developer == "Their words"
    assert browser.submit(form_to(stale, f"{ONE}/edit")).status == 303
    assert (known(world).developer, known(world).name) == ("My words", "Quest")


def test_a_form_that_is_sent_twice_saves_once(world: World, browser: Browser) -> None:
    form = form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit")
    pages = [browser.submit(form, developer="星") for _ in range(2)]

    assert [page.status for page in pages] == [303, 303]
    assert str(world.items("records")).count("app.changed") == 1
    assert known(world).developer == "星"


def test_a_change_between_reading_and_writing_is_not_lost(world: World, browser: Browser) -> None:
    form = form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit")
    apps, change = world.platform.apps, type(world.platform.apps).change

    def rival(self: Any, app: str, **fields: Any) -> App:
        if fields.get("expected"):
            change(apps, app, developer="Rival")
        return change(apps, app, **fields)

    with patch.object(type(apps), "change", rival):
        stale = browser.submit(form, developer="Mine")
    assert stale.status == 409
    assert known(world).developer == "Rival"


def test_a_form_of_another_session_is_refused(world: World, browser: Browser) -> None:
    form = form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit")

    assert browser.submit(form, csrf="nonsense", name="Other").status == 400
    assert known(world).name == "Quest"


# Secrets


def rotate(browser: Browser, **fields: str) -> Page:
    return browser.submit(form_to(browser.open(ONE), f"{ONE}/secret"), **fields)


def test_a_rotation_asks_for_the_password_and_shows_the_secret_once(world: World, browser: Browser) -> None:
    asked = rotate(browser)
    assert known(world).secret == SECRET

    page = confirm(browser, asked)
    assert page.status == 200
    secret = re.findall(r'<code class="secret">([0-9a-f]{40})</code>', page.html)[0]
    assert (known(world).secret, known(world).old_secret) == (secret, SECRET)
    assert "The old secret works until" in page.text
    shown = browser.open(ONE)
    assert secret not in shown.html
    assert "Not used yet" in shown.text
    end = browser.submit(form_to(shown, f"{ONE}/old-secret"))
    assert "The old secret has ended." in followed(browser, end).text
    assert known(world).old_secret is None


def test_a_wrong_password_rotates_nothing(world: World, browser: Browser) -> None:
    asked = rotate(browser)
    page = browser.submit(asked.form("password_again"), password_again="wrong")

    assert page.status == 403
    assert known(world).secret == SECRET


def test_a_form_that_is_sent_twice_rotates_once(world: World, browser: Browser) -> None:
    form = form_to(browser.open(ONE), f"{ONE}/secret")
    first = confirm(browser, browser.submit(form))
    secret = known(world).secret

    again = browser.submit(form)
    assert (first.status, again.status) == (200, 409)
    assert known(world).secret == secret
    assert str(secret) not in again.html
    assert "If you did not see it, make another one" in again.text
    world.clock.now += 1_000
    assert browser.submit(form_to(again, f"{ONE}/secret")).status == 200
    assert known(world).old_secret == SECRET


def test_the_notice_after_the_end_of_the_old_secret_is_true(world: World, browser: Browser) -> None:
    confirm(browser, rotate(browser))
    form = form_to(browser.open(ONE), f"{ONE}/old-secret")

    assert "The old secret has ended." in followed(browser, browser.submit(form)).text
    late = followed(browser, browser.submit(form)).text
    assert ("There is no old secret." in late, "has ended" in late) == (True, False)


def test_a_leaked_secret_ends_at_once(world: World, browser: Browser) -> None:
    form = form_to(browser.open(ONE), f"{ONE}/secret")
    form.fields.pop("keep", None)
    page = confirm(browser, browser.submit(form))

    assert page.status == 200
    assert known(world).old_secret is None


# Suspension and deletion


def test_an_app_is_suspended_and_restored(world: World, browser: Browser) -> None:
    form = form_to(browser.open(ONE), f"{ONE}/suspension")
    assert confirm(browser, browser.submit(form, reason=" ")).status == 400
    page = browser.submit(form, reason="It asks for passwords")

    shown = followed(browser, page)
    assert "The app is suspended." in shown.text
    assert "It asks for passwords" in shown.text
    assert known(world).suspended == world.clock.now
    assert "Suspended" in browser.open(APPS).text
    page = browser.submit(form_to(shown, f"{ONE}/restore"))
    assert "The suspension is over." in followed(browser, page).text
    assert known(world).suspended is None


def test_an_app_is_deleted_by_its_name(world: World, browser: Browser) -> None:
    world.platform.appdata.install(APP, MEI, {"level": "1"})
    asked = confirm(browser, browser.open(f"{ONE}/delete"))
    page = followed(browser, asked)
    form = form_to(page, f"{ONE}/delete")

    wrong = browser.submit(form, name="quest")
    assert wrong.status == 400
    assert known(world)
    page = browser.submit(form, name="Quest")
    assert "The app is deleted." in followed(browser, page).text
    assert world.platform.apps.get(APP) is None
    assert browser.submit(form, name="Quest").status == 404


def test_a_long_deletion_goes_on(world: World, browser: Browser) -> None:
    page = followed(browser, confirm(browser, browser.open(f"{ONE}/delete")))
    erase, parts = world.platform.user_data.erase_app, [(7, False)]

    def in_parts(app: str) -> tuple[int, bool]:
        if parts:
            world.platform.apps.close(app)
            return parts.pop()
        return erase(app)

    with patch.object(world.platform.user_data, "erase_app", in_parts):
        page = browser.submit(form_to(page, f"{ONE}/delete"), name="Quest")
        assert (page.status, "7 installs" in page.text) == (200, True)
        page = browser.submit(form_to(page, f"{ONE}/delete"))
    assert "The app is deleted." in followed(browser, page).text


# The log


def test_every_change_is_in_the_log(world: World, browser: Browser) -> None:
    form = form_to(browser.open(f"{ONE}/edit"), f"{ONE}/edit")
    browser.submit(form, developer="星")
    confirm(browser, rotate(browser))
    secret = known(world).secret
    browser.submit(form_to(browser.open(ONE), f"{ONE}/old-secret"))
    browser.submit(form_to(browser.open(ONE), f"{ONE}/suspension"), reason="why")
    browser.submit(form_to(browser.open(ONE), f"{ONE}/restore"))
    items = str(world.items("records"))

    for kind in ("app.changed", "secret.rotated", "old-secret.ended", "app.suspended", "app.restored"):
        assert kind in items
    assert f"user:{HANA}" in items
    assert "why" in items
    assert str(secret) not in items
    assert SECRET not in items


def test_a_stored_app_of_before_is_edited(world: World, browser: Browser) -> None:
    """An app of an earlier version has no start method; a name like ours stays."""
    world.platform.apps.create(replace(App("b" * 16, "Engawa"), confidential=False))
    path = f"{APPS}/{'b' * 16}/edit"
    page = browser.submit(form_to(browser.open(path), path), startMethod="form")

    assert page.status == 303
    app = world.platform.apps.get("b" * 16)
    assert app
    assert (app.name, app.start_method.value) == ("Engawa", "form")
