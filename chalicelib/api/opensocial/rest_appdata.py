"""Persistent data in OpenSocial's REST protocol 0.8: `/os/0.8/appdata/{guid}/{selector}/{app}`.

It requires a user's token with the scope `mixi_apps2`, or an app's OAuth 1.0a signature. core/opensocial.py decides
whose data may be read, as for `/rpc`; limits, refusals and their order are those of the Persistence API.
Sources: the RESTful API pages and their clients, Information Sharing, and docs/internals/decisions.md.
"""

from functools import partial

from chalice.app import Request, Response

from chalicelib.api.opensocial.shared import data_of
from chalicelib.core import conditions, opensocial
from chalicelib.core.appdata import check_pairs, deleted_keys
from chalicelib.core.conditions import Conditions
from chalicelib.core.model.access import Access
from chalicelib.core.opensocial import OpenSocialGroup, full_id
from chalicelib.core.paging import Paging
from chalicelib.platform import Platform
from chalicelib.store.appdata.appdata import Receipt
from chalicelib.web import atom
from chalicelib.web.face import Face, Token
from chalicelib.web.json_answers import carried, data_answer, json_answer, rate_headers, unchanged_answer
from chalicelib.web.requests import (
    asked_format,
    check_format,
    header_list,
    names_in_body,
    other_parameters,
    pairs_body,
    parameters,
)

PATH = "/os/0.8/appdata/{guid}/{selector}/{app}"


face = Face()
route = partial(face.route, PATH, token=Token.USER, scope="mixi_apps2", signed=True, also_in="st")


@route(methods=["GET"])
def read(here: Platform, request: Request, access: Access, guid: str, selector: str, app: str) -> Response:
    """Read the values of the user (`@me/@self/@app`), of any user with the app installed, or of friends (`@friends`).

    `guid` is as for people; `fields` names keys, comma-separated, by default every key. Answers
    `{"entry": {"mixi.jp:<id>": {key: value}}}`; the user's own values have an `ETag` and honour `If-None-Match`.
    With `format=atom`, the answer is an entry, or a feed with an entry for each user.
    """
    viewer = access.user
    name, form = asked_format(request, app, ("json", "atom"))
    selection = opensocial.select_data(guid, selector, name, access)
    keys = opensocial.data_keys(_fields(request), here.settings.limits)
    single = selection.group is OpenSocialGroup.SELF and not selection.several
    whose = selection.users[0] if single else viewer
    headers: dict[str, str] = {}
    if single and selection.users == (viewer,):
        reading = here.appdata.read(access.app, viewer, keys, _conditions(request))
        if reading.data is None:
            return unchanged_answer(reading.etag)
        data, headers = {viewer: reading.data}, {"ETag": reading.etag}
    else:
        data = data_of(here, access, selection, keys)
    if form == "atom":
        uri = atom.address(here.settings.issuer, "os", "0.8", "appdata", guid, selector, name)
        return carried(_atom(data, uri, here.clock(), headers, single=single), here.oversized_answers.keeper(whose))
    entry = {full_id(user): values for user, values in data.items()}
    return data_answer({"entry": entry}, headers, here.oversized_answers.keeper(whose))


@route(methods=["POST", "PUT"])
def write(here: Platform, request: Request, access: Access, guid: str, selector: str, app: str) -> Response:
    """Store the pairs of a flat JSON object in `@me/@self/@app`, all or none; other keys stay.

    Both methods merge. Pairs, conditions and limits are those of the Persistence API. Answers `{}`.
    """
    viewer = opensocial.check_writable(guid, selector, check_format(request, app), access)
    pairs = check_pairs(pairs_body(request), here.settings.limits)
    demands, events = _conditions(request), here.data_events(access)
    return _receipt_answer(here.appdata.write(access.app, viewer, pairs, demands, events))


@route(methods=["DELETE"])
def delete(here: Platform, request: Request, access: Access, guid: str, selector: str, app: str) -> Response:
    """Delete the keys that `fields` names (at most 99) from `@me/@self/@app`, or every key. Answers `{}`.

    Every key is requested as in the Persistence API.
    """
    viewer = opensocial.check_writable(guid, selector, check_format(request, app), access)
    others, in_body = other_parameters(request, "fields"), names_in_body(request)
    keys = deleted_keys(_fields(request), others, here.settings.limits, names_in_body=in_body)
    demands, events = _conditions(request), here.data_events(access)
    if keys is None:
        return _receipt_answer(here.appdata.clear(access.app, viewer, demands, events))
    return _receipt_answer(here.appdata.write(access.app, viewer, dict.fromkeys(keys), demands, events))


def _fields(request: Request) -> str:
    return ",".join(parameters(request, "fields"))


def _conditions(request: Request) -> Conditions:
    return conditions.parse(header_list(request, "if-match"), header_list(request, "if-none-match"))


def _receipt_answer(receipt: Receipt) -> Response:
    # Old libraries expect an object as the body; with any other JSON they fail after the data were stored.
    return json_answer({}, headers={"ETag": receipt.etag} | rate_headers(receipt.rate))


def _atom(data: dict[str, dict[str, str]], uri: str, now: int, headers: dict[str, str], *, single: bool) -> Response:
    made = [atom.AtomEntry(full_id(user), user, atom.appdata(values)) for user, values in data.items()]
    if single:
        return atom.entry_answer(made[0], now, headers)
    return atom.feed_answer(made, Paging().counters(len(made), len(made)), uri=uri, title="Data", now=now)
