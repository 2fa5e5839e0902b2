"""The rules of Information Sharing, shared by `/rpc` and `/os/0.8`: the users and fields that a request names.

Both faces read a request in the same way. Only the form of the request differs:

    selection = select_data(users, group, app, access)   # or select_people, or check_writable
    keys = data_keys(fields, limits)                     # or person_fields(fields, access.scopes)

Values are passed as they are in JSON or in a path: None means absent, and a string may be a comma-separated list. A
value of another type raises BadRequest. The stores then decide which of the named users the app may read
(AppData.read_named, AppData.read_friends, People.named, People.friends), and `person` builds an entry. Sources: the
page Information Sharing (selectors, 400 and 403), Available Information, OpenSocial's JSON-RPC and REST protocols, and
docs/internals/decisions.md.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from chalicelib.core import people
from chalicelib.core.appdata import ALL, LOST, check_keys, deletion, named_keys
from chalicelib.core.errors import BadRequest, ParameterInvalid, PermissionDenied
from chalicelib.core.ids import is_id
from chalicelib.core.limits import Limits
from chalicelib.core.model.access import Access
from chalicelib.core.model.directory import User
from chalicelib.core.people import Person, PersonField, Query
from chalicelib.core.permission import AppRun
from chalicelib.core.ranking import RankingQuery, read_query

MOST_IDS = 100
"""The maximum number of users in one request."""
PREFIX = "mixi.jp:"
"""The prefix of a user's id in its full form."""

# The form in Atom, and the form before June 2009, with 40 characters after the id.
_FULL_ID = re.compile(r"(?:urn:guid:)?mixi\.jp:(?P<id>[a-z0-9]{12})(?:[0-9A-Za-z]{40})?")


class OpenSocialGroup(Enum):
    """The groups of people."""

    SELF = "@self"
    FRIENDS = "@friends"
    ALL = "@all"
    """All people connected to a user: the friends. For people only, not for data."""


@dataclass(frozen=True)
class OpenSocialSelection:
    """The users that a request names: `users` themselves (SELF), or the friends of the one user in it (FRIENDS).

    `several` is True if the request named more than one user. Then the response omits users that the app may not read;
    a request for a single such user is refused. `users` are distinct, in the order of the request, without values that
    cannot be a user's id, and never empty.
    """

    users: tuple[str, ...]
    group: OpenSocialGroup
    several: bool


@dataclass(frozen=True)
class RequestedFields:
    """The requested fields of people: those in FIELDS (`common`), and OpenSocial's own fields (`own`)."""

    common: tuple[str, ...]
    own: tuple[str, ...]

    @property
    def profile(self) -> bool:
        """Whether a field is profile information. Only then does the profile visibility matter."""
        return any(FIELDS[name].setting for name in self.common)


def _addresses(user: User) -> people.FieldValue:
    # The unstructured address, under its names in OpenSocial 0.9 and 0.8.
    return [dict.fromkeys(("formatted", "unstructuredAddress"), user.address)] if user.address else None


FIELDS: Mapping[str, PersonField] = {
    **people.FIELDS,
    "addresses": replace(people.FIELDS["address"], value=_addresses),
    "dateOfBirth": people.FIELDS["birthday"],
}
"""The fields of a user: those in core/people.py, and OpenSocial's names for two of them."""

_OWN_FIELDS: Mapping[str, Callable[[Person, AppRun], str | bool | dict[str, str]]] = {
    "nickname": lambda person, running: person.user.display_name,
    "isViewer": lambda person, running: person.user.id == running.viewer,
    "isOwner": lambda person, running: person.user.id == running.owner,
    "hasApp": lambda person, running: person.installed,
    # Under its names in OpenSocial 1.0 and 0.8. There are no given and family names.
    "name": lambda person, running: dict.fromkeys(("formatted", "unstructured"), person.user.display_name),
}
# `name` is not a default: old libraries that get it look for its parts.
_OWN_DEFAULTS = tuple(name for name in _OWN_FIELDS if name != "name")


def owner_of(access: Access) -> str:
    """Return the owner of the running app. Raises PermissionDenied for an app's own token."""
    return access.owner or access.user


def select_data(users: object, group: object, app: object, access: Access) -> OpenSocialSelection:
    """Return the users whose data a read requests.

    `users` is `@me`, `@viewer`, `@owner`, an id in any of its forms, or a list of these. `group` is `@self` (default)
    or `@friends`. `app` is `@app` (default) or the app's own id. Raises ParameterInvalid (no users, too many users, or
    friends of several users), BadRequest (not a text) and PermissionDenied (another group, another app, no valid id).
    """
    if _text("appId", app, "@app") not in ("@app", access.app):
        raise PermissionDenied
    return _select(users, group, access, (OpenSocialGroup.SELF, OpenSocialGroup.FRIENDS))


def check_writable(users: object, group: object, app: object, access: Access) -> str:
    """Return the viewer's id if an update or deletion selects the viewer. Raises PermissionDenied otherwise."""
    selection = select_data(users, group, app, access)
    if selection != OpenSocialSelection((access.user,), OpenSocialGroup.SELF, several=False):
        raise PermissionDenied
    return access.user


def select_people(users: object, group: object, access: Access) -> OpenSocialSelection:
    """Return the people that a request selects, as `select_data` does; `@all` means the friends."""
    return _select(users, group, access, tuple(OpenSocialGroup))


def data_keys(fields: object, limits: Limits) -> frozenset[str] | None:
    """Return the keys that `fields` names; None means every key: `fields` is absent or empty, or has `*` or `@all`.

    Empty names are ignored in a comma-separated string, but are invalid keys in a list. Raises TooLarge for more names
    than one read may have, ParameterInvalid and BadRequest.
    """
    names = _texts("fields", fields)
    return None if not names or ALL & names.keys() else named_keys(names, limits, most=limits.read_keys)


def keys_to_delete(fields: object, keys: object, limits: Limits) -> frozenset[str] | None:
    """Return the keys that a deletion names, or None for every key: an empty list, or `*` or `@all` alone.

    `keys` is the name of `fields` in JavaScript. Raises ParameterInvalid if neither names a key, if they differ, if
    `*` is combined with other names, and for a name that cannot be a key. Raises TooLarge and BadRequest as `data_keys`
    does.
    """
    given = keys if fields is None else fields
    if given is None or keys not in (None, given):
        raise ParameterInvalid(LOST)
    names = _texts("fields", given)
    if isinstance(given, str):
        return deletion(given.split(","), limits)
    check_keys(names.keys() - ALL, limits)
    return deletion(names, limits) if names else None


def person_fields(fields: object, scopes: Iterable[str]) -> RequestedFields:
    """Return the fields that `fields` names and the scopes allow; by default, those that need no scope of their own.

    As in core/people.py, `id` is always included, and unknown names are ignored. Raises InsufficientScope if the scope
    of a named field is missing, and BadRequest.
    """
    names = _texts("fields", fields)
    if not names:
        return RequestedFields(people.DEFAULT_FIELDS, _OWN_DEFAULTS)
    every = bool(ALL & names.keys())
    # With `id`, which is always returned, so that a list of only own fields does not become an empty list.
    common = people.asked_fields(",".join([*names, "id"]), scopes, FIELDS)
    return RequestedFields(common, tuple(name for name in _OWN_FIELDS if every or name in names))


def person_query(parameter: Callable[[str], object]) -> Query:
    """Return the query from `parameter`, a function of names, as core/people.py reads it; JSON numbers are allowed.

    OpenSocial's words are also allowed: sorting by `topFriends` means by id, and by `name` or `nickname` means by
    display name. The filters `all` and `topFriends` have no effect. Raises ParameterInvalid and BadRequest.
    """

    def text(name: str) -> str | None:
        read = _parameter(parameter, name)
        return _WORDS.get(name, {}).get(read, read) or None

    return people.read_query(text)


def ranking_query(parameter: Callable[[str], object], limits: Limits) -> RankingQuery | None:
    """Return the ranking of data from `parameter`, as core/ranking.py reads it; JSON numbers and true are allowed."""
    return read_query(lambda name: _parameter(parameter, name) or None, limits)


def person(each: Person, wanted: RequestedFields, running: AppRun, *, strict: bool) -> dict[str, Any]:
    """Return the entry of a person whom the app may read. `strict` is the profile visibility of that name."""
    own = {name: _OWN_FIELDS[name](each, running) for name in wanted.own}
    return people.view(each, wanted.common, running, strict=strict, known=FIELDS) | own


def full_id(user: str) -> str:
    """Return a user's id in its full form, as in the data map of `/os/0.8`."""
    return PREFIX + user


def plain_id(name: str) -> str | None:
    """Return the plain form of an id in any form; None if `name` is not an id."""
    full = _FULL_ID.fullmatch(name)
    user = full["id"] if full else name
    return user if is_id("user", user) else None


_WORDS: Mapping[str, Mapping[str, str | None]] = {
    "sortBy": {"topFriends": None, "name": "displayName", "nickname": "displayName"},
    "filterBy": {"all": None, "topFriends": None},
}


def _select(users: object, group: object, access: Access, groups: Iterable[OpenSocialGroup]) -> OpenSocialSelection:
    named = _texts("userId", users)
    wanted = _text("groupId", group, OpenSocialGroup.SELF.value)
    if not named:
        raise ParameterInvalid("No user is named: userId is missing")
    if len(named) > MOST_IDS:
        raise ParameterInvalid(f"Too many users are named (max={MOST_IDS})")
    if wanted not in [each.value for each in groups]:
        raise PermissionDenied
    # Different names may mean the same user.
    distinct = dict.fromkeys(_id(name, access) for name in named)
    known = tuple(user for user in distinct if user is not None)
    if not known:
        raise PermissionDenied
    several = len(distinct) > 1
    if wanted == OpenSocialGroup.SELF.value:
        return OpenSocialSelection(known, OpenSocialGroup.SELF, several)
    if several:
        raise ParameterInvalid("Friends can be requested for one user at a time")
    return OpenSocialSelection(known, OpenSocialGroup.FRIENDS, several=False)


def _id(name: str, access: Access) -> str | None:
    """Return the id of the user that a selector names; None if it cannot be an id."""
    if name in ("@me", "@viewer"):
        return access.user
    if name == "@owner":
        return owner_of(access)
    return name if name == access.user else plain_id(name)


def _parameter(parameter: Callable[[str], object], name: str) -> str:
    """Return a parameter of a query as text; empty if it is absent. Raises BadRequest."""
    value = parameter(name)
    if name == "includeSelf" and isinstance(value, bool):
        value = str(value).lower()
    if name in ("startIndex", "count") and isinstance(value, int | float):
        # A larger number is out of range, and its conversion to text takes time.
        value = str(value) if abs(value) < 10**12 else "-"
    return _text(name, value, "")


def _text(name: str, value: object, default: str) -> str:
    if value is None:
        return default
    if not isinstance(value, str):
        raise BadRequest(f"{name} must be a string")
    return value or default


def _texts(name: str, value: object) -> dict[str, None]:
    """Return the distinct strings of a list, or of a comma-separated string, in order."""
    if value is None:
        return {}
    if isinstance(value, str):
        return dict.fromkeys(each for each in value.split(",") if each)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise BadRequest(f"{name} must be a string or a list of strings")
    return dict.fromkeys(value)
