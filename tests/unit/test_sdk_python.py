"""The Python client: requests, answers and errors, without a server."""

from __future__ import annotations

import asyncio
import inspect
import io
import pickle
import runpy
from collections.abc import Callable, Iterable
from email.utils import formatdate
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

import chalicelib
import engawa_client
from engawa_client import ALL, AsyncEngawa, Authorization, Engawa, EngawaError, NotEngawa, Retry, Unreachable, errors
from engawa_client.operations import OPERATIONS
from local.demo_data import CAFE
from tests.kit import pictures
from tests.kit.contract import Contract
from tests.kit.documents import refusals, words_raised
from tests.kit.engawa_stand_in import BASE, ME, FakeClock, StandIn, problem

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "sdk" / "python"
SNIPPETS = ROOT / "docs" / "snippets"
URI = "http://quest.example/contents/1"
GENERATE = runpy.run_path(str(SDK / "generate.py"))


@pytest.fixture
def server() -> StandIn:
    return StandIn()


@pytest.fixture
def engawa(server: StandIn) -> Engawa:
    return Engawa(BASE, token="t0", http=server.http(), clock=server.clock)


def answering(*answers: httpx.Response | Exception) -> tuple[Engawa, list[httpx.Request], FakeClock]:
    """Return a client that gets these answers one after the other, its requests, and its clock."""
    left, seen, clock = list(answers), [], FakeClock()

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Engawa(BASE, token="t0", http=httpx.Client(transport=httpx.MockTransport(handle)), clock=clock), seen, clock


def data(headers: dict[str, str] | None = None, **pairs: str) -> httpx.Response:
    return httpx.Response(200, json={"entry": [{"id": ME, "data": pairs}]}, headers=headers)


# What is generated, and what covers the contract


@pytest.mark.parametrize("name", ["types.py", "errors.py", "operations.py"])
def test_generated_modules_are_those_of_the_contract(name: str) -> None:
    """If this fails, run `.venv/bin/python sdk/python/generate.py`."""
    assert (SDK / "src" / "engawa_client" / name).read_text(encoding="utf-8") == GENERATE["modules"]()[name]


def test_the_version_is_that_of_the_server() -> None:
    assert engawa_client.__version__ == chalicelib.VERSION


def test_every_error_word_has_a_class_of_its_own() -> None:
    raised = words_raised() | {each.error for each in refusals()} | {"access_denied"}
    assert raised <= errors.BY_WORD.keys()
    assert len(set(errors.BY_WORD.values())) == len(errors.BY_WORD)
    assert all(issubclass(each, EngawaError) for each in errors.BY_WORD.values())


def test_operations_are_those_that_an_app_may_call() -> None:
    left_out = {each.declared["operationId"] for each in Contract.ours().operations()} - OPERATIONS.keys()
    of_apps = {"Persistence", "People", "Pages", "OAuth 2", "Information Sharing"}
    others = {
        each.declared["operationId"]
        for each in Contract.ours().operations()
        if each.declared["operationId"] in left_out
        and of_apps.intersection(each.declared["tags"])
        and each.method not in ("HEAD", "OPTIONS")
    }
    # A page for browsers, the page at its end, and the scripts.
    assert others == {"decide", "showFinished", "readLibrary", "readModule", "readTypes"}


CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "readData": lambda app, auth: app.app_data.read("@friends", fields=["level"]),
    "writeData": lambda app, auth: app.app_data.write({"level": "6"}),
    "mergeData": lambda app, auth: app.app_data.merge({"level": "6"}),
    "patchData": lambda app, auth: app.app_data.patch({"visits": {"add": "1"}}),
    "deleteData": lambda app, auth: app.app_data.delete(["level"]),
    "readPeople": lambda app, auth: app.people.me(fields=["gender"]),
    "readPage": lambda app, auth: app.page(CAFE.id).get(),
    "readFeeds": lambda app, auth: app.page(CAFE.id).feed(URI),
    "postFeed": lambda app, auth: app.page(CAFE.id).post_feed("Evening"),
    "deleteFeed": lambda app, auth: app.page(CAFE.id).delete_feed(URI),
    "readComments": lambda app, auth: next(iter(app.page(CAFE.id).comments(URI))),
    "postComment": lambda app, auth: app.page(CAFE.id).post_comment(URI, "きれい"),
    "deleteComment": lambda app, auth: app.page(CAFE.id).delete_comment(URI, "20260401090000-1"),
    "countFavorites": lambda app, auth: app.page(CAFE.id).favorites(URI),
    "addFavorite": lambda app, auth: app.page(CAFE.id).add_favorite(URI),
    "removeFavorite": lambda app, auth: app.page(CAFE.id).remove_favorite(URI, "1"),
    "getToken": lambda app, auth: auth.client_credentials(),
    "revokeToken": lambda app, auth: auth.revoke("refresh"),
    "readAuthorizationServer": lambda app, auth: auth.metadata(),
    "readCertificate": lambda app, auth: app.certificate(),
    "callMethods": lambda app, auth: app.rpc({"method": "system.listMethods"}),
    "readOpenSocialPeople": lambda app, auth: app.open_social.person(),
    "readOpenSocialData": lambda app, auth: app.open_social.data(),
    "writeOpenSocialData": lambda app, auth: app.open_social.write({"level": "6"}),
    "mergeOpenSocialData": lambda app, auth: app.open_social.merge({"level": "6"}),
    "deleteOpenSocialData": lambda app, auth: app.open_social.delete(["level"]),
}


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "authorize"])
def test_every_operation_has_a_method_that_sends_it(name: str) -> None:
    app, seen, clock = answering(httpx.Response(418, json={"error": "teapot", "error_description": "I am one"}))
    auth = Authorization(BASE, "app", "secret", http=app._driver.http, clock=clock)
    with pytest.raises(EngawaError):
        CALLS[name](app, auth)
    found, _ = Contract.ours().find(seen[0].method, seen[0].url.path)
    assert found is not None
    assert found.declared["operationId"] == name


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "authorize"])
def test_every_operation_has_a_program(name: str) -> None:
    text = (SNIPPETS / f"{name}.py").read_text(encoding="utf-8")
    assert "http://127.0.0.1:8000" in text
    assert "from engawa_client import" in text


def test_both_clients_have_the_same_operations() -> None:
    for name in ("", "app_data", "people", "open_social"):
        blocking = getattr(Engawa(BASE), name) if name else Engawa(BASE)
        awaiting = getattr(AsyncEngawa(BASE), name) if name else AsyncEngawa(BASE)
        public = {each for each in dir(blocking) if not each.startswith("_")}
        assert public == {each for each in dir(awaiting) if not each.startswith("_")}
        for each in public - {"page", "close", "app_data", "people", "open_social"}:
            assert inspect.signature(getattr(blocking, each)) == inspect.signature(getattr(awaiting, each))
            assert getattr(blocking, each).__doc__


# Requests


def test_data_are_written_and_read(server: StandIn, engawa: Engawa) -> None:
    stored = engawa.app_data.write({"level": "6", "名": "花"})
    assert (stored.etag, stored.limit, stored.remaining, stored.reset) == ('"1.1"', 180, 179, 1)
    found = engawa.app_data.read(fields=["level"])
    assert (found.data, found.etag) == ({"level": "6"}, '"1.1"')
    engawa.app_data.delete(["level"])
    assert server.data == {"名": "花"}
    assert server.seen[0].headers["Authorization"] == "Bearer t0"


def test_tasks_use_the_same_operations(server: StandIn) -> None:
    async def play() -> dict[str, str]:
        async with AsyncEngawa(BASE, token="t0", http=server.async_http(), clock=server.clock) as engawa:
            await engawa.app_data.write({"level": "6"})
            return (await engawa.app_data.read()).data

    assert asyncio.run(play()) == {"level": "6"}


def test_all_keys_are_deleted_only_by_name() -> None:
    engawa, seen, _ = answering(httpx.Response(200, json={"response_code": 200}))
    for names in ([], [""], ["*"], ["@all"], ["a", "*"], ["a,b"], "*", ""):
        with pytest.raises(ValueError, match="ALL for every key"):
            engawa.app_data.delete(names)
        with pytest.raises(ValueError, match="ALL for every key"):
            engawa.open_social.delete(names)
    assert seen == []
    engawa.app_data.delete(ALL)
    assert seen[0].url.params["fields"] == "*"


def test_an_empty_list_of_fields_is_refused(engawa: Engawa, server: StandIn) -> None:
    with pytest.raises(ValueError, match="fields is empty"):
        engawa.app_data.read(fields=[])
    assert server.seen == []


@pytest.mark.parametrize("page", ["", ".", ".."])
def test_a_part_of_a_path_cannot_change_the_path(page: str, engawa: Engawa, server: StandIn) -> None:
    with pytest.raises(ValueError, match="page cannot be"):
        engawa.page(page).get()
    with pytest.raises(EngawaError):
        engawa.page("1/../../admin").get()
    assert [each.url.raw_path for each in server.seen] == [b"/2/pages/1%2F..%2F..%2Fadmin"]


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "file"])
def test_an_image_is_attached(kind: str, tmp_path: Path) -> None:
    content = pictures.png()
    path = tmp_path / "絵.png"
    path.write_bytes(content)
    images: dict[str, Any] = {"path": path, "text": str(path), "bytes": content, "file": io.BytesIO(content)}
    # The first attempt gets lost: the second sends the same, also of a file that has been read.
    lost = httpx.ReadError("reset")
    engawa, seen, _ = answering(lost, httpx.Response(201, json={"contentUri": URI}))
    assert engawa.page("1").post_feed("花", image=images[kind]) == URI
    for request in seen:
        assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert content in request.content
        assert b'name="request"\r\nContent-Type: application/json\r\n\r\n' in request.content
        assert b'name="image1"' in request.content
    assert seen[0].headers["Idempotency-Key"] == seen[1].headers["Idempotency-Key"]


def test_a_big_answer_is_fetched_without_the_token() -> None:
    headers = {"Location": "https://s3.example/a?X-Amz-Signature=1", "ETag": '"7"'}
    elsewhere = httpx.Response(303, json={"location": "x"}, headers=headers)
    stored = data(a="1")
    engawa, seen, _ = answering(elsewhere, httpx.Response(503, text="<Error>SlowDown</Error>"), stored)
    found = engawa.app_data.read()
    assert (found.data, found.etag) == ({"a": "1"}, '"7"')
    assert [str(each.url) for each in seen[1:]] == ["https://s3.example/a?X-Amz-Signature=1"] * 2
    assert all("Authorization" not in each.headers for each in seen[1:])


def test_unchanged_data_are_not_sent_again() -> None:
    engawa, seen, _ = answering(httpx.Response(304, headers={"ETag": '"7"'}), data({"ETag": '"8"'}, a="2"))
    assert engawa.app_data.read_if_changed('"7"') is None
    assert seen[0].headers["If-None-Match"] == '"7"'
    changed = engawa.app_data.read_if_changed('"7"')
    assert changed is not None
    assert changed.etag == '"8"'


# Lists


def parts(*names: str) -> list[httpx.Response]:
    """Return the parts of a list, each with its entries' ids; each but the last has a cursor."""
    following = [{"nextCursor": f"c{index + 1}"} for index in range(len(names) - 1)] + [{}]
    return [
        httpx.Response(200, json={"entry": [{"id": each} for each in part], "totalResults": 9} | more)
        for part, more in zip(names, following, strict=True)
    ]


def ids(entries: Iterable[Any]) -> str:
    return "".join(each["id"] for each in entries)


def test_a_list_is_read_part_after_part() -> None:
    engawa, seen, _ = answering(*parts("ab", "", "c"))
    feeds = engawa.page("1").feeds(count=2)
    assert ids(feeds) == "abc"
    assert [each.url.params.get("cursor") for each in seen] == [None, "c1", "c2"]
    assert (feeds.finished, feeds.cursor, list(feeds)) == (True, None, [])


@pytest.mark.parametrize("taken", range(6))
def test_a_list_is_resumed_behind_any_entry(taken: int) -> None:
    first, second, third = parts("ab", "cd", "e")
    served = {None: first, "c1": second, "c2": third}
    http = httpx.Client(transport=httpx.MockTransport(lambda request: served[request.url.params.get("cursor")]))
    page = Engawa(BASE, token="t0", http=http).page("1")
    comments = page.comments(URI)
    before = ids(islice(comments, taken))
    assert before + ids(page.comments(URI, cursor=comments.cursor)) == "abcde"


def test_a_list_is_resumed_behind_an_entry_that_is_gone() -> None:
    engawa, _, _ = answering(*parts("abc", "d"), *parts("bc", "d"), *parts("ac", "d"))
    page = engawa.page("1")
    comments = page.comments(URI)
    assert ids(islice(comments, 2)) == "ab"
    cursor = comments.cursor
    assert ids(comments) == "d"
    assert ids(page.comments(URI, cursor=cursor)) == "cd"
    # Nothing is left out, even if the part has to come again.
    assert ids(page.comments(URI, cursor=cursor)) == "acd"


def test_parts_have_the_cursor_of_the_next() -> None:
    engawa, _, _ = answering(*parts("ab", "c"))
    feeds = engawa.page("1").feeds()
    assert [(ids(part), feeds.cursor) for part in feeds.parts()] == [("ab", "c1"), ("c", None)]


def test_friends_are_resumed_by_index() -> None:
    first = httpx.Response(200, json={"entry": [{"id": "a"}, {"id": "b"}], "totalResults": 3, "startIndex": 0})
    rest = httpx.Response(200, json={"entry": [{"id": "c"}], "totalResults": 3, "startIndex": 2})
    engawa, seen, _ = answering(first, rest)
    assert [each["id"] for each in engawa.people.friends(has_app=True)] == ["a", "b", "c"]
    assert [each.url.params.get("startIndex") for each in seen] == [None, "2"]
    assert seen[0].url.params["filterBy"] == "hasApp"


def test_a_list_of_tasks() -> None:
    left = parts("ab", "c") + parts("ab", "c")

    async def read() -> tuple[str, list[str]]:
        http = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: left.pop(0)))
        page = AsyncEngawa(BASE, token="t0", http=http).page("1")
        return ids([feed async for feed in page.feeds()]), [ids(part) async for part in page.feeds().parts()]

    assert asyncio.run(read()) == ("abc", ["ab", "c"])


# Attempts


@pytest.mark.parametrize("fault", [429, 502, 503, 504, httpx.ConnectError("refused"), httpx.ReadTimeout("late")])
def test_a_request_is_repeated(fault: int | Exception) -> None:
    answer = problem(fault, "service_unavailable") if isinstance(fault, int) else fault
    engawa, seen, _ = answering(answer, data(a="1"))
    assert engawa.app_data.read().data == {"a": "1"}
    assert len(seen) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 422, 500])
def test_a_refusal_is_not_repeated(status: int) -> None:
    engawa, seen, _ = answering(problem(status, "anything"))
    with pytest.raises(EngawaError) as raised:
        engawa.app_data.read()
    assert (len(seen), raised.value.status) == (1, status)


def test_a_running_post_is_repeated_with_its_key() -> None:
    running = problem(409, "idempotency_in_progress", {"Retry-After": "1"})
    engawa, seen, clock = answering(running, httpx.Response(201, json={"id": "7"}))
    assert engawa.page("1").post_comment(URI, "きれい") == "7"
    assert seen[0].headers["Idempotency-Key"] == seen[1].headers["Idempotency-Key"]
    assert clock.slept[0] >= 1


def test_two_posts_have_two_keys_and_a_given_key_is_used() -> None:
    engawa, seen, _ = answering(*(httpx.Response(201, json={"id": "7"}) for _ in range(3)))
    page = engawa.page("1")
    page.post_comment(URI, "a")
    page.post_comment(URI, "a")
    page.post_comment(URI, "a", idempotency_key="mine")
    first, second, third = (each.headers["Idempotency-Key"] for each in seen)
    assert first != second
    assert third == "mine"


@pytest.mark.parametrize("value", ["7", "date"])
def test_a_repetition_is_never_early(value: str) -> None:
    # The computer's clock is an hour late; the dates of the server are right among themselves.
    now = FakeClock().wall() + 3600
    sent = {"Retry-After": value} if value == "7" else {"Date": formatdate(now), "Retry-After": formatdate(now + 7)}
    for _ in range(50):
        engawa, _, clock = answering(problem(503, "service_unavailable", sent), data())
        engawa.app_data.read()
        assert 7 <= clock.slept[0] <= 7.5


NO_DATE = ["Fri, 31 Dec 2026 23:59:59 +99999999999999999", f"Fri, {'9' * 20} Dec 2026 23:59:59 GMT"]


@pytest.mark.parametrize("value", ["soon", "-1", "٣", "", "Mon, 99 Foo", *NO_DATE])
def test_a_retry_after_that_is_none_is_ignored(value: str) -> None:
    answer = httpx.Response(503, json={"error": "service_unavailable"}, headers=[(b"Retry-After", value.encode())])
    engawa, _, clock = answering(answer, data())
    engawa.app_data.read()
    assert clock.slept[0] <= 0.5


def test_a_wait_longer_than_the_budget_is_an_error_at_once() -> None:
    engawa, seen, clock = answering(problem(503, "service_unavailable", {"Retry-After": "61"}))
    with pytest.raises(errors.ServiceUnavailable) as raised:
        engawa.app_data.write({"a": "1"})
    assert (raised.value.retry_after, len(seen), clock.slept) == (61, 1, [])


def test_attempts_and_seconds_are_limited() -> None:
    engawa, seen, clock = answering(*(problem(503, "service_unavailable") for _ in range(99)))
    with pytest.raises(errors.ServiceUnavailable):
        engawa.app_data.read()
    assert len(seen) == 8
    slow = Retry(attempts=99, seconds=10)
    http = engawa._driver.http
    begun, before = clock.wall(), len(seen)
    with pytest.raises(errors.ServiceUnavailable):
        Engawa(BASE, token="t0", http=http, clock=clock, retry=slow).app_data.read()
    assert clock.wall() - begun <= 10
    assert len(seen) - before > 2


def test_a_code_is_sent_once() -> None:
    engawa, seen, clock = answering(httpx.ReadError("reset"))
    auth = Authorization(BASE, "app", http=engawa._driver.http, clock=clock)
    with pytest.raises(Unreachable) as raised:
        auth.exchange("code", auth.authorization_url("r_profile"))
    assert (len(seen), raised.value.uncertain) == (1, True)


def test_a_deletion_whose_answer_got_lost_is_done() -> None:
    engawa, _, _ = answering(httpx.ReadError("reset"), problem(404, "not_found"))
    engawa.page("1").delete_feed(URI)
    engawa, _, _ = answering(httpx.ConnectError("refused"), problem(404, "not_found"))
    with pytest.raises(errors.NotFound):
        engawa.page("1").delete_feed(URI)


def test_calls_that_repeat_safely_are_repeated() -> None:
    done = httpx.Response(200, json=[{"jsonrpc": "2.0", "result": {}, "data": {}}])
    engawa, seen, _ = answering(httpx.ReadError("reset"), done, httpx.ReadError("reset"))
    assert engawa.rpc({"method": "appdata.update", "params": {"data": {"a": "1"}}})[0]["jsonrpc"] == "2.0"
    call: Any = {"method": "appdata.patch", "params": {"changes": {"coins": {"add": "1"}}}}
    with pytest.raises(Unreachable):
        engawa.rpc([call])
    assert len(seen) == 3


# Errors


def test_an_error_says_everything() -> None:
    engawa, _, _ = answering(problem(403, "permission_denied"))
    with pytest.raises(errors.PermissionDenied) as raised:
        engawa.app_data.read()
    error = raised.value
    assert (error.status, error.error, error.description) == (403, "permission_denied", "It is permission_denied")
    assert (error.request_id, error.retry_after, error.uncertain) == ("req-1", None, False)
    assert str(error) == "403 permission_denied: It is permission_denied (request req-1)"
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.status, str(copy)) == (errors.PermissionDenied, 403, str(error))


def test_after_a_fault_of_the_server_a_write_is_uncertain() -> None:
    engawa, seen, _ = answering(problem(500, "internal_error"))
    with pytest.raises(errors.InternalError) as raised:
        engawa.page("1").post_comment(URI, "a")
    assert (len(seen), raised.value.uncertain) == (1, True)


def test_a_refused_post_with_a_key_is_certain() -> None:
    engawa, _, _ = answering(httpx.ReadError("reset"), problem(409, "conflict"))
    with pytest.raises(errors.Conflict) as raised:
        engawa.page("1").post_feed("a", content_uri=URI)
    assert not raised.value.uncertain


def test_an_unknown_word_is_an_error_of_the_base_class() -> None:
    engawa, _, _ = answering(problem(418, "teapot"))
    with pytest.raises(EngawaError) as raised:
        engawa.app_data.read()
    assert (type(raised.value), raised.value.error) == (EngawaError, "teapot")


def test_a_refused_batch_is_an_error() -> None:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": 400, "message": "Too many requests in one batch"}}
    engawa, _, _ = answering(httpx.Response(400, json=body))
    with pytest.raises(errors.BadRequest, match="Too many requests in one batch"):
        engawa.rpc([{"method": "system.listMethods"}])


NO_SERVER = {
    "html": httpx.Response(200, text="<html>Welcome to nginx!", headers={"Content-Type": "text/html"}),
    "html refusal": httpx.Response(404, text="<html>Not Found", headers={"Content-Type": "text/html"}),
    "other json": httpx.Response(200, json={"hello": "world"}),
    "list": httpx.Response(200, json=[1, 2]),
    "text": httpx.Response(200, json="entry"),
    "null": httpx.Response(200, json=None),
    "broken": httpx.Response(200, text="{", headers={"Content-Type": "application/json"}),
    "not text": httpx.Response(200, content=b"\xff\xfe", headers={"Content-Type": "application/json"}),
    "other error": httpx.Response(400, json={"message": "no"}),
    "empty": httpx.Response(200),
    "redirect": httpx.Response(301, headers={"Location": "https://engawa.example/"}),
    "303 to nowhere": httpx.Response(303),
    "unpacked": httpx.Response(202, json={}),
    "nested": httpx.Response(200, content=b"[" * 200_000, headers={"Content-Type": "application/json"}),
    "nested refusal": httpx.Response(400, content=b"[" * 200_000, headers={"Content-Type": "application/json"}),
}


@pytest.mark.parametrize("name", NO_SERVER)
def test_a_server_that_is_none_is_named(name: str) -> None:
    engawa, _, _ = answering(NO_SERVER[name])
    with pytest.raises(NotEngawa, match="did not answer as an Engawa server") as raised:
        engawa.app_data.read()
    assert f"{BASE}/2/apps/appdata/@me/@self" in str(raised.value)
    if name == "redirect":
        assert "redirects to https://engawa.example/" in str(raised.value)


@pytest.mark.parametrize("body", [{"id": 7}, {"contentUri": None}])
def test_an_answer_of_another_shape_is_named(body: dict[str, Any]) -> None:
    engawa, _, _ = answering(httpx.Response(201, json=body))
    with pytest.raises(NotEngawa, match="no str 'contentUri' in its answer"):
        engawa.page("1").post_feed("x")


def test_nobody_there_is_named() -> None:
    engawa, seen, _ = answering(*(httpx.ConnectError("Connection refused") for _ in range(8)))
    with pytest.raises(Unreachable, match=r"http://engawa\.example/.* cannot be reached: Connection refused") as raised:
        engawa.app_data.read()
    assert (raised.value.status, raised.value.uncertain, len(seen)) == (0, False, 8)


@pytest.mark.parametrize("address", ["engawa.example", "ftp://engawa.example", "http://", "", "http://a/?b=c"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="The address of a server"):
        Engawa(address)


def test_a_request_that_cannot_be_sent_is_not_repeated() -> None:
    engawa, seen, _ = answering(httpx.LocalProtocolError("Illegal header value"))
    with pytest.raises(Unreachable, match="Illegal header value"):
        engawa.app_data.read()
    assert len(seen) == 1


@pytest.mark.parametrize("token", ["", "a\n", "a b", "花"])
def test_a_token_that_no_header_can_hold_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="This is no access token"):
        Engawa(BASE, token=token)


def test_what_does_not_fit_together_is_refused() -> None:
    wrong: list[dict[str, Any]] = [
        {"token": "t", "client_id": "a"},
        {"tokens": engawa_client.MemoryTokenStore()},
        {"client_id": "a"},
    ]
    for given in wrong:
        with pytest.raises(ValueError, match=r"client_id=|tokens="):
            Engawa(BASE, **given)
    with pytest.raises(ValueError, match="needs a token"):
        Engawa(BASE).app_data.read()


# Read, change, write


def test_changes_are_sent_with_a_key(server: StandIn, engawa: Engawa) -> None:
    changed = engawa.app_data.patch({"coins": {"add": "30"}, "log": {"append": "won", "last": 10}})
    assert changed.data == {"coins": "30", "log": '["won"]'}
    assert (changed.etag, changed.remaining) == ('"1.1"', 179)
    assert server.seen[0].method == "PATCH"
    assert server.seen[0].headers["Idempotency-Key"]
    engawa.app_data.patch({"coins": {"add": "1"}}, idempotency_key="mine", if_match='"1.1"')
    assert (server.seen[1].headers["Idempotency-Key"], server.seen[1].headers["If-Match"]) == ("mine", '"1.1"')


@pytest.mark.parametrize("large", [{f"key{n}": {"add": "1"} for n in range(99)}, {"a": {"set": "花" * 100_001}}])
def test_changes_too_large_for_a_key_are_sent_once(large: dict[str, Any]) -> None:
    engawa, seen, _ = answering(httpx.ReadError("reset"))
    with pytest.raises(Unreachable) as raised:
        engawa.app_data.patch(large)
    assert raised.value.uncertain
    assert "Idempotency-Key" not in seen[0].headers
    engawa, seen, _ = answering(httpx.ReadError("reset"), problem(412, "precondition_failed"))
    with pytest.raises(errors.PreconditionFailed) as refused:
        engawa.app_data.patch(large, if_match='"1.1"')
    assert refused.value.uncertain
    assert len(seen) == 2


def test_a_bound_is_an_error_of_its_own() -> None:
    engawa, seen, _ = answering(problem(409, "bound_exceeded"))
    with pytest.raises(errors.BoundExceeded):
        engawa.app_data.patch({"coins": {"add": "-30", "atLeast": "0"}})
    assert len(seen) == 1


def test_a_ranking() -> None:
    mine = {"id": ME, "rank": 2, "data": {"best": "6"}}
    first = {"id": "a8d1p0zzk4wn", "rank": 1, "data": {"best": "7"}}
    body = {"entry": [first, mine], "startIndex": 0, "itemsPerPage": 2, "totalResults": 9}
    engawa, seen, _ = answering(httpx.Response(200, json=body | {"self": mine}), httpx.Response(200, json=body))
    found = engawa.app_data.ranking("best", count=2)
    assert (found.entries, found.own, found.total) == ([first, mine], mine, 9)
    asked = {"fields": "best", "sortBy": "best", "sortOrder": "descending", "count": "2", "startIndex": "0"}
    assert dict(seen[0].url.params) == asked | {"includeSelf": "true"}
    assert engawa.app_data.ranking("best", include_self=False).own is None
    assert seen[1].url.params["includeSelf"] == "false"


def test_update_deletes_what_is_absent(server: StandIn, engawa: Engawa) -> None:
    server.data, server.version = {"coins": "1", "old": "x"}, 1
    assert engawa.app_data.update(lambda values: {"coins": "2"}) == {"coins": "2"}
    assert server.data == {"coins": "2"}


def test_an_update_whose_answer_got_lost_is_done_once(server: StandIn, engawa: Engawa) -> None:
    lost = ["PATCH"]

    def lose(request: httpx.Request) -> httpx.Response | None:
        if request.method in lost:
            lost.remove(request.method)
            server._carry_out(request)
            server.version += 1
            raise httpx.ReadError("reset")
        return None

    server.fault = lose
    assert engawa.app_data.update(lambda values: {"coins": str(int(values.get("coins", "0")) + 1)}) == {"coins": "1"}
    assert server.data == {"coins": "1"}


def test_a_large_update_whose_answer_got_lost_is_uncertain(server: StandIn, engawa: Engawa) -> None:
    def lose(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and server.version == 0:
            server._carry_out(request)
            raise httpx.ReadError("reset")
        return None

    server.fault = lose
    with pytest.raises(errors.PreconditionFailed) as raised:
        engawa.app_data.update(lambda values: values | {"large": "x" * 300_001})
    assert raised.value.uncertain


def test_update_keeps_changes_of_others(server: StandIn, engawa: Engawa) -> None:
    server.data, server.version = {"coins": "1", "name": "花"}, 1
    calls = 0

    def add(values: dict[str, str]) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            server.data["coins"], server.version = "10", 2
        values["coins"] = str(int(values["coins"]) + 1)

    assert engawa.app_data.update(add) == {"coins": "11", "name": "花"}
    assert (server.data, calls) == ({"coins": "11", "name": "花"}, 2)


def test_update_without_a_change_writes_nothing(server: StandIn, engawa: Engawa) -> None:
    assert engawa.app_data.update(lambda values: None) == {}
    assert engawa.app_data.update(lambda values: dict(values)) == {}
    assert {each.method for each in server.seen} == {"GET"}


def test_update_gives_up(server: StandIn, engawa: Engawa) -> None:
    def rival(values: dict[str, str]) -> dict[str, str]:
        server.version += 1
        return {"a": str(server.version)}

    with pytest.raises(errors.PreconditionFailed):
        engawa.app_data.update(rival, attempts=3)
    assert sum(each.method != "GET" for each in server.seen) == 3
    with pytest.raises(ValueError, match="at least 1"):
        engawa.app_data.update(rival, attempts=0)
