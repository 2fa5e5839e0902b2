"""Histories of concurrent requests of many clients for one content: its feed, comments and favorites."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import httpx

from chalicelib.core.model.directory import Page, User, new_page_id, new_user_id
from tests.kit.crowd import Crowd, at_once
from tests.kit.histories import CLIENTS, LAG, Recorder
from tests.kit.linearizability import Operation, check

USERS = 4
"""Two clients share each user, so that the same favorite is created twice at the same time."""


class Content(NamedTuple):
    """The state of a content. Texts identify comments; without a feed the content is empty."""

    there: bool
    shown: bool = False
    comments: frozenset[str] = frozenset()
    favorites: frozenset[tuple[str, str | None]] = frozenset()
    """Pairs of user and favorite id; the id is None if no response has shown it yet."""


NOTHING = Content(False)


def content_step(state: Content, operation: Operation) -> Content | None:
    """Return the next state of a content (docs/reference/protocol/pages.md). An answer is a status and a value."""
    kind, given = operation.asked
    told = operation.answered
    if kind == "post":
        # `given`: the poster is an administrator, whose feed is shown and replaces a feed that is not shown.
        if state.there and (state.shown or not given):
            return _answered(told, 409, state)
        return _answered(told, 201, Content(True, given))
    if not state.there:
        return _answered(told, 404, state)
    match kind:
        case "delete":
            return _answered(told, 204, NOTHING)
        case "comment":
            return _answered(told, 201, state._replace(comments=state.comments | {given}))
        case "uncomment":
            if given not in state.comments:
                return _answered(told, 404, state)
            return _answered(told, 204, state._replace(comments=state.comments - {given}))
        case "favorite":
            return _favorite(state, given, told)
        case "unfavorite":
            mine = [each for each in state.favorites if each == given or each == (given[0], None)]
            if not mine:
                return _answered(told, 404, state)
            # A favorite with an unknown id may be this one or another.
            after = _answered(told, 204, state._replace(favorites=state.favorites - set(mine)))
            return after if after or mine[0][1] else _answered(told, 404, state)
        case "favorites":
            return state if told == (200, len(state.favorites)) else None
        case "total":
            return state if told == (200, len(state.comments)) else None
        case "feed":
            return state if told == (200, (len(state.favorites), len(state.comments))) else None
    raise ValueError(kind)


def _answered(told: Any, status: int, after: Content) -> Content | None:
    return after if told is None or told[0] == status else None


def _favorite(state: Content, user: str, told: Any) -> Content | None:
    """Return the state after a favorite; a repeated request returns the same favorite."""
    there = {each for each in state.favorites if each[0] == user}
    if told is None:
        return state if there else state._replace(favorites=state.favorites | {(user, None)})
    if told[0] != 201 or any(each[1] not in (None, told[1]) for each in there):
        return None
    return state._replace(favorites=state.favorites - there | {(user, told[1])})


def comment_step(seen: bool, operation: Operation) -> bool | None:
    """Return whether one comment exists after an operation; a list must show it if it exists."""
    told = operation.answered
    match operation.asked[0]:
        case "comment":
            return True
        case "uncomment":
            if told is None or told[0] == (204 if seen else 404):
                return False
            return None
        case "delete" | "post":
            return False
    return seen if told == seen else None


@dataclass
class ContentClient:
    """A client that posts to one content; several clients may share `user`."""

    recorder: Recorder
    number: int
    user: str
    token: str
    page: str
    uri: str
    is_administrator: bool
    dice: random.Random
    comments: dict[str, str] = field(default_factory=dict)
    """The ids of the comments that it has posted, by text."""
    favorite: str = ""

    def live(self, turns: int) -> None:
        for turn in range(turns):
            # The feed is created before the other requests, or soon after.
            self.one("post" if self.number == turn == 0 else self.dice.choices(KINDS, WEIGHTS)[0], turn)

    def one(self, kind: str, turn: int) -> None:
        match kind:
            case "post":
                feed = {"title": "Busy", "contentUri": self.uri, "sourceId": "1"}
                asked = ("post", self.is_administrator)
                self._send("POST", "feeds", asked, bare, json=feed, params={})
            case "delete" if self.is_administrator:
                # An administrator may delete a feed of any poster.
                self._send("DELETE", "feeds", ("delete", None), bare)
                self.one("post", turn)
            case "comment":
                text = f"{self.number}.{turn}"
                told = self._send("POST", "comments", ("comment", text), with_id, json={"comment": text})
                if told and told[0] == 201:
                    self.comments[text] = told[1]
            case "uncomment" if self.comments:
                text = self.dice.choice(sorted(self.comments))
                self._send("DELETE", f"comments/{self.comments[text]}", ("uncomment", text), bare)
            case "favorite":
                told = self._send("POST", "favorites", ("favorite", self.user), with_id)
                self.favorite = told[1] if told and told[0] == 201 else self.favorite
            case "unfavorite" if self.favorite:
                self._send("DELETE", f"favorites/{self.favorite}", ("unfavorite", (self.user, self.favorite)), bare)
            case "favorites":
                self._send("GET", "favorites", ("favorites", None), partial(_read, _count))
            case "feed":
                self._send("GET", "feeds", ("feed", None), partial(_read, _counts))
            case "list":
                size = {"contentUri": self.uri, "count": "100"}
                self._send("GET", "comments", ("list", None), partial(_read, _list), params=size)

    def _send(self, method: str, kind: str, asked: Any, read: Callable[[httpx.Response], Any], **more: Any) -> Any:
        sent = {"url": f"/2/pages/{self.page}/{kind}", "params": {"contentUri": self.uri}, **more}
        headers = {"Authorization": f"OAuth {self.token}"}
        return self.recorder.record(self.number, asked, read, self.dice, method=method, headers=headers, **sent)


def content_history(crowd: Crowd, turns: int, seed: int) -> tuple[Recorder, list[Operation], list[list[Operation]]]:
    """Run `turns` turns of each client, and return the operations on the content and on each comment, as promised.

    Reads may lag, and each number and each entry of a list is checked on its own.
    """
    platform, page, uri = crowd.platform, new_page_id(), f"http://quest.example/{secrets.token_hex(4)}"
    users = [platform.users.create(User(new_user_id(), f"user {turn}")).id for turn in range(USERS)]
    platform.pages.create(Page(page, "Busy"))
    platform.pages.add_module(page, crowd.app, "Quest", "1")
    platform.pages.members.add_administrator(page, users[0])
    recorder = Recorder(crowd)
    clients = []
    for number in range(CLIENTS):
        user, dice = users[number % USERS], random.Random(f"{seed}.{number}")
        token = platform.tokens.issue(app=crowd.app, viewer=user, scopes=("w_pagefeed", "r_page"), lifetime=3600)
        clients.append(ContentClient(recorder, number, user, token, page, uri, user == users[0], dice))
    at_once(CLIENTS, lambda number: clients[number].live(turns))
    return recorder, *_promised(recorder.operations)


KINDS = ("post", "delete", "comment", "uncomment", "favorite", "unfavorite", "favorites", "feed", "list")
WEIGHTS = (1, 2, 9, 4, 5, 4, 4, 3, 4)
READS = ("favorites", "feed", "total", "list")


def bare(answer: httpx.Response) -> tuple[int, Any]:
    """Return the status."""
    return answer.status_code, None


def with_id(answer: httpx.Response) -> tuple[int, Any]:
    """Return the status and the created id."""
    return answer.status_code, answer.json().get("id")


def _read(told: Callable[[Any], Any], answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, told(answer.json()) if answer.status_code == 200 else None


def _count(body: Any) -> int:
    count: int = body["count"]
    return count


def _counts(body: Any) -> tuple[int, int]:
    return body["entry"]["favoriteCount"], body["entry"]["commentCount"]


def _list(body: Any) -> tuple[int, tuple[str, ...]]:
    assert body["itemsPerPage"] == len(body["entry"]) <= 100
    texts = tuple(entry["comment"] for entry in body["entry"])
    assert len(set(texts)) == len(texts)
    return body["totalResults"], texts


def _promised(operations: list[Operation]) -> tuple[list[Operation], list[list[Operation]]]:
    """Return the operations on the content, and those on each comment, as far as the API makes promises."""
    whole, lists = [], []
    for each in operations:
        kind, told = each.asked[0], each.answered
        if kind not in READS:
            whole.append(each)
            continue
        if kind == "list":
            total = told if told[0] == 404 else (200, told[1][0])
            whole.append(replace(each, asked=("total", None), answered=total).lagging(LAG))
            lists += [each.lagging(LAG)] if told[0] == 200 else []
        else:
            whole.append(each.lagging(LAG))
    texts = {each.asked[1] for each in operations if each.asked[0] == "comment" and each.answered != (404, None)}
    return whole, [_of_comment(text, operations, lists) for text in sorted(texts)]


def _of_comment(text: str, operations: list[Operation], lists: list[Operation]) -> list[Operation]:
    own = [
        each
        for each in operations
        if (each.asked[1] == text and each.asked[0] in ("comment", "uncomment"))
        or (each.asked[0] == "delete" and (each.answered is None or each.answered[0] == 204))
        or (each.asked[0] == "post" and (each.answered is None or each.answered[0] == 201))
    ]
    return own + [replace(each, answered=text in each.answered[1][1]) for each in lists]


def check_content(whole: list[Operation], comments: list[list[Operation]]) -> int:
    """Check both histories, and return the number of states that were tried. Raises NotLinearizable."""
    return check(whole, NOTHING, content_step) + sum(check(each, False, comment_step) for each in comments)
