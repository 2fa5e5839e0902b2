"""The console's pages of an app's endpoints and events."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from chalicelib.api.console.app_events import event_filter
from chalicelib.core.actions import ActionFilter, ActionKind, LoggedAction
from chalicelib.core.cursor import to_cursor
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.events import ENDPOINTS, Endpoint, EventKind
from chalicelib.store.events.sending import EventSending
from tests.kit.console import PASSWORD, app_world, browser_of, confirm, followed, form_to
from tests.kit.plain_browser import Browser, Page
from tests.kit.rivals import meanwhile
from tests.kit.worlds import APP, KEN, MEI, World

ONE = f"/console/apps/{APP}"
URL = "https://93.184.216.34/events"
DAY = 86_400_000


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return app_world(make_world())


@pytest.fixture
def browser(world: World) -> Browser:
    """Return a browser of the operator, who has given the password again."""
    signed_in = browser_of(world)
    followed(signed_in, confirm(signed_in, signed_in.open(f"{ONE}/delete")))
    return signed_in


def added(browser: Browser, url: str = URL, **kinds: str) -> tuple[Page, str]:
    """Add an endpoint; return the answer and the endpoint's id."""
    form = form_to(browser.open(f"{ONE}/endpoints"), f"{ONE}/endpoints")
    return browser.submit(form, url=url, **(kinds or {"kind.app.installed": "on"})), form.fields["id"]


def endpoint(world: World, id: str) -> Endpoint:
    return world.platform.endpoints.get(APP, id)


def logged(world: World, kind: ActionKind) -> list[LoggedAction]:
    """Return the entries of the log of a kind, oldest first."""
    entries, _ = world.platform.action_log.part(ActionFilter(0, 10**15), None, 100)
    return [entry for entry in reversed(entries) if entry.kind == kind.value]


def has_form(page: Page, path: str) -> bool:
    return any(form.action.endswith(path) for form in page.forms)


def secrets_of(world: World) -> tuple[str, ...]:
    """Return the secrets with which messages to the only endpoint are signed, the newest first."""
    (active,) = world.platform.endpoints.active()
    return active.secrets


def secret_in(page: Page) -> str:
    (secret,) = re.findall(r'<code class="secret">(whsec_[^<]*)</code>', page.html)
    return str(secret)


def test_an_endpoint_is_added_and_its_secret_is_shown_once(world: World, browser: Browser) -> None:
    page, id = added(browser)

    assert page.status == 200
    secret = secret_in(page)
    stored = endpoint(world, id)
    assert (stored.url, stored.kinds) == (URL, {EventKind.INSTALLED})
    assert secret not in browser.open(f"{ONE}/endpoints/{id}").html
    assert URL in browser.open(f"{ONE}/endpoints").html
    items = str(world.items("records"))
    assert "endpoint.created" in items
    assert secret not in items


def test_an_endpoint_is_added_only_with_the_password(world: World) -> None:
    """Others could read an app's events there."""
    browser = browser_of(world)
    asked, id = added(browser)
    assert asked.status == 403
    form = asked.form("password_again")
    assert browser.submit(form, password_again="wrong horse").status == 403
    assert world.platform.endpoints.of_app(APP) == []

    page = browser.submit(form, password_again=PASSWORD)

    assert page.status == 200
    assert secret_in(page)
    assert endpoint(world, id).url == URL


@pytest.mark.parametrize(
    ("url", "kinds"),
    [
        ("http://93.184.216.34/", {"kind.app.installed": "on"}),
        ("https://127.0.0.1/", {"kind.app.installed": "on"}),
        ("javascript:alert(1)", {"kind.app.installed": "on"}),
        (URL, {"kind.nonsense": "on"}),
        (URL, {"other": "on"}),
    ],
)
def test_a_wrong_endpoint_is_not_added(world: World, browser: Browser, url: str, kinds: dict[str, str]) -> None:
    page, _ = added(browser, url, **kinds)

    assert page.status == 400
    assert "at least one kind" in page.text
    assert f'value="{url}"' in page.html
    assert world.platform.endpoints.of_app(APP) == []


def test_a_form_that_is_sent_twice_adds_one_endpoint(world: World, browser: Browser) -> None:
    form = form_to(browser.open(f"{ONE}/endpoints"), f"{ONE}/endpoints")
    sent = {"url": URL, "kind.app.installed": "on"}
    assert browser.submit(form, **sent).status == 200

    again = browser.submit(form, **sent)

    assert again.status == 409
    assert "This endpoint is added already. Its secret was shown on the first page only." in again.text
    assert form_to(again, f"{ONE}/endpoints/{form.fields['id']}/secret")
    assert len(world.platform.endpoints.of_app(APP)) == 1


def test_there_are_at_most_five_endpoints(world: World, browser: Browser) -> None:
    form = form_to(browser.open(f"{ONE}/endpoints"), f"{ONE}/endpoints")
    for _ in range(ENDPOINTS):
        assert added(browser)[0].status == 200

    page = browser.submit(form, **{"url": URL, "kind.app.installed": "on"})

    assert (page.status, f"An app has at most {ENDPOINTS} endpoints." in page.text) == (409, True)
    assert len(world.platform.endpoints.of_app(APP)) == ENDPOINTS
    assert "Add an endpoint" not in browser.open(f"{ONE}/endpoints").text


@pytest.mark.parametrize(
    ("id", "status", "said"),
    [
        ("taken", 409, "Another endpoint has the id of this form,"),
        ("nonsense", 400, "The form did not arrive as it was made,"),
        ("", 400, "The form did not arrive as it was made,"),
    ],
)
def test_a_form_with_a_wrong_id_keeps_what_was_typed(
    world: World, browser: Browser, id: str, status: int, said: str
) -> None:
    _, taken = added(browser)
    form = form_to(browser.open(f"{ONE}/endpoints"), f"{ONE}/endpoints")
    typed = {"url": URL + "/other", "kind.feed.posted": "on"}

    page = browser.submit(form, **typed, id=taken if id == "taken" else id)

    assert (page.status, said in page.text) == (status, True)
    assert "public https URL" not in page.text
    assert [each.id for each in world.platform.endpoints.of_app(APP)] == [taken]
    kept = form_to(page, f"{ONE}/endpoints")
    assert {name: kept.fields.get(name) for name in typed} == typed
    assert "kind.app.installed" not in kept.fields
    assert browser.submit(kept).status == 200
    assert endpoint(world, kept.fields["id"]).url == URL + "/other"


def test_an_endpoint_is_changed_switched_off_and_on(world: World, browser: Browser) -> None:
    _, id = added(browser)
    path = f"{ONE}/endpoints/{id}"
    form = form_to(browser.open(path), path)

    form.fields.pop("active")
    page = browser.submit(form, **{"url": URL + "/2", "kind.feed.posted": "on"})
    assert "Your changes are saved." in followed(browser, page).text
    stored = endpoint(world, id)
    assert (stored.url, stored.off) == (URL + "/2", "operator")
    assert stored.kinds == {EventKind.INSTALLED, EventKind.FEED_POSTED}
    assert browser.submit(form, url=URL).status == 409
    assert endpoint(world, id).url == URL + "/2"

    shown = browser.open(path)
    assert "an operator switched it off" in shown.text
    assert browser.submit(form_to(shown, path), active="on").status == 303
    assert endpoint(world, id).off == ""
    shown = browser.open(path)
    wrong = browser.submit(form_to(shown, path), url="nonsense")
    assert (wrong.status, 'value="nonsense"' in wrong.html) == (400, True)


def test_of_two_changes_at_once_the_second_is_refused(world: World, browser: Browser) -> None:
    _, id = added(browser)
    path = f"{ONE}/endpoints/{id}"
    first, second = (form_to(browser.open(path), path) for _ in range(2))
    statuses: list[int] = []

    with meanwhile(lambda: statuses.append(browser.submit(first, url=URL + "/first").status)):
        refused = browser.submit(second, url=URL + "/second")

    assert (*statuses, refused.status) == (303, 409)
    assert "This endpoint was changed after you opened the page." in refused.text
    assert f'value="{URL}/first"' in refused.html
    assert endpoint(world, id).url == URL + "/first"
    assert len(logged(world, ActionKind.ENDPOINT_CHANGED)) == 1
    assert browser.submit(form_to(refused, path), url=URL + "/second").status == 303
    assert endpoint(world, id).url == URL + "/second"


@pytest.mark.parametrize("at_once", [False, True])
def test_a_form_that_is_sent_twice_changes_an_endpoint_once(world: World, browser: Browser, at_once: bool) -> None:
    _, id = added(browser)
    path = f"{ONE}/endpoints/{id}"
    form = form_to(browser.open(path), path)
    form.fields.pop("active")
    pages: list[Page] = []

    def send() -> None:
        world.clock.now += 60_000
        pages.append(browser.submit(form, **{"url": URL + "/2", "kind.feed.posted": "on"}))

    if at_once:
        with meanwhile(send):
            send()
    else:
        send()
        send()

    assert [page.status for page in pages] == [303, 303]
    assert endpoint(world, id).off == "operator"
    assert len(logged(world, ActionKind.ENDPOINT_CHANGED)) == 1


def test_a_change_keeps_a_secret_that_was_made_meanwhile(world: World, browser: Browser) -> None:
    page, id = added(browser)
    path, made = f"{ONE}/endpoints/{id}", []
    form = form_to(browser.open(path), path)

    with meanwhile(lambda: made.append(world.platform.endpoints.new_secret(APP, id))):
        assert browser.submit(form, url=URL + "/2").status == 303

    assert secrets_of(world) == (*made, secret_in(page))
    assert endpoint(world, id).url == URL + "/2"


def test_the_secrets_of_an_endpoint_are_rotated(world: World, browser: Browser) -> None:
    page, id = added(browser)
    first, path = secret_in(page), f"{ONE}/endpoints/{id}"
    shown = browser.open(path)
    assert "Messages are signed with one secret." in shown.text
    assert not has_form(shown, f"{path}/old-secret")

    page = browser.submit(form_to(shown, f"{path}/secret"))
    second = secret_in(page)
    assert f'href="{path}">To the endpoint</a>' in page.html
    assert "To the app" not in page.text
    assert secrets_of(world) == (second, first)
    shown = browser.open(path)
    assert "Messages are signed with two secrets." in shown.text
    assert re.search(r"The newer one was made: \d{4}-\d\d-\d\d \d\d:\d\d\.", shown.text)
    end = form_to(shown, f"{path}/old-secret")
    assert "The old secret has ended." in followed(browser, browser.submit(end)).text
    assert secrets_of(world) == (second,)

    late = followed(browser, browser.submit(end))
    assert "There is no old secret." in late.text
    assert "has ended" not in late.text
    assert secrets_of(world) == (second,)
    assert len(logged(world, ActionKind.OLD_SECRET_ENDED)) == 1


def test_a_new_secret_that_nobody_saw_is_replaced(world: World, browser: Browser) -> None:
    """The answer to a button that is pressed twice hides that to the first press, which had the secret."""
    page, id = added(browser)
    first, path = secret_in(page), f"{ONE}/endpoints/{id}"
    form = form_to(browser.open(path), f"{path}/secret")
    browser.submit(form)
    world.clock.now += 1_000

    again = browser.submit(form)

    assert again.status == 409
    assert "If you did not see it, replace it below" in again.text
    assert "End the old one first" not in again.text
    assert secrets_of(world)[1] == first
    replacing = form_to(again, f"{path}/secret")
    third = secret_in(browser.submit(replacing))
    assert secrets_of(world) == (third, first)
    world.clock.now += 1_000
    twice = browser.submit(replacing)
    assert (twice.status, secrets_of(world)) == (409, (third, first))
    assert len(logged(world, ActionKind.SECRET_ROTATED)) == 2
    fourth = secret_in(browser.submit(form_to(twice, f"{path}/secret")))
    assert secrets_of(world) == (fourth, first)


def test_of_two_new_secrets_at_once_one_is_made(world: World, browser: Browser) -> None:
    page, id = added(browser)
    path = f"{ONE}/endpoints/{id}"
    form, pages = form_to(browser.open(path), f"{path}/secret"), []

    with meanwhile(lambda: pages.append(browser.submit(form))):
        world.clock.now += 1
        refused = browser.submit(form)

    assert (pages[0].status, refused.status) == (200, 409)
    assert secrets_of(world) == (secret_in(pages[0]), secret_in(page))


@pytest.mark.parametrize("at_once", [False, True])
def test_an_old_page_ends_no_secret_in_use(world: World, browser: Browser, at_once: bool) -> None:
    page, id = added(browser)
    first, path = secret_in(page), f"{ONE}/endpoints/{id}"
    browser.submit(form_to(browser.open(path), f"{path}/secret"))
    shown = browser.open(path)
    end, replacing = (form_to(shown, f"{path}/{name}") for name in ("old-secret", "secret"))
    world.clock.now += 1_000
    made: list[str] = []

    if at_once:
        with meanwhile(lambda: made.append(secret_in(browser.submit(replacing)))):
            refused = browser.submit(end)
    else:
        made.append(secret_in(browser.submit(replacing)))
        refused = browser.submit(end)

    assert refused.status == 409
    assert "The secrets were changed after you opened the page." in refused.text
    assert secrets_of(world) == (made[0], first)


def test_the_only_secret_is_not_replaced(world: World, browser: Browser) -> None:
    """A page with two secrets, of which the old one was ended since."""
    _, id = added(browser)
    path = f"{ONE}/endpoints/{id}"
    browser.submit(form_to(browser.open(path), f"{path}/secret"))
    shown = browser.open(path)
    browser.submit(form_to(shown, f"{path}/old-secret"))
    (only,) = secrets_of(world)

    refused = browser.submit(form_to(shown, f"{path}/secret"))

    assert (refused.status, secrets_of(world)) == (409, (only,))
    assert "replace it below" not in refused.text
    assert secret_in(browser.submit(form_to(refused, f"{path}/secret")))
    assert secrets_of(world)[1] == only


def test_an_endpoint_says_in_japanese_what_can_be_done_with_its_secrets(world: World) -> None:
    browser = browser_of(world, language="ja")
    followed(browser, confirm(browser, browser.open(f"{ONE}/delete")))
    page, id = added(browser)
    path = f"{ONE}/endpoints/{id}"
    assert "エンドポイントの画面へ" in page.text
    assert "アプリの画面へ" not in page.text
    shown = browser.open(path)
    assert "署名に使うシークレットは 1 つです。" in shown.text
    form = form_to(shown, f"{path}/secret")
    browser.submit(form)
    assert "控えていなければ、下で発行し直してください" in browser.submit(form).text
    assert "署名に使うシークレットは 2 つです。" in browser.open(path).text


def test_an_endpoint_is_deleted(world: World, browser: Browser) -> None:
    _, id = added(browser)
    path = f"{ONE}/endpoints/{id}"
    form = form_to(browser.open(path), f"{path}/delete")

    assert "The endpoint is deleted." in followed(browser, browser.submit(form)).text
    assert world.platform.endpoints.of_app(APP) == []
    assert browser.submit(form).status == 303


def with_events(world: World) -> Endpoint:
    """Add an endpoint, an event that it got, and one that it refused."""
    here = world.platform
    made = here.endpoints.create(APP, URL, [EventKind.INSTALLED, EventKind.UNINSTALLED])
    app = here.apps.get(APP)
    assert app
    for status, user in ((200, MEI), (410, KEN)):
        here.user_data.install(app, user)
        world.clock.now += 1_000
        EventSending(here.event_log, here.endpoints, lambda *_, answer=status: answer, world.clock).run(10)
    here.endpoints.change(APP, made.id, is_on=True)
    return made


def due(world: World) -> list[str]:
    return [item["sk"]["S"] for item in world.items("ephemeral") if item["pk"]["S"] == "attempt"]


def test_events_are_listed_with_their_deliveries_and_filtered(world: World, browser: Browser) -> None:
    with_events(world)

    page = browser.open(f"{ONE}/events")
    assert page.html.count('<span class="tag">app.installed</span>') == 2
    assert "delivered, attempts: 1, answer 200" in page.text
    assert "failed, attempts: 1, answer 410" in page.text
    only = browser.open(f"{ONE}/events", state="failed")
    assert only.html.count('<span class="tag">app.installed</span>') == 1
    assert "answer 410" in only.text
    assert "There are no such events." in browser.open(f"{ONE}/events", kind="feed.posted").text
    assert (
        "There are no such events." in browser.open(f"{ONE}/events", **{"from": "2020-01-01", "to": "2020-01-02"}).text
    )


@pytest.mark.parametrize(
    "query",
    [
        {"from": "nonsense"},
        {"to": "2026-02-30"},
        {"from": "1969-12-31"},
        {"kind": "nonsense"},
        {"state": "nonsense"},
        {"cursor": "nonsense!"},
    ],
)
def test_a_wrong_filter_is_said(world: World, browser: Browser, query: dict[str, str]) -> None:
    page = browser.open(f"{ONE}/events", **query)

    assert page.status == 400
    assert "A date or a filter is not valid." in page.text


def test_a_cursor_from_after_the_last_day_has_nothing_to_show(world: World, browser: Browser) -> None:
    with_events(world)
    page = browser.open(f"{ONE}/events", cursor=to_cursor("z" * 16))
    assert (page.status, "There are no such events." in page.text) == (200, True)


def test_one_event_is_sent_again(world: World, browser: Browser) -> None:
    made = with_events(world)
    page = browser.open(f"{ONE}/events", state="failed")
    (form,) = [form for form in page.forms if "event" in form.fields]

    shown = followed(browser, browser.submit(form))
    assert "Deliveries that will be sent again: 1." in shown.text
    (attempt,) = due(world)
    assert form.fields["event"] in attempt
    assert made.id in attempt
    assert "events.resent" in str(world.items("records"))


def test_days_are_sent_again(world: World, browser: Browser) -> None:
    with_events(world)
    page = browser.open(f"{ONE}/events")
    (form,) = [
        form
        for form in page.forms
        if form.action.endswith("/events") and set(form.fields) >= {"from", "to", "csrf"} and "event" not in form.fields
    ]

    assert "Deliveries that will be sent again: 2." in followed(browser, browser.submit(form)).text
    assert len(due(world)) == 2


def test_nothing_is_sent_again_without_an_endpoint_or_while_suspended(world: World, browser: Browser) -> None:
    made = with_events(world)
    page = browser.open(f"{ONE}/events", state="failed")
    (form,) = [form for form in page.forms if "event" in form.fields]
    world.platform.apps.suspend(APP, "why")
    assert browser.submit(form).status == 409
    world.platform.apps.restore(APP)
    world.platform.endpoints.change(APP, made.id, is_on=False)
    assert browser.submit(form).status == 409
    assert browser.submit(form, event="nonsense").status == 404
    assert browser.submit(form, event="0" * 16).status in (404, 409)
    assert due(world) == []


def test_the_days_of_a_filter_are_those_of_the_platform() -> None:
    noon = 1_775_001_600_000  # 2026-04-01T00:00Z, 09:00 in Japan
    found = event_filter({}, noon, 540)
    assert (found.first, found.last) == ("2026-03-31", "2026-04-01")
    assert found.until - found.since == 2 * DAY
    assert found.until == noon - 9 * 3_600_000 + DAY
    one = event_filter({"from": "2026-03-05", "to": "2026-03-05"}, noon, -60)
    assert one.until - one.since == DAY
    assert one.query == {"from": "2026-03-05", "to": "2026-03-05"}
    with pytest.raises(ParameterInvalid):
        event_filter({"from": "9999-01-01"}, noon, 540)
