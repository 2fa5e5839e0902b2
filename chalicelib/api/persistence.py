"""The Persistence API: `/2/apps/appdata/{user}/{group}`.

Every route requires a user's token with the scope `mixi_apps2`. Refusals come in the documented order: token, scope,
selector, content type, JSON, number of pairs, keys, values, permission, If-Match, rate, quota. Sources: the
Persistence API page, and docs/internals/decisions.md for what it leaves open.
"""

import json
from functools import partial
from typing import Any

from chalice.app import Request, Response

from chalicelib.core import conditions
from chalicelib.core.appdata import DataGroup, asked_keys, check_pairs, deleted_keys, select, select_writable
from chalicelib.core.appdata_changes import read_changes
from chalicelib.core.conditions import Conditions
from chalicelib.core.model.access import Access
from chalicelib.core.ranking import read_query
from chalicelib.core.window import Rate
from chalicelib.platform import Platform
from chalicelib.store.appdata.appdata import Patched, Reading, Receipt, Usage
from chalicelib.store.aws.transactions import AnswerRecord
from chalicelib.web.face import Face, Token
from chalicelib.web.json_answers import data_answer, encode, json_answer, rate_headers, unchanged_answer
from chalicelib.web.requests import (
    check_format,
    header_list,
    last_parameter,
    names_in_body,
    other_parameters,
    pairs_body,
    parameters,
)

PATH = "/2/apps/appdata/{user}/{group}"


face = Face()
route = partial(face.route, PATH, token=Token.USER, scope="mixi_apps2")


@route(methods=["GET"])
def read(here: Platform, request: Request, access: Access, user: str, group: str) -> Response:
    """Read the values of the user (`@me/@self`), of all friends (`@me/@friends`) or of one friend (`{id}/@self`).

    `fields` names up to 1,000 keys, comma-separated; if it is absent, empty, `*` or `@all`, every key is read.
    Answers `{"entry": [{"id": …, "data": {key: value}}]}`; `@self` has an `ETag` and honours `If-None-Match` (304).
    An answer too large for Lambda is a 303 to a URL that works for 5 minutes. `@me/@usage` (Engawa's own) answers
    the bytes and keys used and left, and the write window. With `sortBy`, `@me/@friends` answers a ranking (Engawa's
    own, core/ranking.py): each entry has a `rank`, and `sortOrder`, `includeSelf`, `startIndex` and `count` (default
    20, at most 1,000) select its order and part.
    """
    viewer = access.user
    limits = here.settings.limits
    selection = select(user, check_format(request, group), viewer)
    keys = asked_keys(_fields(request), limits, most=limits.read_keys)
    demands = _conditions(request)
    match selection.group:
        case DataGroup.USAGE:
            return json_answer({"entry": _usage(here, viewer, here.appdata.usage(access.app, viewer))})
        case DataGroup.FRIENDS if query := read_query(lambda name: last_parameter(request, name), limits):
            found = here.appdata.ranking(access.app, viewer, query, keys)
            body = {"entry": found.entries, **found.counters(query.paging)}
            return data_answer(body, {}, here.oversized_answers.keeper(viewer))
        case DataGroup.FRIENDS:
            friends = here.appdata.read_friends(access.app, viewer, keys)
            return data_answer(
                {"entry": [_entry(*each) for each in friends]}, {}, here.oversized_answers.keeper(viewer)
            )
    if selection.own:
        reading = here.appdata.read(access.app, viewer, keys, demands)
    else:
        reading = here.appdata.read_friend(access.app, viewer, selection.owner, keys, demands)
    return _reading_answer(here, selection.owner, reading)


@route(methods=["POST", "PUT"])
def write(here: Platform, request: Request, access: Access, user: str, group: str) -> Response:
    """Store the pairs of a JSON object in `@me/@self`, all or none; other keys stay. Both methods merge.

    1 to 99 pairs; a key is 1 to 255 of `A-Z a-z 0-9 _ . -`, a value a string of at most 65,535 bytes. All values of
    a request have at most 3,800,000 bytes, all values of a user in an app at most 10,000,000. Honours `If-Match` and
    `If-None-Match`. Answers `{"response_code": 200}` with `ETag` and `X-RateLimit-*`.
    """
    viewer = access.user
    select_writable(user, check_format(request, group), viewer)
    pairs = check_pairs(pairs_body(request), here.settings.limits)
    demands, events = _conditions(request), here.data_events(access)
    return _receipt_answer(here.appdata.write(access.app, viewer, pairs, demands, events))


@route(methods=["PATCH"])
def patch(here: Platform, request: Request, access: Access, user: str, group: str) -> Response:
    """Carry out one operation for each key of a JSON object in `@me/@self`, all or none (Engawa's own).

    1 to 99 keys, each with one of `set`, `delete`, `add` (`atLeast`, `atMost`), `max`, `min` and `append` (`last`), and
    perhaps `if` (core/appdata_changes.py). Limits, conditions and the write window are those of a write. With an
    `Idempotency-Key`, a repeated request gets the answer of the first; it then has at most 98 keys and 300,000 bytes
    of new values. Answers `{"entry": [{"id": …, "data": …}]}` with the new values of the named keys.
    """
    # Reads and writes do not need it, so a cold start does not import it.
    from chalicelib.api.once import performed_once

    viewer = access.user
    select_writable(user, check_format(request, group), viewer)
    body = pairs_body(request)
    changes, demands = read_changes(body, here.settings.limits), _conditions(request)
    events = here.data_events(access)

    def perform(record: AnswerRecord | None) -> str:
        return _patched_text(here.appdata.patch(access.app, viewer, changes, demands, record, _patched_text, events))

    said = {"changes": body, "conditions": [header_list(request, name) for name in ("if-match", "if-none-match")]}
    kept = json.loads(performed_once(here, request, access, f"PATCH {PATH}", said, perform))
    headers = {"ETag": kept["etag"]} | rate_headers(Rate(*kept["rate"]))
    return data_answer({"entry": [_entry(viewer, kept["data"])]}, headers, here.oversized_answers.keeper(viewer))


@route(methods=["DELETE"])
def delete(here: Platform, request: Request, access: Access, user: str, group: str) -> Response:
    """Delete the keys that `fields` names (at most 99) from `@me/@self`, or every key.

    Every key is deleted if `fields` is absent, empty, or `*` or `@all` alone. A request whose names seem lost
    (`fields=,`, names in another parameter or in the body) is refused and deletes nothing. Keys that do not exist
    are no error. A deletion counts in the write window; its conditions and answer are those of a write.
    """
    viewer = access.user
    select_writable(user, check_format(request, group), viewer)
    others, in_body = other_parameters(request, "fields"), names_in_body(request)
    keys = deleted_keys(_fields(request), others, here.settings.limits, names_in_body=in_body)
    demands, events = _conditions(request), here.data_events(access)
    if keys is None:
        return _receipt_answer(here.appdata.clear(access.app, viewer, demands, events))
    return _receipt_answer(here.appdata.write(access.app, viewer, dict.fromkeys(keys), demands, events))


def _patched_text(patched: Patched) -> str:
    """Return the parts of an answer to PATCH as JSON, which is kept for its Idempotency-Key."""
    rate = patched.receipt.rate
    return encode(
        {"data": patched.data, "etag": patched.receipt.etag, "rate": [rate.limit, rate.remaining, rate.reset]}
    )


def _fields(request: Request) -> str:
    return ",".join(parameters(request, "fields"))


def _conditions(request: Request) -> Conditions:
    return conditions.parse(header_list(request, "if-match"), header_list(request, "if-none-match"))


def _entry(user: str, data: dict[str, str]) -> dict[str, Any]:
    return {"id": user, "data": data}


def _reading_answer(here: Platform, user: str, reading: Reading) -> Response:
    if reading.data is None:
        return unchanged_answer(reading.etag)
    return data_answer(
        {"entry": [_entry(user, reading.data)]}, {"ETag": reading.etag}, here.oversized_answers.keeper(user)
    )


def _receipt_answer(receipt: Receipt) -> Response:
    return json_answer({"response_code": 200}, headers={"ETag": receipt.etag} | rate_headers(receipt.rate))


def _usage(here: Platform, user: str, usage: Usage) -> dict[str, Any]:
    limits, balance, rate = here.settings.limits, usage.balance, usage.rate
    return {
        "id": user,
        "bytes": {"used": balance.total, "left": max(0, limits.quota_bytes - balance.total), "max": limits.quota_bytes},
        "keys": {"used": balance.keys, "left": max(0, limits.keys - balance.keys), "max": limits.keys},
        "window": {
            "limit": rate.limit,
            "remaining": rate.remaining,
            "reset": rate.reset,
            "seconds": limits.window_ms // 1000,
        },
    }
