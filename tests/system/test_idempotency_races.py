"""One request sent many times at once with one `Idempotency-Key`: it runs once, and all responses are the same."""

from __future__ import annotations

import secrets
import time
from functools import partial

import httpx

from tests.kit.crowd import at_once
from tests.kit.served import Served

CLIENTS = 24
PATIENCE = 30


def test_a_request_sent_many_times_at_once_is_done_once(served: Served) -> None:
    page, tokens = served.demo["pages"]["cafe"]["id"], served.demo["tokens"]
    base = f"{served.base_url}/2/pages/{page}"
    uri = f"http://quest.example/{secrets.token_hex(8)}"

    with httpx.Client(limits=httpx.Limits(max_connections=CLIENTS), timeout=60) as http:

        def send(path: str, key: str, body: dict[str, str], **query: str) -> httpx.Response:
            headers = {"Authorization": f"OAuth {tokens['users']['mei']['quest']}", "Idempotency-Key": key}
            until = time.monotonic() + PATIENCE
            while True:
                answer = http.post(f"{base}/{path}", params=query, json=body, headers=headers)
                if answer.status_code != 409 or time.monotonic() > until:
                    return answer
                assert answer.json()["error"] == "idempotency_in_progress"
                time.sleep(int(answer.headers["Retry-After"]))

        def post_comment(key: str, _: int) -> httpx.Response:
            return send("comments", f"{key}-{uri}", {"comment": key}, contentUri=uri)

        feed = {"title": "once", "contentUri": uri}
        posted = at_once(CLIENTS, lambda _: send("feeds", f"feed-{uri}", feed))
        assert {(each.status_code, each.text) for each in posted} == {(201, f'{{"contentUri":"{uri}"}}')}

        for key in ("one", "two"):
            said = at_once(CLIENTS, partial(post_comment, key))
            assert {each.status_code for each in said} == {201}
            assert len({each.text for each in said}) == 1

        query = {"contentUri": uri, "oauth_token": tokens["clients"]["quest"]}
        found = http.get(f"{base}/comments", params=query).json()
        assert [entry["comment"] for entry in found["entry"]] == ["two", "one"]
        assert found["totalResults"] == 2
        assert http.delete(f"{base}/feeds", params=query | {"oauth_token": tokens["users"]["mei"]["quest"]}).is_success
