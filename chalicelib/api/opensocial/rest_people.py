"""People in OpenSocial's REST protocol 0.8: `/os/0.8/people/{guid}/{selector}`.

It requires a user's token with the scope `r_profile`, or an app's OAuth 1.0a signature. core/opensocial.py decides
which users a request may name and which data it gets, as for `/rpc`. Refusals come in this order: signature or token,
scopes, format, selector, parameters, permission. Sources: the RESTful API pages and their clients, and
docs/internals/decisions.md.
"""

from typing import Any

from chalice.app import Request, Response

from chalicelib.api.opensocial.shared import people_of
from chalicelib.core import opensocial
from chalicelib.core.model.access import Access
from chalicelib.core.opensocial import OpenSocialGroup, full_id
from chalicelib.core.people import SCOPE
from chalicelib.platform import Platform
from chalicelib.web import atom
from chalicelib.web.face import Face, Token
from chalicelib.web.json_answers import carried, data_answer
from chalicelib.web.requests import asked_format, last_parameter, parameters

PATH = "/os/0.8/people/{guid}/{selector}"


face = Face()


@face.route(PATH, methods=["GET"], token=Token.USER, scope=SCOPE, signed=True, also_in="st")
def read(here: Platform, request: Request, access: Access, guid: str, selector: str) -> Response:
    """Read the user (`@me/@self`), any user with the app installed (`{id}/@self`), or friends (`@friends`, `@all`).

    `guid` is `@me`, `@owner`, an id (plain or as `mixi.jp:<id>`), or several, comma-separated. `fields` and, for
    friends, `startIndex`, `count`, `filterBy`, `sortBy` are as in `/2/people`. Answers `{"entry": …, "startIndex": …,
    "totalResults": …}`, with `isViewer`, `isOwner` and `hasApp` as strings; with `format=atom`, an entry or a feed.
    """
    wanted = opensocial.person_fields(",".join(parameters(request, "fields")), access.scopes)
    group, form = asked_format(request, selector, ("json", "atom"))
    selection = opensocial.select_people(guid, group, access)
    query = opensocial.person_query(lambda name: last_parameter(request, name))
    found = people_of(here, access, selection, query, wanted)
    entries = [_spelled(entry) for entry in found.entries]
    single = selection.group is OpenSocialGroup.SELF and not selection.several
    if form == "atom":
        made = [_atom_entry(entry) for entry in entries]
        if single:
            return atom.entry_answer(made[0], here.clock())
        uri = atom.address(here.settings.issuer, "os", "0.8", "people", guid, group)
        answer = atom.feed_answer(made, found.counters, uri=uri, title="People", now=here.clock())
        return carried(answer, here.oversized_answers.keeper(access.user))
    counters = {name: found.counters[name] for name in ("startIndex", "totalResults")}
    return data_answer(
        {"entry": entries[0] if single else entries, **counters}, {}, here.oversized_answers.keeper(access.user)
    )


def _spelled(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry with booleans as the strings `true` and `false`, as in this protocol."""
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in entry.items()}


def _atom_entry(entry: dict[str, Any]) -> atom.AtomEntry:
    return atom.AtomEntry(full_id(entry["id"]), entry.get("displayName", entry["id"]), atom.person(entry))
