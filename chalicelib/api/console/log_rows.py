"""Entries of the action log as the console shows them: in words, with the names of people, apps and pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.api.console.overview import REQUESTS
from chalicelib.api.log_of_actions import PLATFORM
from chalicelib.api.shown_posts import post_query
from chalicelib.api.visit import Visit
from chalicelib.core.actions import CLI, OPERATOR_TOKEN, LoggedAction, Outcome
from chalicelib.core.dates import w3cdtf
from chalicelib.core.moderation import Post
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.web.html.texts import is_known
from chalicelib.web.json_answers import encode

_PLACES: Mapping[str, str] = {"page": "/console/pages/", "user": "/console/users/", "app": "/console/apps/"}
"""The pages about the actors and targets of each sort, such as `user`."""
Names = Mapping[str, str]
"""The names of those actors and targets that exist, by `user:…`, `app:…` and `page:…`."""


@dataclass(frozen=True)
class Subject:
    """An actor or a target: `name` is "" if it has none, and `link` is None if there is no page about it."""

    text: str
    name: str = ""
    link: str | None = None


@dataclass(frozen=True)
class Row:
    """An entry as the page shows it. `request_link` is None if the request has no record, since it succeeded."""

    time: str
    date: str
    who: Subject
    kind: str
    what: Subject
    reason: str
    before: str
    after: str
    outcome: str | None
    request: str
    request_link: str | None


def shown_rows(visit: Visit, found: Sequence[LoggedAction]) -> list[Row]:
    """Return the rows of these entries; the names are read in parallel calls."""
    names = _names(visit, found)
    return [_row(visit, each, names) for each in found]


def kind_words(visit: Visit, kind: str) -> str:
    """Return a kind in words; one of another version as it is."""
    noun, _, verb = kind.partition(".")
    name = f"log_verb_{verb}"
    if not is_known(name) or not is_known(f"log_noun_{noun.replace('-', '_')}"):
        return kind
    return visit.word("log_of_kind", noun=noun_words(visit, noun), verb=visit.word(name))


def noun_words(visit: Visit, noun: str) -> str:
    """Return the first part of a kind in words."""
    return visit.word(f"log_noun_{noun.replace('-', '_')}")


def _names(visit: Visit, found: Sequence[LoggedAction]) -> Names:
    here = visit.here
    ids: dict[str, list[str]] = {sort: [] for sort in _PLACES}
    for each in (subject for action in found for subject in (action.actor, action.target)):
        sort, id = _parts(each)
        if id and sort in ids:
            ids[sort].append(id)
    users, apps, pages = {*ids["user"]}, {*ids["app"]}, {*ids["page"]}
    named: list[Names] = side_by_side(
        [
            lambda: {f"user:{id}": user.display_name for id, user in here.users.get_many(users).items()},
            lambda: {f"app:{id}": app.name for id, app in here.apps.get_many(apps).items()},
            lambda: {f"page:{id}": page.name for id, page in here.pages.get_many(pages).items()},
        ]
    )
    return {subject: name for part in named for subject, name in part.items()}


def _row(visit: Visit, action: LoggedAction, names: Names) -> Row:
    told = w3cdtf(action.at, visit.here.settings.utc_offset)
    is_done = action.outcome is Outcome.DONE
    return Row(
        time=told[:19].replace("T", " "),
        date=told,
        who=_subject(visit, action.actor, names),
        kind=kind_words(visit, action.kind),
        what=_target(visit, action, names),
        reason=action.reason,
        before=_words(action.before),
        after=_words(action.after),
        outcome=None if is_done else visit.word(f"log_outcome_{action.outcome.value}"),
        request=action.request,
        request_link=None if is_done else f"{visit.here.site.path}{REQUESTS}?{urlencode({'id': action.request})}",
    )


def _target(visit: Visit, action: LoggedAction, names: Names) -> Subject:
    """Return the target of an action; a post that was not deleted leads to its moderation."""
    if action.target == PLATFORM:
        return Subject(visit.word("log_platform"))
    shown = _subject(visit, action.target, names)
    parts = dict(part.partition(":")[::2] for part in action.target.split("/"))
    if shown.link is None or "feed" not in parts or action.kind.endswith(".deleted"):
        return shown
    query = post_query(Post(parts["page"], parts["feed"], parts.get("comment")))
    return Subject(shown.text, shown.name, f"{visit.here.site.path}/console/moderation/post?{query}")


def _subject(visit: Visit, subject: str, names: Names) -> Subject:
    """Return an actor or a target with the link to its page; without one if it is gone."""
    sort, id = _parts(subject)
    if name := names.get(f"{sort}:{id}"):
        return Subject(subject, name, f"{visit.here.site.path}{_PLACES[sort]}{quote(id, safe='')}")
    if sort in (CLI, OPERATOR_TOKEN):
        return Subject(f"{visit.word('log_actor_cli' if sort == CLI else 'log_actor_token')} ({id})")
    return Subject(subject)


def _parts(subject: str) -> tuple[str, str]:
    """Return the sort and the id of an actor or a target."""
    sort, _, id = subject.partition("/")[0].partition(":")
    return sort, id


def _words(values: Mapping[str, Any]) -> str:
    texts = {name: _text(each) for name, each in values.items()}
    return "\n".join(f"{name}: {text}" for name, text in texts.items())


def _text(value: Any) -> str:
    if value is None:
        return "—"
    return value if isinstance(value, str) else encode(value)
