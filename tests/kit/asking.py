"""A client that sends the same request to any face, and returns outcomes in one form, to compare with a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import httpx

from chalicelib.core.events import EventKind
from tests.kit.crowd import Crowd
from tests.model.answers import Face, Refused
from tests.model.appdata import Keys
from tests.model.community import Token
from tests.model.people import Entry, Query

SCOPES = ("mixi_apps2", "w_pagefeed", "r_page", "r_profile")
FINER = tuple(f"r_profile_{name}" for name in ("blood_type", "location", "birthday", "gender"))


class Fault(Refused):
    """A refusal by `/rpc`, which has its own code instead of a status."""


class Wrote(NamedTuple):
    """An accepted write; `/rpc` returns neither value."""

    etag: str | None
    remaining: int | None


class Asker:
    """A client of a served platform. `way` chooses among equivalent spellings."""

    def __init__(self, crowd: Crowd, operator: str) -> None:
        self._crowd = crowd
        self._operator = operator
        self._issued: dict[Token, str] = {}
        self.sent = 0
        self.refusals: Counter[str] = Counter()
        """The number of refusals, by message (with the numbers in it)."""

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the operator's API, and return its JSON."""
        return self._send(method, f"/admin/{path}", self._operator, json=body).json()

    def page(self, method: str, path: str, token: Token, *, json: Any = None, **query: object) -> Any:
        """Send a request to the Page API, and return its JSON, or None for an empty body."""
        answer = self._send(method, f"/2/pages/{path}", self._token(token), json=json, params=_given(query))
        return answer.json() if answer.content else None

    def read(
        self, token: Token, face: Face, users: Sequence[str], keys: Keys, way: int
    ) -> tuple[dict[str, dict[str, str]], str | None]:
        """Return the data of named users, and the entity tag, or None."""
        named = [_spelled(user, token, face, way) for user in users]
        if face is Face.RPC:
            asked = {"userId": named if len(named) > 1 or way % 2 else named[0], "fields": _listed(keys)}
            return self._rpc("appdata.get", token, asked), None
        return self._data(face, token, ",".join(named), "@self", keys)

    def read_friends(self, token: Token, face: Face, of: str, keys: Keys, way: int) -> dict[str, dict[str, str]]:
        """Return the data of a user's friends."""
        named = _spelled(of, token, face, way)
        if face is Face.RPC:
            asked = {"userId": named, "groupId": "@friends", "fields": _listed(keys)}
            found: dict[str, dict[str, str]] = self._rpc("appdata.get", token, asked)
            return found
        return self._data(face, token, named, "@friends", keys)[0]

    def _data(
        self, face: Face, token: Token, who: str, group: str, keys: Keys
    ) -> tuple[dict[str, dict[str, str]], str | None]:
        path = f"/2/apps/appdata/{who}/{group}" if face is Face.TWO else f"/os/0.8/appdata/{who}/{group}/@app"
        answer = self._send("GET", path, self._token(token), params=_given({"fields": _joined(keys)}))
        entry, tag = answer.json()["entry"], answer.headers.get("ETag")
        if face is Face.TWO:
            return {each["id"]: each["data"] for each in entry}, tag
        return {name.removeprefix("mixi.jp:"): data for name, data in entry.items()}, tag

    def is_unchanged(self, token: Token, tag: str) -> bool:
        """Return whether the viewer's own data still have this tag, by a conditional request."""
        headers = {"If-None-Match": tag}
        return self._send("GET", "/2/apps/appdata/@me/@self", self._token(token), headers=headers).status_code == 304

    def usage(self, token: Token) -> tuple[int, int, int]:
        """Return the used bytes and keys, and the number of writes that are left."""
        entry = self._send("GET", "/2/apps/appdata/@me/@usage", self._token(token)).json()["entry"]
        return entry["bytes"]["used"], entry["keys"]["used"], entry["window"]["remaining"]

    def write(self, token: Token, face: Face, pairs: object, headers: Mapping[str, str], way: int) -> Wrote:
        """Store pairs."""
        if face is Face.RPC:
            method = ("appdata.update", "appdata.create")[way % 2]
            self._rpc(method, token, {"userId": "@viewer", "data": pairs})
            return Wrote(None, None)
        return self._change(face, ("POST", "PUT")[way % 2], token, headers, json=pairs)

    def patch(
        self, token: Token, face: Face, changes: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[dict[str, str], Wrote]:
        """Change keys; return their new values. `/os/0.8` has no such request, so it is sent to `/2`."""
        if face is Face.RPC:
            [data] = self._rpc("appdata.patch", token, {"userId": "@viewer", "changes": changes}).values()
            return data, Wrote(None, None)
        path = "/2/apps/appdata/@me/@self"
        answer = self._send("PATCH", path, self._token(token), headers=headers, json=changes)
        [entry] = answer.json()["entry"]
        return entry["data"], Wrote(answer.headers["ETag"], int(answer.headers["X-RateLimit-Remaining"]))

    def delete(self, token: Token, face: Face, keys: Keys, headers: Mapping[str, str]) -> Wrote:
        """Delete keys; None means all keys."""
        if face is Face.RPC:
            self._rpc("appdata.delete", token, {"userId": "@me", "fields": _listed(keys) or "*"})
            return Wrote(None, None)
        return self._change(face, "DELETE", token, headers, params=_given({"fields": _joined(keys)}))

    def _change(self, face: Face, method: str, token: Token, headers: Mapping[str, str], **request: Any) -> Wrote:
        path = "/2/apps/appdata/@me/@self" if face is Face.TWO else "/os/0.8/appdata/@me/@self/@app"
        answer = self._send(method, path, self._token(token), headers=headers, **request)
        assert answer.json() == ({"response_code": 200} if face is Face.TWO else {})
        return Wrote(answer.headers["ETag"], int(answer.headers["X-RateLimit-Remaining"]))

    def people(self, token: Token, face: Face, users: Sequence[str], fields: Sequence[str], way: int) -> list[Entry]:
        """Return the entries of named users."""
        named = [_spelled(user, token, face, way) for user in users]
        if face is Face.RPC:
            found = self._rpc("people.get", token, {"userId": named, "fields": list(fields) or None})
            entries: list[Entry] = found.get("list", [found])
            return entries
        answer = self._people(face, token, ",".join(named), "@self", {"fields": ",".join(fields) or None})
        return [_entry(each) for each in answer["entry"]] if len(users) > 1 else [_entry(answer["entry"])]

    def friends(
        self, token: Token, face: Face, of: str, query: Query, fields: Sequence[str], way: int
    ) -> tuple[list[Entry], int]:
        """Return part of a user's friends, and their total number."""
        named = _spelled(of, token, face, way)
        asked = {
            "fields": ",".join(fields) or None,
            "startIndex": query.start or None,
            "count": query.count,
            "sortBy": "displayName" if query.by_name else None,
            "sortOrder": "descending" if query.descending else None,
            "filterBy": "hasApp" if query.has_app else "pageId" if query.followers else None,
            "filterValue": query.followers,
        }
        if face is Face.RPC:
            answer = self._rpc("people.get", token, _given(asked) | {"userId": named, "groupId": "@friends"})
            entries = answer["list"]
        else:
            answer = self._people(face, token, named, ("@friends", "@all")[way % 2 if face is Face.OS else 0], asked)
            entries = [_entry(each) for each in answer["entry"]]
        assert answer["startIndex"] == query.start
        assert answer.get("itemsPerPage", len(entries)) == len(entries)
        return entries, answer["totalResults"]

    def _people(self, face: Face, token: Token, who: str, group: str, asked: Mapping[str, object]) -> Any:
        path = f"{'/2' if face is Face.TWO else '/os/0.8'}/people/{who}/{group}"
        return self._send("GET", path, self._token(token), params=_given(asked)).json()

    def _rpc(self, method: str, token: Token, params: Mapping[str, Any]) -> Any:
        call = {"method": method, "id": 1, "params": _given(params)}
        answer = self._send("POST", "/rpc", self._token(token), json=call).json()
        assert answer["id"] == 1
        if "error" in answer:
            error = answer["error"]
            told = error["data"]
            self.refusals[error["message"]] += 1
            raise Fault(0, told["error"], error["message"], error["code"], told.get("retryAfter", 0))
        assert answer["result"] == answer["data"]
        return answer["result"]

    def _send(self, method: str, path: str, bearer: str, **request: Any) -> httpx.Response:
        self.sent += 1
        headers = {"Authorization": f"Bearer {bearer}", **request.pop("headers", {})}
        answer = self._crowd.http.request(method, path, headers=headers, **request)
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        if answer.status_code >= 400:
            told = answer.json()
            self.refusals[told["error_description"]] += 1
            after = int(answer.headers.get("Retry-After", 0))
            raise Refused(answer.status_code, told["error"], told["error_description"], retry_after=after)
        return answer

    def _token(self, token: Token) -> str:
        if token not in self._issued:
            issue = self._crowd.platform.tokens.issue
            scopes = (*SCOPES, *FINER)
            self._issued[token] = issue(
                app=token.app,
                viewer=token.viewer,
                owner=token.owner,
                scopes=scopes,
                lifetime=3600,
                events=frozenset(EventKind),
            )
        return self._issued[token]


def _spelled(user: str, token: Token, face: Face, way: int) -> str:
    """Return one of the names that a face accepts for a user."""
    names = [user]
    if user == token.viewer:
        names.append("@me")
    if face is not Face.TWO:
        names.append(f"mixi.jp:{user}")
        names += ["@viewer"] if user == token.viewer else []
        names += ["@owner"] if user == token.owner else []
    return names[way % len(names)]


def _entry(entry: Entry) -> Entry:
    """Return an entry in the form of `/rpc`: `/os/0.8` has booleans as words."""
    return {name: value == "true" if value in ("true", "false") else value for name, value in entry.items()}


def _joined(keys: Keys) -> str | None:
    return None if keys is None else ",".join(sorted(keys))


def _listed(keys: Keys) -> list[str] | None:
    return None if keys is None else sorted(keys)


def _given(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}
