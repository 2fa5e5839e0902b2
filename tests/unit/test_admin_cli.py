"""The operator's command line against a platform in this process: its requests, output and exit status."""

import json
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from admin.cli import cli
from admin.client import Client
from admin.failures import Unreachable
from chalicelib.core.events import EventKind

URL, TOKEN = "https://engawa.example", "the-operators-token"
Answer = Callable[[httpx.Request], httpx.Response]
NOT_SHOWN = {"Cc", "Zl", "Zp"}
"""Control characters, and characters that some programs take for the end of a line."""


class Platform:
    """A platform that answers from a list and records the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def requests(self) -> list[tuple[str, str]]:
        return [(request.method, request.url.raw_path.decode()) for request in self.asked]


def ok(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers)


def error(status: int, name: str, says: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"error": name, "error_description": says}, headers=headers)


def run(platform: Platform, *words: str, input: str | None = None, **environment: str) -> Result:
    known = {"ENGAWA_ADMIN_URL": URL, "ENGAWA_ADMIN_TOKEN": TOKEN, "ENGAWA_LOCAL_DIR": "/nowhere"}
    return CliRunner().invoke(
        cli, words, obj=httpx.MockTransport(platform), input=input, env={**known, **environment}, catch_exceptions=False
    )


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr("admin.client.time.sleep", waits.append)
    return waits


def test_a_user_is_created_with_what_was_given() -> None:
    made = {"id": "k3v9x2mtq7ra", "displayName": "花", "publication": {"age": "nobody"}, "visible": True}
    platform = Platform(ok(made, 201))

    done = run(
        platform,
        *("users", "create", "花", "--login", "hana", "--age", "30", "--publish", "age=nobody", "--password-stdin"),
        input="correct horse\n",
    )

    assert done.exit_code == 0
    assert platform.requests == [("POST", "/admin/users")]
    assert platform.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(platform.asked[0].content) == {
        "displayName": "花",
        "login": "hana",
        "age": 30,
        "publication": {"age": "nobody"},
        "password": "correct horse",
    }
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["id", "k3v9x2mtq7ra"],
        ["displayName", "花"],
        ["publication.age", "nobody"],
        ["visible", "yes"],
    ]
    assert "correct horse" not in done.output


def test_a_change_sends_nothing_else() -> None:
    platform = Platform(ok({"id": "x"}))

    assert run(platform, "users", "change", "x", "--blood-type", "", "--age", "", "--hidden", "--json").exit_code == 0

    assert platform.requests == [("PATCH", "/admin/users/x")]
    assert json.loads(platform.asked[0].content) == {"bloodType": "", "age": None, "visible": False}


def test_an_app_is_created_and_its_secret_shown_once() -> None:
    platform = Platform(ok({"id": "6d1f", "secret": "5ec7e7"}, 201))

    done = run(platform, "apps", "create", "Quest", "--redirect-uri", "https://a/", "--redirect-uri", "https://b/")

    assert json.loads(platform.asked[0].content) == {"name": "Quest", "redirectUris": ["https://a/", "https://b/"]}
    assert "5ec7e7" in done.stdout
    assert "not shown again" in done.stderr


def test_a_list_follows_its_cursors_and_says_what_is_left() -> None:
    first = {"entry": [{"id": str(n), "displayName": f"[red]user {n}\x1b[2J"} for n in range(100)], "nextCursor": "abc"}
    second = {"entry": [{"id": "100", "displayName": "last"}], "nextCursor": "def"}
    platform = Platform(ok(first), ok(second))

    done = run(platform, "users", "list", "--limit", "101")

    assert platform.requests == [("GET", "/admin/users?count=100"), ("GET", "/admin/users?count=1&cursor=abc")]
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["id", "login", "displayName", "friends", "visible"]
    assert len([line for line in lines if "user" in line]) == 100
    assert "[red]user 7\N{REPLACEMENT CHARACTER}[2J" in done.stdout
    assert done.stderr == "There are more: --cursor def\n"


def test_a_list_as_json_is_one_object_a_line() -> None:
    platform = Platform(ok({"entry": [{"id": "a", "name": "花"}, {"id": "b"}]}))

    done = run(platform, "apps", "list", "--json", "--limit", "0")

    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"id": "a", "name": "花"}, {"id": "b"}]


@pytest.mark.parametrize("words", ["users suspend u", "apps suspend a", "users suspend u --reason="])
def test_a_suspension_needs_a_reason(words: str) -> None:
    platform = Platform(ok({"changed": True}))

    done = run(platform, *words.split())

    assert done.exit_code == 2
    assert "Missing option '--reason'" in done.stderr
    assert platform.requests == []


def test_a_link_says_in_words_until_when_it_works() -> None:
    platform = Platform(ok({"url": "https://e.example/join?link=x", "expires": 1797184281000}))

    done = run(platform, "invite")

    assert "expires  2026-12-1" in done.stdout


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        ("users show a/../b", ("GET", "/admin/users/a%2F..%2Fb")),
        ("friends add u v", ("PUT", "/admin/users/u/friends/v")),
        ("friends remove u v", ("DELETE", "/admin/users/u/friends/v")),
        ("installs add u a", ("PUT", "/admin/users/u/installs/a")),
        ("installs remove u a --yes", ("DELETE", "/admin/users/u/installs/a")),
        ("grants end u a", ("DELETE", "/admin/users/u/grants/a")),
        ("apps show a", ("GET", "/admin/apps/a")),
        ("apps change a --name n", ("PATCH", "/admin/apps/a")),
        ("apps new-secret a --yes", ("POST", "/admin/apps/a/secret")),
        ("apps new-secret a --keep-old", ("POST", "/admin/apps/a/secret")),
        ("apps end-old-secret a --yes", ("DELETE", "/admin/apps/a/old-secret")),
        ("apps suspend a --reason r", ("PUT", "/admin/apps/a/suspension?reason=r")),
        ("users suspend u --reason r", ("PUT", "/admin/users/u/suspension?reason=r")),
        ("users restore u", ("DELETE", "/admin/users/u/suspension")),
        ("users role u none", ("PUT", "/admin/users/u/role")),
        ("apps restore a", ("DELETE", "/admin/apps/a/suspension")),
        ("apps delete a --yes", ("DELETE", "/admin/apps/a")),
        ("pages create n --zip-code 1", ("POST", "/admin/pages")),
        ("pages show p", ("GET", "/admin/pages/p")),
        ("pages change p --name n", ("PATCH", "/admin/pages/p")),
        ("pages delete p --yes", ("DELETE", "/admin/pages/p")),
        ("modules add p a n", ("POST", "/admin/pages/p/modules")),
        ("modules remove p 3", ("DELETE", "/admin/pages/p/modules/3")),
        ("administrators add p u", ("PUT", "/admin/pages/p/administrators/u")),
        ("administrators remove p u", ("DELETE", "/admin/pages/p/administrators/u")),
        ("followers add p u", ("PUT", "/admin/pages/p/followers/u")),
        ("followers remove p u", ("DELETE", "/admin/pages/p/followers/u")),
        ("erase u --yes", ("DELETE", "/admin/users/u")),
        ("users export u", ("GET", "/admin/users/u/export")),
        ("users list", ("GET", "/admin/users?count=100")),
        ("friends list u", ("GET", "/admin/users/u/friends?count=100")),
        ("installs list u", ("GET", "/admin/users/u/installs?count=100")),
        ("installs list --app a", ("GET", "/admin/apps/a/installs?count=100")),
        ("grants list u", ("GET", "/admin/users/u/grants?count=100")),
        ("pages list", ("GET", "/admin/pages?count=100")),
        ("modules list p", ("GET", "/admin/pages/p/modules?count=100")),
        ("administrators list p", ("GET", "/admin/pages/p/administrators?count=100")),
        ("followers list p --limit 3", ("GET", "/admin/pages/p/followers?count=3")),
    ],
)
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_each_command_sends_its_request(words: str, request_: tuple[str, str], more: list[str]) -> None:
    told = {"id": "x", "changed": True, "done": True, "installs": 0, "removed": {"profiles": 1}, "entry": [{"id": "x"}]}
    platform = Platform(ok(told))

    done = run(platform, *words.split(), *more)

    assert (done.exit_code, platform.requests) == (0, [request_])
    if more and "export" not in words:
        assert [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "words",
    [
        "apps delete a",
        "pages delete p",
        "erase u",
        "installs remove u a",
        "apps new-secret a",
        "apps end-old-secret a",
    ],
)
def test_what_cannot_be_undone_is_asked_first(words: str) -> None:
    platform = Platform()

    assert run(platform, *words.split(), input="n\n").exit_code == 1

    assert platform.asked == []


def test_an_app_with_many_users_is_deleted_in_parts() -> None:
    platform = Platform(ok({"id": "a", "installs": 700, "done": False}), ok({"id": "a", "installs": 42, "done": True}))

    done = run(platform, "apps", "delete", "a", "--yes")

    assert "Deleted, with 742 installs." in done.stdout


def test_a_refusal_is_told_in_one_line() -> None:
    refusal = error(404, "not_found", "There is no user x")

    done = run(Platform(refusal), "users", "show", "x")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: There is no user x (not_found, 404)\n"

    done = run(Platform(refusal), "users", "show", "x", "--json")
    assert json.loads(done.stderr) == {"error": "not_found", "error_description": "There is no user x", "status": 404}


def test_a_refusal_does_nothing_to_a_terminal() -> None:
    done = run(Platform(error(400, "x\x1b[2J", "There is no field '\x1b]0;owned\x07\x9b31m'")), "users", "show", "x")
    assert done.stderr == "Error: There is no field '�]0;owned��31m' (x�[2J, 400)\n"


CONTROLS = "花\x1b[2J\x7f\x9b31m\x85\u2028\u2029\x00"


def test_json_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    thing = {"id": "a", "name": CONTROLS}
    for words, answer in (
        ("apps list --json", ok({"entry": [thing]})),
        ("users show a --json", ok(thing)),
        ("users export a", ok(thing)),
        ("erase a --yes --json", ok({"id": "a", "removed": {}, "name": CONTROLS})),
    ):
        done = run(Platform(answer), *words.split())
        assert json.loads(done.stdout)["name"] == CONTROLS
        assert "花" in done.stdout
        assert not [each for each in done.stdout if unicodedata.category(each) in NOT_SHOWN and each != "\n"]

    done = run(Platform(error(400, "x", CONTROLS)), "users", "show", "x", "--json")
    assert json.loads(done.stderr)["error_description"] == CONTROLS
    assert not set(CONTROLS[1:]) & set(done.stderr) - set("[2J31m")

    run(Platform(ok(thing)), "users", "export", "a", "--output", str(tmp_path / "a.json"))
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == thing
    assert not [each for each in text if unicodedata.category(each) in NOT_SHOWN and each != "\n"]


def test_tables_and_sentences_do_nothing_to_a_terminal() -> None:
    for words, answer in (
        ("apps list", ok({"entry": [{"id": "a", "name": CONTROLS}]})),
        ("users show a", ok({"id": "a", "displayName": CONTROLS, "tags": [CONTROLS], "deep": {"er": CONTROLS}})),
        ("erase a --yes", ok({"id": "a", "removed": {CONTROLS: 1}})),
    ):
        done = run(Platform(answer), *words.split())
        assert "花" in done.stdout
        assert not [each for each in done.output if unicodedata.category(each) == "Cc" and each != "\n"]


def test_wrong_usage_is_2() -> None:
    for words in ("users", "users show", "users create n --publish age", "installs list", "installs list u --app a"):
        done = run(Platform(), *words.split())
        assert done.exit_code == 2
        assert "Usage: " in done.output


def test_busy_is_waited_for_as_long_as_it_says() -> None:
    waits: list[float] = []
    platform = Platform(
        error(503, "service_unavailable", "busy", **{"Retry-After": "7"}),
        httpx.Response(502),
        httpx.ReadTimeout("slow"),
        ok({"entry": []}),
    )

    with_client(platform, waits).send("DELETE", ("users", "u"))

    assert waits[0] == 7
    assert len(waits) == 3
    assert all(0 < wait <= 30 for wait in waits[1:])


def test_busy_for_ever_is_3() -> None:
    done = run(Platform(*[httpx.Response(503)] * 8), "users", "show", "x")

    assert done.exit_code == 3
    assert done.stderr == f"Error: {URL} is busy (503); tried 8 times\n"


def test_what_may_have_happened_is_not_sent_again() -> None:
    for answer in (httpx.ReadTimeout("slow"), httpx.Response(504)):
        platform = Platform(answer)
        done = run(platform, "users", "create", "n")
        assert done.exit_code in (1, 3)
        assert len(platform.asked) == 1
    platform = Platform(httpx.ConnectError("no"), ok({"id": "x"}, 201))
    assert run(platform, "users", "create", "n").exit_code == 0


def test_an_answer_that_is_not_engawas_is_said() -> None:
    done = run(Platform(httpx.Response(200, text="<html>")), "users", "show", "x")

    assert done.exit_code == 1
    assert "did not answer like Engawa" in done.stderr


def test_a_large_export_is_fetched_without_the_token(tmp_path: Path) -> None:
    platform = Platform(
        ok({"location": "x"}, 303, Location="https://bucket.example/answers/1?signature=s"), ok({"profile": {}})
    )

    done = run(platform, "users", "export", "u", "--output", str(tmp_path / "u.json"))

    assert done.exit_code == 0
    assert "Authorization" not in platform.asked[1].headers
    assert json.loads((tmp_path / "u.json").read_text()) == {"profile": {}}
    assert (tmp_path / "u.json").stat().st_mode & 0o777 == 0o600
    assert run(Platform(ok({})), "users", "export", "u", "--output", str(tmp_path / "u.json")).exit_code == 1


def test_the_local_platform_is_the_default(tmp_path: Path) -> None:
    demo = {"baseUrl": "http://127.0.0.1:8123", "tokens": {"operator": "local-token"}}
    (tmp_path / "demo.json").write_text(json.dumps(demo))
    local = {"ENGAWA_ADMIN_URL": "", "ENGAWA_ADMIN_TOKEN": "", "ENGAWA_LOCAL_DIR": str(tmp_path)}
    platform = Platform(ok({"id": "x"}), ok({"id": "x"}))

    assert run(platform, "users", "show", "x", **local).exit_code == 0
    assert run(platform, "users", "show", "x", "--url", "http://127.0.0.1:8123/", **local).exit_code == 0
    assert [str(request.url) for request in platform.asked] == ["http://127.0.0.1:8123/admin/users/x"] * 2
    assert platform.asked[0].headers["Authorization"] == "Bearer local-token"

    elsewhere = run(platform, "users", "show", "x", "--url", "https://other.example", **local)
    assert elsewhere.exit_code == 1
    assert "No operator's token for https://other.example" in elsewhere.stderr
    nowhere = run(platform, "users", "show", "x", **{**local, "ENGAWA_LOCAL_DIR": "/nowhere"})
    assert "make serve" in nowhere.stderr
    plain = run(platform, "users", "show", "x", "--url", "http://other.example", "--token", "t", **local)
    assert "plain http" in plain.stderr


def test_a_token_for_a_deployment_is_kept_in_a_file(tmp_path: Path) -> None:
    from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
    from local import keys

    keys.ensure(tmp_path / "keys.json")
    path = tmp_path / "operator.token"
    words = ("token", "--url", URL, "--keys", str(tmp_path / "keys.json"), "--output", str(path))

    done = run(Platform(), *words)

    assert done.exit_code == 0
    token = path.read_text().strip()
    assert token not in done.output
    assert path.stat().st_mode & 0o777 == 0o600
    access = AccessTokens(TokenKeys((tmp_path / "keys.json").read_text), URL).check(token)
    assert (access.viewer, access.scopes) == (None, frozenset({"admin"}))
    assert run(Platform(), *words).exit_code == 1
    piped = run(Platform(), "token", "--url", URL, "-o", str(tmp_path / "t"), input="{}")
    assert (piped.exit_code, piped.stderr) == (1, "Error: These are not token keys: it is not a JWK Set\n")


def test_a_user_s_token_may_name_another_owner(tmp_path: Path) -> None:
    from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
    from local import keys

    keys.ensure(tmp_path / "keys.json")
    hana, ken, quest = "k3v9x2mtq7ra", "a8d1p0zzk4wn", "6d1f0c2ab4e79853"
    made = ("token", "--url", URL, "--keys", str(tmp_path / "keys.json"), "--output", str(tmp_path / "token"))

    def access(*words: str) -> Any:
        (tmp_path / "token").unlink(missing_ok=True)
        done = run(Platform(), *made, *words)
        if done.exit_code:
            return done.exit_code
        text = (tmp_path / "token").read_text().strip()
        assert text not in done.output
        return AccessTokens(TokenKeys((tmp_path / "keys.json").read_text), URL).check(text)

    own = access("--user", hana, "--app", quest, "--scope", "r_profile", "--scope", "mixi_apps2")
    assert (own.viewer, own.owner, own.app) == (hana, hana, quest)
    assert own.scopes == {"r_profile", "mixi_apps2"}
    visited = access("--user", hana, "--app", quest, "--scope", "r_profile", "--owner", ken)
    assert (visited.viewer, visited.owner) == (hana, ken)
    for wrong in (
        ("--user", hana),
        ("--owner", ken),
        ("--app", quest),
        ("--scope", "r_profile"),
        ("--user", "hana", "--app", quest),
        ("--user", hana, "--app", "quest"),
        ("--user", hana, "--app", quest, "--owner", "ken"),
        ("--user", hana, "--app", quest, "--scope", "admin"),
    ):
        assert access(*wrong) == 2, wrong


def test_every_command_has_help_worth_reading() -> None:
    def walk(command: click.Command, words: list[str]) -> None:
        done = run(Platform(), *words, "--help")
        assert done.exit_code == 0
        assert command.help
        if isinstance(command, click.Group):
            for name, each in command.commands.items():
                walk(each, [*words, name])
        else:
            assert "--json" in done.output or words == ["token"]

    walk(cli, [])
    assert "Examples:" in run(Platform(), "--help").output


EVENT = {"type": "app.installed", "created": 1775001600000, "subject": "install/k3v9", "sequence": 1, "data": {}}
DELIVERIES = [
    {"endpoint": "4f1d2c3b4a59", "state": "delivered", "attempts": 1, "status": 204, "time": 1775001605000},
    {"endpoint": "5a5a5a5a5a5a", "state": "waiting", "attempts": 2, "status": None, "time": 1775001900000},
]
EVENTS = [{**EVENT, "id": "0mywpiww0abcdefg", "deliveries": DELIVERIES}, {**EVENT, "id": "1", "deliveries": []}]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make this computer's time zone that of Japan."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("zone")
def test_events_are_listed_with_a_line_for_each_delivery() -> None:
    platform = Platform(ok({"entry": EVENTS}), ok({"entry": EVENTS}))

    done = run(platform, "events", "list", "6d1f", "--since", "2026-04-01", "--until", "2026-04-01T10:00:00Z")

    span = "since=1774969200000&until=1775037600000"
    assert platform.requests == [("GET", f"/admin/apps/6d1f/events?count=100&{span}")]
    first, rest = "0mywpiww0abcdefg app.installed install/k3v9 1", "app.installed install/k3v9 1"
    assert [" ".join(line.split()) for line in done.stdout.splitlines()[2:]] == [
        f"{first} 4f1d2c3b4a59 delivered 1 204 2026-04-01 09:00",
        f"{first} 5a5a5a5a5a5a waiting 2 2026-04-01 09:05",
        f"1 {rest} not sent",
    ]
    done = run(platform, "events", "list", "6d1f", "--json")
    assert [json.loads(line) for line in done.stdout.splitlines()] == EVENTS


@pytest.mark.usefixtures("zone")
def test_a_range_of_events_is_sent_again() -> None:
    answer = {"app": "6d1f", "events": 100, "deliveries": 150}
    platform = Platform(ok({**answer, "nextCursor": "abc"}), ok({**answer, "events": 1}))

    done = run(platform, "events", "resend", "6d1f", "--since", "2026-04-01T09:00", "--until", "2026-04-02T00:00:00Z")

    span = {"since": 1775001600000, "until": 1775088000000}
    assert [json.loads(request.content) for request in platform.asked] == [span, {**span, "cursor": "abc"}]
    assert done.stdout == "101 events are sent again.\n"


@pytest.mark.parametrize("word", ["1775001600000", "soon", "2026-13-01", "1969-12-30", "0001-01-01", "9999-99-99", ""])
def test_a_time_that_is_none_is_a_usage_error(word: str) -> None:
    for command in (("list",), ("resend", "--until", "2026-04-01")):
        done = run(Platform(), "events", *command, "6d1f", "--since", word)

        assert done.exit_code == 2
        assert "2026-04-01T09:30:00+09:00" in done.output


def test_an_endpoint_without_kinds_is_a_usage_error_that_lists_them() -> None:
    for words in ((), ("--kind", "app.install")):
        done = run(Platform(), "endpoints", "create", "6d1f", "https://game.example/events", *words)

        assert done.exit_code == 2
        assert all(kind.value in done.output for kind in EventKind)


def test_no_help_shows_a_token() -> None:
    assert TOKEN not in run(Platform(), "users", "list", "--help").output


def with_client(platform: Platform, waits: list[float]) -> Client:
    return Client(URL, TOKEN, transport=httpx.MockTransport(platform), sleep=waits.append)


def test_the_last_try_is_not_waited_after() -> None:
    waits: list[float] = []

    with pytest.raises(Unreachable):
        with_client(Platform(*[httpx.ReadTimeout("slow")] * 8), waits).get("users")

    assert len(waits) == 7


def test_where_nobody_listens_few_tries_are_enough() -> None:
    waits: list[float] = []

    with pytest.raises(Unreachable, match="tried 5 times"):
        with_client(Platform(*[httpx.ConnectError("no")] * 8), waits).get("users")

    assert sum(waits) <= 4
