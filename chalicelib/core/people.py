"""The rules of the People API: the fields of a person and their scopes, selectors, filters and order.

Sources: the heads of the People API page and its clients (fields, scopes, parameters), the page Available Information
(fields of the user's information and of the profile information), and docs/internals/decisions.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Any

from chalicelib.core.errors import InsufficientScope, ParameterInvalid, PermissionDenied
from chalicelib.core.ids import is_id
from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import PROFILE_FIELDS, Publication
from chalicelib.core.paging import Paging, one_of, paging
from chalicelib.core.permission import (
    AppRun,
    Closeness,
    may_obtain_information,
    may_obtain_profile,
    may_see,
    status,
)

SCOPE = "r_profile"
THUMBNAIL_PIXELS = 76
"""The width and height to show a picture in, as in the original API. The server knows only the picture's URL."""
MOST_PEOPLE = 1000
"""The maximum of `count`. It equals the maximum number of friends."""
_ME = "@me"
_ALL = frozenset({"*", "@all"})

FieldValue = str | int | list[dict[str, str | int]] | None


class PeopleGroup(Enum):
    """The Group-IDs in the path of the People API."""

    SELF = "@self"
    FRIENDS = "@friends"


class PeopleFilter(Enum):
    """The filters for friends (`filterBy`)."""

    HAS_APP = "hasApp"
    """Friends who have installed the app."""
    PAGE = "pageId"
    """Friends who follow the page that `filterValue` names."""


@dataclass(frozen=True)
class PersonField:
    """One field of a person: its value, the scope it needs besides `r_profile`, and the setting that publishes it.

    A field without a `setting` is the user's information. A field with one is the user's profile information.
    """

    value: Callable[[User], FieldValue]
    scope: str | None = None
    setting: str | None = None


def _thumbnails(user: User) -> FieldValue:
    if not user.thumbnail_url:
        return []
    url, pixels = user.thumbnail_url, THUMBNAIL_PIXELS
    return [{"value": url, "url": url, "width": pixels, "height": pixels}]


FIELDS: Mapping[str, PersonField] = {
    "id": PersonField(attrgetter("id")),
    "displayName": PersonField(attrgetter("display_name")),
    "thumbnailUrl": PersonField(attrgetter("thumbnail_url")),
    "profileUrl": PersonField(attrgetter("profile_url")),
    "thumbnailDetails": PersonField(_thumbnails),
    "bloodType": PersonField(attrgetter("blood_type"), scope="r_profile_blood_type"),
    "address": PersonField(attrgetter("address"), scope="r_profile_location", setting="address"),
    "location": PersonField(attrgetter("address"), scope="r_profile_location", setting="address"),
    "birthday": PersonField(attrgetter("birthday"), scope="r_profile_birthday", setting="birthday"),
    "age": PersonField(attrgetter("age"), scope="r_profile_birthday", setting="age"),
    "gender": PersonField(attrgetter("gender"), scope="r_profile_gender", setting="gender"),
}
"""Every field, in the order of a response."""
DEFAULT_FIELDS = ("id", "displayName", "thumbnailUrl", "profileUrl")


@dataclass(frozen=True)
class Person:
    """A user, and whether the user has installed the app."""

    user: User
    installed: bool


@dataclass(frozen=True)
class Query:
    """The query of a list of friends. `page` is the page that friends must follow, if the filter is PAGE."""

    paging: Paging
    by_name: bool
    descending: bool
    filter: PeopleFilter | None
    page: str | None

    def arranged(self, names: Mapping[str, str]) -> list[str]:
        """Return the user ids (the keys of `names`) in the requested order: by id, or by name and then id."""
        if self.by_name:
            return sorted(names, key=lambda user: (names[user].casefold(), user), reverse=self.descending)
        return sorted(names, reverse=self.descending)


def select(user: str, group: str, viewer: str) -> tuple[str, PeopleGroup]:
    """Read the selectors of `/2/people/{user}/{group}`; return a user id and a group.

    The viewer's own id equals `@me`. Raises PermissionDenied for an unknown group, for another user's `@friends`, and
    for a text that cannot be a user's id (the same error as for an id that does not exist).
    """
    target = viewer if user == _ME else user
    try:
        wanted = PeopleGroup(group)
    except ValueError:
        raise PermissionDenied from None
    if target != viewer and not is_id("user", target):
        raise PermissionDenied
    if wanted is PeopleGroup.FRIENDS and target != viewer:
        raise PermissionDenied
    return target, wanted


def asked_fields(text: str, scopes: Iterable[str], known: Mapping[str, PersonField] = FIELDS) -> tuple[str, ...]:
    """Return the fields of `known` that `text` requests and the scopes allow, in order; `id` is always included.

    An empty text means the default fields. `*` or `@all` in it means every field that the scopes allow. Unknown names
    are ignored. Raises InsufficientScope if the scope of a named field is missing.
    """
    names = frozenset(name for name in text.split(",") if name) or frozenset(DEFAULT_FIELDS)
    held = frozenset(scopes)
    opened = {name for name, field in known.items() if field.scope is None or field.scope in held}
    for name, field in known.items():
        if name in names and name not in opened:
            raise InsufficientScope(field.scope or SCOPE)
    wanted = opened if names & _ALL else opened & names | {"id"}
    return tuple(name for name in known if name in wanted)


def read_query(parameter: Callable[[str], str | None]) -> Query:
    """Return the query from `parameter`, a function of names (None: absent). Raises ParameterInvalid for a wrong value.

    An empty `sortBy`, `sortOrder` or `filterBy` counts as absent.
    """
    part = paging(parameter("startIndex"), parameter("count"), most=MOST_PEOPLE)
    # The server does not know how close friends are, so `affinity` sorts by id.
    sort_by = one_of("sortBy", parameter("sortBy"), ("id", "displayName", "affinity"))
    order = one_of("sortOrder", parameter("sortOrder"), ("ascending", "descending"))
    chosen = one_of("filterBy", parameter("filterBy"), [each.value for each in PeopleFilter])
    page = parameter("filterValue") if chosen == PeopleFilter.PAGE.value else None
    if chosen == PeopleFilter.PAGE.value and not (page and is_id("page", page)):
        raise ParameterInvalid("filterValue must be the id of a page")
    return Query(
        paging=part,
        by_name=sort_by == "displayName",
        descending=order == "descending",
        filter=PeopleFilter(chosen) if chosen else None,
        page=page,
    )


def shown_profile(user: User, closeness: Closeness) -> dict[str, str]:
    """Return the fields of a profile that a person of this closeness may see on its page, by name, without empty ones.

    The publication settings alone decide it; `visible` and strict visibility are about apps.
    """
    values = {name: getattr(user, name) for name in PROFILE_FIELDS}
    return {
        name: str(value)
        for name, value in values.items()
        if value not in (None, "") and may_see(user.publication[name], closeness)
    }


def is_obtainable(person: Person, running: AppRun) -> bool:
    """Return whether the app may read a person at all; if not, the response omits the person."""
    whose = running.whose(person.user.id)
    return may_obtain_information(
        whose, status(person.installed), visible=person.user.visible, viewer_installed=running.viewer_installed
    )


def depends_on_friends_of_friends(person: Person, running: AppRun) -> bool:
    """Return whether strict profile visibility depends on a person being a friend of a friend of the viewer."""
    published = person.user.publication.values()
    return running.closeness(person.user.id) is Closeness.STRANGER and Publication.FRIENDS_OF_FRIENDS in published


def view(
    person: Person, fields: Iterable[str], running: AppRun, *, strict: bool, known: Mapping[str, PersonField] = FIELDS
) -> dict[str, Any]:
    """Return a person's entry: the fields that have a value and that the permission model allows.

    The app may read the person (`is_obtainable`). `strict` is the profile visibility of that name. `known` has the
    fields by name.
    """
    user = person.user
    whose = running.whose(user.id)
    closeness = running.closeness(user.id) if strict else None

    def may(field: PersonField) -> bool:
        if field.setting is None:
            return True
        published = user.publication[field.setting]
        return may_obtain_profile(
            whose,
            status(person.installed),
            published,
            visible=user.visible,
            viewer_installed=running.viewer_installed,
            closeness=closeness,
        )

    values = {name: known[name].value(user) for name in fields if may(known[name])}
    return {name: value for name, value in values.items() if value is not None}


def as_seen(user: User, *, by_friend: bool, strict: bool) -> dict[str, Any]:
    """Return what an app that the user has installed gets of them, opened by a friend or by a stranger.

    The app has every scope, and the other person has installed it, too. `strict` is the profile visibility of that
    name. The people and the app of this view are not stored anywhere.
    """
    friends = frozenset({user.id}) if by_friend else frozenset()
    running = AppRun.own("", installed=True, friends=friends)
    person = Person(user, installed=True)
    return view(person, FIELDS, running, strict=strict) if is_obtainable(person, running) else {}
