"""The console's pages of an app's endpoints and events."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from chalicelib.api.console.app_events import event_filter
from chalicelib.core.cursor import to_cursor
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.events import ENDPOINTS, Endpoint, EventKind
from chalicelib.store.events.sending import EventSending
from tests.kit.console import PASSWORD, app_world, browser_of, confirm, followed, form_to
from tests.kit.plain_browser import Browser, Page
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


def test_an_endpoint_is_added_once_and_there_are_at_most_five(world: World, browser: Browser) -> None:
    form = form_to(browser.open(f"{ONE}/endpoints"), f"{ONE}/endpoints")
    sent = {"url": URL, "kind.app.installed": "on"}
    assert browser.submit(form, **sent).status == 200
    assert browser.submit(form, **sent).status == 409
    for _ in range(ENDPOINTS - 1):
        assert added(browser)[0].status == 200
    assert len(world.platform.endpoints.of_app(APP)) == ENDPOINTS
    assert browser.submit(form, **sent | {"id": "0" * 12}).status == 409
    assert "Add an endpoint" not in browser.open(f"{ONE}/endpoints").text


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


def test_the_secrets_of_an_endpoint_are_rotated(world: World, browser: Browser) -> None:
    page, id = added(browser)
    first, path = secret_in(page), f"{ONE}/endpoints/{id}"

    form = form_to(browser.open(path), f"{path}/secret")
    second = secret_in(browser.submit(form))
    again = browser.submit(form)
    assert (again.status, "End the old one first." in again.text) == (409, True)
    (active,) = world.platform.endpoints.active()
    assert active.secrets == (second, first)
    page = browser.submit(form_to(browser.open(path), f"{path}/old-secret"))
    assert "The old secret has ended." in followed(browser, page).text
    (active,) = world.platform.endpoints.active()
    assert active.secrets == (second,)


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
