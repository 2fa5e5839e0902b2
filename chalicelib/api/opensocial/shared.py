"""The common steps of `/rpc` and `/os/0.8` after a request is read (core/opensocial.py): query stores, format people.

The permission matrices decide row by row, even if the viewer has not installed the app. A request for one named user is
refused if this user may not be read; of several named users and of friends, those who may not be read are absent.
"""

from dataclasses import dataclass
from typing import Any

from chalicelib.core.errors import PermissionDenied
from chalicelib.core.model.access import Access
from chalicelib.core.opensocial import OpenSocialGroup, OpenSocialSelection, RequestedFields, owner_of, person
from chalicelib.core.paging import Paging
from chalicelib.core.people import Query
from chalicelib.platform import Platform


@dataclass(frozen=True)
class PeopleList:
    """People as entries, and the counters of the list that they belong to."""

    entries: list[dict[str, Any]]
    counters: dict[str, Any]


def data_of(
    here: Platform, access: Access, selection: OpenSocialSelection, keys: frozenset[str] | None
) -> dict[str, dict[str, str]]:
    """Return each user's data. Friends without data are absent; a named user has an entry, which may be empty.

    Raises PermissionDenied, TooLarge and Unavailable.
    """
    if selection.group is OpenSocialGroup.FRIENDS:
        of = selection.users[0]
        return dict(here.appdata.read_friends(access.app, access.user, keys, owner=owner_of(access), of=of))
    found = here.appdata.read_named(access.app, access.user, selection.users, keys)
    if not found and not selection.several:
        raise PermissionDenied
    return found


def people_of(
    here: Platform, access: Access, selection: OpenSocialSelection, query: Query, wanted: RequestedFields
) -> PeopleList:
    """Return the people of a selection. Named users come in the order named; the query is ignored for them.

    Raises PermissionDenied and Unavailable.
    """
    app, owner, viewer = access.app, owner_of(access), access.user
    strict = here.settings.strict_profiles and wanted.profile
    if selection.group is OpenSocialGroup.FRIENDS:
        part = query.paging
        found = here.people.friends(app, owner, viewer, query, of=selection.users[0], strict=strict)
    else:
        part = Paging()
        found = here.people.named(app, owner, viewer, selection.users, strict=strict)
        if not found.people and not selection.several:
            raise PermissionDenied
    entries = [person(each, wanted, found.running, strict=strict) for each in found.people]
    return PeopleList(entries, part.counters(len(entries), found.total))
