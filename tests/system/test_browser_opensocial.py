"""Information Sharing in a real browser, headless: pages of an app's own origin load opensocial.js from Engawa.

`listings/` has the three listings of the page Information Sharing, with restored lines that are missing in its text.
The tests read the stored data through `/2`. `ENGAWA_SCREENSHOTS` names the directory for the screenshots.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from tests.kit.browser import DESKTOP, Open
from tests.kit.served import Served, filled_environment
from tests.kit.site import Site

LISTINGS = Path(__file__).parent / "listings"
DO_SOMETHING = "// do something..."
QUOTA, WRITES = 200_000, 60
"""Smaller than usual, so that the tests reach them soon."""
PAGE = """<!doctype html><meta charset="utf-8"><title>App</title>
<script>
  var seen = [], problems = [];
  addEventListener("error", (event) => problems.push(event.message || String(event.target.src)), true);
  addEventListener("unhandledrejection", (event) => problems.push(String(event.reason)));
</script>
"""


@dataclass
class World:
    """A platform that accepts `site` as an origin of quest."""

    served: Served
    site: Site

    def id(self, name: str) -> str:
        return str(self.served.demo["users"][name]["id"])

    def token(self, name: str) -> str:
        return str(self.served.demo["tokens"]["users"][name]["quest"])

    def ask(self, method: str, name: str, body: object = None) -> httpx.Response:
        """Send a request for the user's own data to `/2`."""
        headers = {"Authorization": f"OAuth {self.token(name)}"}
        url = f"{self.served.base_url}/2/apps/appdata/@me/@self"
        return httpx.request(method, url, headers=headers, json=body, trust_env=False)

    def stored(self, name: str) -> Any:
        return self.ask("GET", name).json()["entry"][0]["data"]

    def begin(self, name: str, data: dict[str, str]) -> None:
        """Replace a user's data with these."""
        assert self.ask("DELETE", name).status_code == 200
        if data:
            assert self.ask("POST", name, data).status_code == 200


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("opensocial")
    limits = {"ENGAWA_QUOTA_BYTES": str(QUOTA), "ENGAWA_RATE_WRITES": str(WRITES), "ENGAWA_RATE_SECONDS": "5"}
    served, site = Served(filled_environment(directory, **limits), directory / "serve.log"), Site()
    try:
        served.await_answers()
        app = f"{served.base_url}/admin/apps/{served.demo['apps']['quest']['id']}"
        operator = {"Authorization": f"Bearer {served.demo['tokens']['operator']}"}
        changed = httpx.patch(app, headers=operator, json={"origins": [site.origin]}, trust_env=False)
        assert changed.status_code == 200, changed.text
        yield World(served, site)
    finally:
        site.close()
        status = served.stop()
    assert status == 0, served.log_tail()


def script_tag(world: World, token: str | None = None) -> str:
    given = f' data-token="{token}"' if token else ""
    return f'<script src="{world.served.base_url}/js/opensocial.js"{given}></script>'


@dataclass
class Page:
    """A page of the app in a browser."""

    world: World
    browser: Chrome

    def open(self, name: str, *scripts: str, query: str = "") -> None:
        """Open a page that loads opensocial.js with a user's token, and then these scripts."""
        tag = script_tag(self.world, self.world.token(name))
        self.load(tag, *(f"<script>\n{script}</script>" for script in scripts), query=query)

    def load(self, *parts: str, query: str = "") -> None:
        self.world.site.pages["/"] = PAGE + "\n".join(parts)
        self.browser.get(f"{self.world.site.origin}/{query}")

    def run(self, script: str) -> Any:
        """Run a script that calls `done(value)`. Return the value."""
        value = self.browser.execute_async_script(f"const done = arguments[0];\n{script}")
        assert self.problems == []
        return value

    def await_answer(self) -> None:
        """Wait until the page has received the response to a request to /rpc."""
        asked = "return performance.getEntriesByType('resource').some((each) => each.name.endsWith('/rpc'))"
        WebDriverWait(self.browser, 10).until(lambda each: each.execute_script(asked))
        self.browser.execute_async_script("setTimeout(arguments[0], 100)")
        assert self.problems == []

    @property
    def problems(self) -> Any:
        return self.browser.execute_script("return problems")

    @property
    def seen(self) -> Any:
        return self.browser.execute_script("return seen")


@pytest.fixture
def page(world: World, browse: Open) -> Page:
    browser = browse("en", DESKTOP, script=True)
    browser.set_script_timeout(20)
    return Page(world, browser)


def listing(name: str, *done: str) -> str:
    """Return a listing whose `// do something...` lines are replaced in order by `done`."""
    text = (LISTINGS / f"{name}.js").read_text(encoding="utf-8")
    for each in done:
        assert DO_SOMETHING in text
        text = text.replace(DO_SOMETHING, each, 1)
    return text


def batch(*adds: str, then: str) -> str:
    """Return a script with a batch of requests, each `key = request`, and an expression on the DataResponse `data`."""
    lines = [f"req.add(req.{request}, '{key}');" for key, request in (add.split(" = ", 1) for add in adds)]
    begin = "const VIEWER = opensocial.IdSpec.PersonId.VIEWER; const req = opensocial.newDataRequest();"
    return "\n".join([begin, *lines, f"req.send((data) => done({then}));"])


def test_the_listings_run_as_they_stand(world: World, page: Page) -> None:
    world.begin("hana", {"kept": "1"})
    page.open("hana", listing("store"))
    page.await_answer()
    assert world.stored("hana") == {"kept": "1", "comment": "Oops! ><"}
    page.open("hana", listing("retrieve"))
    page.await_answer()
    page.open("hana", listing("clear"))
    page.await_answer()
    assert world.stored("hana") == {"kept": "1"}


def test_the_listings_tell_what_has_come_of_them(world: World, page: Page) -> None:
    for name, data in (("hana", {}), ("ken", {"comment": "<b>&</b>"}), ("mei", {"other": "1"})):
        world.begin(name, data)
    page.open("hana", listing("store", "seen.push(['batch', msg])", "seen.push(['item', code])", "seen.push('stored')"))
    page.await_answer()
    assert page.seen == ["stored"]
    page.open("ken", listing("retrieve", "seen.push([id, msg])"))
    page.await_answer()
    assert page.seen == [[world.id("hana"), "Oops! &gt;&lt;"]]
    page.open("hana", listing("retrieve", "seen.push([id, msg])"))
    page.await_answer()
    assert page.seen == [[world.id("ken"), "&lt;b&gt;&amp;&lt;/b&gt;"]]


def test_the_listings_tell_what_went_wrong(world: World, page: Page) -> None:
    page.open("taro", listing("store", "seen.push(['error', msg])", "seen.push(['item', code])", "seen.push('stored')"))
    page.await_answer()
    assert page.seen == [["error", "Permission denied"]]
    page.open("taro", listing("clear", "seen.push(code)"))
    page.await_answer()
    assert page.seen == ["forbidden"]


def test_values_come_escaped_unless_asked_otherwise(world: World, page: Page) -> None:
    text = 'Oops! >< & "it\'s" 花'
    world.begin("hana", {"comment": text})
    page.open("hana")
    got = page.run(
        batch(
            "escaped = newFetchPersonAppDataRequest(VIEWER, 'comment')",
            "raw = newFetchPersonAppDataRequest(VIEWER, 'comment', {escapeType: opensocial.EscapeType.NONE})",
            then="[data.get('escaped').getData(), data.get('raw').getData()]",
        )
    )
    escaped = "Oops! &gt;&lt; &amp; &quot;it&#39;s&quot; 花"
    assert got == [{world.id("hana"): {"comment": escaped}}, {world.id("hana"): {"comment": text}}]
    shown = "document.body.innerHTML = arguments[0]; return document.body.textContent"
    assert page.browser.execute_script(shown, escaped) == text
    assert page.browser.execute_script("return gadgets.util.unescapeString(arguments[0])", escaped) == text


def test_a_star_is_every_key(world: World, page: Page) -> None:
    world.begin("ken", {"a": "1", "b": "2"})
    page.open("ken")
    fetch = "newFetchPersonAppDataRequest(VIEWER, '*')"
    got = page.run(
        batch(
            f"before = {fetch}",
            "removed = newRemovePersonAppDataRequest(VIEWER, '*')",
            f"after = {fetch}",
            then="['before', 'removed', 'after'].map((key) => data.get(key)).map((item) => "
            "item.hadError() ? item.getErrorCode() : item.getData())",
        )
    )
    assert got[0] == {world.id("ken"): {"a": "1", "b": "2"}}
    assert got[2] == {world.id("ken"): {}}
    assert world.stored("ken") == {}


def test_a_batch_is_done_in_order(world: World, page: Page) -> None:
    world.begin("hana", {})
    page.open("hana")
    fetch = "newFetchPersonAppDataRequest(VIEWER, ['n', 'm'])"
    got = page.run(
        batch(
            "w1 = newUpdatePersonAppDataRequest(VIEWER, 'n', '1')",
            f"r1 = {fetch}",
            "w2 = newUpdatePersonAppDataRequest('n', '2')",
            "w3 = newUpdatePersonAppDataRequest('m', '3')",
            f"r2 = {fetch}",
            "x = newRemovePersonAppDataRequest('n')",
            f"r3 = {fetch}",
            then="[data.hadError(), ...['r1', 'r2', 'r3'].map((key) => Object.values(data.get(key).getData())[0])]",
        )
    )
    assert got == [False, {"n": "1"}, {"n": "2", "m": "3"}, {"m": "3"}]
    assert world.stored("hana") == {"m": "3"}


OUTCOMES = "Object.fromEntries(KEYS.map((key) => [key, data.get(key).getErrorCode()]))"


def outcomes(*keys: str) -> str:
    return OUTCOMES.replace("KEYS", json.dumps(keys))


def test_each_request_has_the_code_of_what_is_wrong_with_it(world: World, page: Page) -> None:
    world.begin("hana", {})
    page.open("hana")
    adds = {
        "fits": ("newUpdatePersonAppDataRequest(VIEWER, 'k'.repeat(255), 'v'.repeat(65535))", None),
        "own_id": (f"newUpdatePersonAppDataRequest('{world.id('hana')}', 'own', '')", None),
        "installed": (f"newFetchPersonAppDataRequest('{world.id('yuki')}', '*')", None),
        "long_key": ("newUpdatePersonAppDataRequest(VIEWER, 'k'.repeat(256), '1')", "badRequest"),
        "bad_key": ("newUpdatePersonAppDataRequest(VIEWER, 'a b', '1')", "badRequest"),
        "long_value": ("newUpdatePersonAppDataRequest(VIEWER, 'k', 'v'.repeat(65536))", "badRequest"),
        "number": ("newUpdatePersonAppDataRequest(VIEWER, 'k', 5)", "badRequest"),
        "nothing": ("newUpdatePersonAppDataRequest(VIEWER, 'k', undefined)", "badRequest"),
        "many_keys": (
            "newRemovePersonAppDataRequest(VIEWER, Array.from({length: 100}, (_, n) => 'k' + n))",
            "badRequest",
        ),
        "no_keys": ("newRemovePersonAppDataRequest(VIEWER, [])", "badRequest"),
        "nobody": ("newFetchPersonAppDataRequest(opensocial.newIdSpec({}), '*')", "badRequest"),
        "another": (f"newUpdatePersonAppDataRequest('{world.id('ken')}', 'k', '1')", "forbidden"),
        "not_installed": (f"newFetchPersonAppDataRequest('{world.id('taro')}', '*')", "forbidden"),
        "group": ("newFetchPersonAppDataRequest({userId: VIEWER, groupId: 'ALL'}, '*')", "forbidden"),
        "last": ("newUpdatePersonAppDataRequest(VIEWER, 'last', '1')", None),
    }
    got = page.run(batch(*(f"{key} = {request}" for key, (request, _) in adds.items()), then=outcomes(*adds)))
    assert got == {key: code for key, (_, code) in adds.items()}
    assert world.stored("hana") == {"k" * 255: "v" * 65535, "own": "", "last": "1"}
    page.open("taro")
    assert page.run(batch("r = newFetchPersonAppDataRequest(VIEWER, '*')", then=outcomes("r"))) == {"r": "forbidden"}


def test_the_quota_is_a_limit_to_the_byte(world: World, page: Page) -> None:
    world.begin("mei", {"a": "v" * 65_535, "b": "v" * 65_535, "c": "v" * 65_535})
    page.open("mei")
    left = QUOTA - 3 * 65_535
    over = f"over = newUpdatePersonAppDataRequest(VIEWER, 'd', 'v'.repeat({left + 1}))"
    full = f"full = newUpdatePersonAppDataRequest(VIEWER, 'd', 'v'.repeat({left}))"
    more = "more = newUpdatePersonAppDataRequest(VIEWER, 'e', 'v')"
    got = page.run(batch(over, full, more, then=outcomes("over", "full", "more")))
    assert got == {"over": "limitExceeded", "full": None, "more": "limitExceeded"}
    assert world.stored("mei")["d"] == "v" * left
    world.begin("mei", {})


def test_the_write_window_is_a_limit(world: World, page: Page) -> None:
    page.open("yuki")
    keys = [f"w{number}" for number in range(WRITES + 1)]
    adds = [f"{key} = newUpdatePersonAppDataRequest('n', '{key}')" for key in keys]
    got = page.run(batch(*adds, then=outcomes(*keys)))
    assert [got[key] for key in keys] == [None] * WRITES + ["limitExceeded"]
    assert world.stored("yuki")["n"] == keys[-2]


def test_what_only_a_container_had_says_what_to_use(world: World, page: Page) -> None:
    own = "<script>var mixi = {own: 1}; var gadgets = {own: 2};</script>"
    page.load(own, script_tag(world))
    assert page.browser.execute_script("return [mixi, gadgets]") == [{"own": 1}, {"own": 2}]
    page.open("hana")
    message = page.run("opensocial.requestShareApp('VIEWER_FRIENDS', null, (item) => done(item.getErrorMessage()));")
    assert message.startswith("NOT_IMPLEMENTED: opensocial.requestShareApp is not available here. ")
    size = page.run("gadgets.window.setTitle('花'); done(gadgets.window.getViewportDimensions());")
    assert size["width"] == DESKTOP[0]
    assert page.browser.title == "花"
    app = world.served.demo["apps"]["quest"]
    page.browser.execute_script(
        f"mixi.init({{appId: '{app['clientId']}'}}); mixi.auth({{scope: 'mixi_apps2', state: 's'}});"
    )
    # The sign-in page.
    WebDriverWait(page.browser, 10).until(lambda each: each.current_url.startswith(world.served.base_url))
    assert page.browser.find_element("name", "login").is_displayed()


def test_a_token_that_is_refused_fails_the_batch(world: World, page: Page) -> None:
    old = world.served.token(user="hana", app="quest", scope="r_profile", lifetime=-1)
    page.load(script_tag(world, old))
    then = "[data.hadError(), data.getErrorMessage(), data.get('r').getErrorCode()]"
    request = batch("r = newFetchPersonRequest(VIEWER)", then=then)
    assert page.run(request) == [True, "The access token has expired", "unauthorized"]
    answer = page.run("osapi.people.getViewer().execute(done)")
    assert answer == {"error": {"code": 401, "message": "The access token has expired"}}
    # If the token is a function, it is called for a new token.
    fresh = f"(refused) => refused ? '{world.token('hana')}' : '{old}'"
    assert page.run(f"opensocial.configure({{token: {fresh}}});\n{request}") == [False, None, None]


def elsewhere(page: Page, token: str) -> None:
    """Open a page of an origin that is not registered, with a token in its address."""
    page.world.site.pages["/"] = PAGE + script_tag(page.world)
    page.browser.get(f"{page.world.site.origin.replace('127.0.0.1', 'localhost')}/?st={token}")


def test_every_page_learns_that_its_token_is_refused(page: Page) -> None:
    """This also holds if the token names no app, so that no origin is registered."""
    request = batch("r = newFetchPersonRequest(VIEWER)", then="data.get('r').getErrorCode()")
    page.load(script_tag(page.world, "nonsense"))
    assert page.run(request) == "unauthorized"
    elsewhere(page, "nonsense")
    assert page.run(request) == "unauthorized"


def test_without_a_token_nothing_is_sent(page: Page) -> None:
    page.load(script_tag(page.world))
    request = batch("r = newFetchPersonRequest(VIEWER)", then="[data.getErrorMessage(), data.get('r').getErrorCode()]")
    assert page.run(request) == ["There is no access token", "badRequest"]
    sent = "return performance.getEntriesByType('resource').filter((each) => each.name.endsWith('/rpc')).length"
    assert page.browser.execute_script(sent) == 0


def test_an_element_in_the_scripts_place_says_nothing(world: World, page: Page) -> None:
    """A user of the app may have written such markup."""
    evil = '<form name="currentScript" data-token="theirs" data-base-url="https://evil.example"></form>'
    request = batch("r = newFetchPersonRequest(VIEWER)", then="data.get('r').getErrorCode()")
    page.load(evil, '<p id="gadgets">', script_tag(world, world.token("hana")))
    assert page.run(request) == "badRequest"
    assert page.run("done(gadgets.json.parse('[5]'))") == [5]
    page.load(evil, script_tag(world), query=f"?st={world.token('hana')}")
    asked = "window.fetch = async (url, {headers}) => done([url, headers.Authorization]);"
    assert page.run(asked + request) == [f"{world.site.origin}/rpc", f"Bearer {world.token('hana')}"]
    base = f"opensocial.configure({{baseUrl: '{world.served.base_url}'}});"
    page.load(evil, script_tag(world), query=f"?st={world.token('hana')}")
    assert page.run(base + request) is None


def test_what_is_supported_is_there(world: World, page: Page) -> None:
    scopes = [f"r_profile{finer}" for finer in ("", "_gender", "_birthday", "_location", "_blood_type")]
    page.load(script_tag(world, world.served.token(user="hana", app="quest", scope=" ".join(scopes))))
    told, there = page.run(
        """
        const more = ["thumbnailDetails", "address", "location", "birthday", "isViewer", "isOwner"];
        const fields = [...Object.values(opensocial.Person.Field), ...more];
        const req = opensocial.newDataRequest();
        req.add(req.newFetchPersonRequest("VIEWER", {profileDetail: fields}), "me");
        req.send((data) => {
          const me = data.get("me").getData(), environment = opensocial.getEnvironment();
          done([fields.filter((name) => environment.supportsField("person", name)),
                fields.filter((name) => me.getField(name) !== undefined)]);
        });
        """
    )
    assert told == there
    assert {"id", "name", "dateOfBirth", "gender", "bloodType", "thumbnailDetails"} <= set(told)


@pytest.mark.parametrize("query", ["?st={}", "?x=1#st={}"])
def test_the_token_may_come_with_the_page(world: World, page: Page, query: str) -> None:
    page.load(script_tag(world), query=query.format(world.token("ken")))
    request = batch("r = newFetchPersonRequest(VIEWER)", then="data.get('r').getData().getId()")
    assert page.run(request) == world.id("ken")


def test_a_page_of_another_origin_is_refused(world: World, page: Page) -> None:
    world.begin("hana", {})
    elsewhere(page, world.token("hana"))
    request = batch("r = newUpdatePersonAppDataRequest(VIEWER, 'k', '1')", then="data.get('r').getErrorCode()")
    assert page.run(request) == "internalError"
    assert world.stored("hana") == {}


def test_people(world: World, page: Page) -> None:
    page.open("hana")
    got = page.run(
        """
        const {PersonId, Field, GroupId} = opensocial.IdSpec;
        const {PeopleRequestFields: F, SortOrder} = opensocial.DataRequest;
        const friends = opensocial.newIdSpec({[Field.USER_ID]: PersonId.VIEWER, [Field.GROUP_ID]: GroupId.FRIENDS});
        const req = opensocial.newDataRequest();
        req.add(req.newFetchPersonRequest(PersonId.VIEWER), "me");
        req.add(req.newFetchPersonRequest(PersonId.OWNER), "owner");
        const last = {[F.FIRST]: 1, [F.MAX]: 1, [F.SORT_ORDER]: SortOrder.NAME, [F.PROFILE_DETAILS]: ["profileUrl"]};
        req.add(req.newFetchPeopleRequest(friends), "friends");
        req.add(req.newFetchPeopleRequest(friends, last), "last");
        req.add(req.newFetchPersonRequest(PersonId.VIEWER, {[F.PROFILE_DETAILS]: ["gender"]}), "secret");
        req.send((data) => {
          const me = data.get("me").getData();
          const all = data.get("friends").getData();
          const part = data.get("last").getData();
          done({
            me: [me.getId(), me.getDisplayName(), me.isViewer(), me.isOwner(), me.getField("nickname")],
            owner: data.get("owner").getData().getId(),
            friends: all.asArray().map((each) => [each.getDisplayName(), each.isViewer()]),
            part: [part.size(), part.getOffset(), part.getTotalSize(), part.asArray()[0].getField("profileUrl")],
            secret: data.get("secret").getErrorCode(),
          });
        });
        """
    )
    hana, name = world.id("hana"), "花 (Hana)"
    assert got == {
        "me": [hana, name, True, True, name],
        "owner": hana,
        "friends": [["健 (Ken)", False], ["芽衣 (Mei)", False]],
        "part": [1, 1, 2, "https://people.example/mei"],
        "secret": "forbidden",
    }


def test_osapi(world: World, page: Page) -> None:
    world.begin("hana", {})
    world.begin("ken", {"score": "<7>"})
    page.open("hana")
    got = page.run(
        """
        osapi.appdata.update({data: {score: "5", old: "x"}}).execute((updated) => {
          osapi.appdata.delete({keys: ["old"]}).execute((deleted) => {
            osapi.newBatch()
              .add("me", osapi.people.getViewer({fields: ["displayName"]}))
              .add("owner", osapi.people.getOwner())
              .add("friends", osapi.people.getViewerFriends({count: 1}))
              .add("all", osapi.people.getOwnerFriends())
              .add("own", osapi.appdata.get())
              .add("theirs", osapi.appdata.get({groupId: "@friends", keys: ["score"]}))
              .add("raw", osapi.appdata.get({groupId: "@friends", keys: ["score"], escapeType: "none"}))
              .add("bad", osapi.appdata.update({data: {"a b": "1"}}))
              .add("not", osapi.people.get({userId: "y".repeat(12)}))
              .execute((answers) => done({...answers, updated, deleted}));
          });
        });
        """
    )
    hana, ken = world.id("hana"), world.id("ken")
    assert (got["updated"], got["deleted"]) == ({}, {})
    assert got["me"] == {"id": hana, "displayName": "花 (Hana)"}
    assert got["owner"]["id"] == hana
    assert got["owner"]["name"]["formatted"] == got["owner"]["displayName"] == "花 (Hana)"
    assert ([each["id"] for each in got["friends"]["list"]], got["friends"]["totalResults"]) == ([ken], 2)
    assert got["all"]["totalResults"] == 2
    assert got["own"] == {hana: {"score": "5"}}
    assert (got["theirs"], got["raw"]) == ({ken: {"score": "&lt;7&gt;"}}, {ken: {"score": "<7>"}})
    assert (got["bad"]["error"]["code"], got["not"]["error"]["code"]) == (400, 403)
    assert "error" not in got


def test_as_a_module(world: World, page: Page) -> None:
    page.load(
        f"""<script type="module">
        import {{ opensocial, osapi }} from "{world.served.base_url}/js/opensocial.mjs";
        opensocial.configure({{ token: async () => "{world.token("mei")}" }});
        osapi.people.getViewer().execute((me) => seen.push(me.displayName, typeof window.opensocial));
        </script>"""
    )
    WebDriverWait(page.browser, 10).until(lambda _: page.seen or page.problems)
    # The module defines no global names.
    assert (page.problems, page.seen) == ([], ["芽衣 (Mei)", "undefined"])


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("opensocial.js", "text/javascript; charset=utf-8"),
        ("opensocial.mjs", "text/javascript; charset=utf-8"),
        ("opensocial.d.ts", "application/typescript; charset=utf-8"),
    ],
)
def test_a_script_is_for_every_origin_and_is_sent_once(world: World, name: str, media_type: str) -> None:
    url = f"{world.served.base_url}/js/{name}"
    with httpx.Client(trust_env=False, headers={"Origin": "https://game.example"}) as client:
        first = client.get(url)
        assert (first.status_code, first.headers["content-type"]) == (200, media_type)
        assert first.headers["access-control-allow-origin"] == "*"
        assert first.headers["cache-control"] == "public, max-age=3600"
        again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert client.get(url, headers={"If-None-Match": '"another"'}).status_code == 200
