"""What `/rpc` and `/os/0.8` do alike once they have read a request (core/opensocial.py): ask the stores, shape people.

The permission matrices decide row by row, also where the viewer has not installed the app. One user who is named and
may not be had is a refusal; of several, and of friends, those who may not be had are absent.
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
    """People as entries, and the counters of the list that they are a part of."""

    entries: list[dict[str, Any]]
    counters: dict[str, Any]


def data_of(
    here: Platform, access: Access, selection: OpenSocialSelection, keys: frozenset[str] | None
) -> dict[str, dict[str, str]]:
    """Each user's data. Friends without any are absent; a user who is named has an entry, though it may be empty.

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
    """The people of a selection. Those who are named come all, in the order named, whatever the query says.

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
