"""The People API: `/2/people/{user}/{group}`, the profiles that an app may show.

It requires a user's token with the scope `r_profile`; some fields require a scope of their own. Refusals come in this
order: token, scopes, format, selector, parameters, permission. Sources: the remains of the People API page, its
clients, and docs/internals/decisions.md.
"""

from chalice.app import Request, Response

from chalicelib.core.model.access import Access
from chalicelib.core.paging import Paging
from chalicelib.core.people import SCOPE, PeopleGroup, asked_fields, read_query, select, view
from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.json_answers import data_answer
from chalicelib.web.requests import check_format, last_parameter, parameters

PATH = "/2/people/{user}/{group}"


face = Face()


@face.route(PATH, methods=["GET"], token=Token.USER, scope=SCOPE)
def read(here: Platform, request: Request, access: Access, user: str, group: str) -> Response:
    """Read the user (`@me/@self`), a friend (`{id}/@self`) or all friends (`@me/@friends`).

    `fields` names fields, comma-separated; `@all` is every field whose scope the token has. The default is `id`,
    `displayName`, `thumbnailUrl`, `profileUrl`. For friends: `startIndex`, `count` (default 20, at most 1000),
    `sortBy` (`id`, `affinity`, `displayName`), `sortOrder` (`ascending`, `descending`), `filterBy` (`hasApp`, or
    `pageId` with `filterValue`). Answers `{"entry": …, "startIndex": …, "itemsPerPage": …, "totalResults": …}`;
    `entry` is an object for `@self`, a list for `@friends`. Data that the permission model withholds are absent.
    """
    viewer = access.user
    owner = access.owner or viewer
    fields = asked_fields(",".join(parameters(request, "fields")), access.scopes)
    target, wanted = select(user, check_format(request, group), viewer)
    query = read_query(lambda name: last_parameter(request, name))
    if wanted is PeopleGroup.SELF:
        found = here.people.one(access.app, owner, viewer, target)
    else:
        found = here.people.friends(access.app, owner, viewer, query)
    strict = here.settings.strict_profiles
    entries = [view(person, fields, found.running, strict=strict) for person in found.people]
    if wanted is PeopleGroup.SELF:
        return data_answer({"entry": entries[0], **Paging().counters(1, 1)}, {}, here.oversized_answers.keeper(viewer))
    counters = query.paging.counters(len(entries), found.total)
    return data_answer({"entry": entries, **counters}, {}, here.oversized_answers.keeper(viewer))
