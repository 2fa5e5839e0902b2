"""The action log in the console: `/console/log`, and as a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlencode

from chalice.app import Response

from chalicelib.api.console.frame import console_route
from chalicelib.api.console.overview import REQUESTS
from chalicelib.api.log_list import FILES, LONGEST, file_answer
from chalicelib.api.visit import Visit
from chalicelib.core.actions import CLI, ActionFilter, ActionKind, LoggedAction
from chalicelib.core.dates import LATEST, w3cdtf
from chalicelib.core.errors import NotFound, ParameterInvalid
from chalicelib.core.roles import Action
from chalicelib.web.face import Face
from chalicelib.web.html.texts import is_known
from chalicelib.web.json_answers import encode
from chalicelib.web.requests import last_parameter

face = Face()

LOG = "/console/log"
FILE = "/console/log/file"
COUNT = 20
_TEXTS = ("actor", "target", "kind")
_DATES = ("from", "to")
_PLACES: Mapping[str, str] = {"page": "/pages/", "user": "/console/users/"}
"""The pages about the actors and targets of each sort, such as `user`."""


@dataclass(frozen=True)
class Row:
    """An entry as the page shows it. `who` and `what` are texts with links; None: there is no page about it."""

    time: str
    date: str
    who: str
    who_link: str | None
    kind: str
    what: str
    what_link: str | None
    reason: str
    before: str
    after: str
    outcome: str | None
    request: str
    request_link: str


@console_route(face, LOG, action=Action.SEE_LOG)
def show(visit: Visit) -> Response:
    """Show logged actions, the newest first, by `actor`, `target`, `kind`, and from the day `from` up to `to`."""
    given = {name: (last_parameter(visit.request, name) or "").strip() for name in (*_TEXTS, *_DATES)}
    wanted, errors = _filter(visit, given)
    problem, rows, following = None, list[Row](), None
    cursor = last_parameter(visit.request, "cursor")
    if wanted:
        try:
            found, following = visit.here.action_log.part(wanted, cursor, COUNT)
        except ParameterInvalid:
            problem, cursor = visit.word("log_wrong_cursor"), None
            found, following = visit.here.action_log.part(wanted, None, COUNT)
        rows = [_row(visit, each) for each in found]
    chosen = {name: text for name, text in given.items() if text}
    base = visit.here.site.path
    return visit.page(
        "console/log",
        status=400 if errors or problem else 200,
        problem=problem,
        given=given,
        errors=errors,
        kinds=_kinds(visit),
        rows=rows,
        is_end=following is None,
        is_narrow=bool(chosen or errors),
        days=f"{visit.here.settings.log_days:,}",
        offset=_offset(visit),
        action=base + LOG,
        files={form: f"{base}{FILE}?{urlencode({**chosen, 'format': form})}" for form in FILES},
        first=f"{base}{LOG}?{urlencode(chosen)}" if cursor else None,
        following=f"{base}{LOG}?{urlencode({**chosen, 'cursor': following})}" if following else None,
    )


@console_route(face, FILE, action=Action.SEE_LOG)
def download(visit: Visit) -> Response:
    """Send at most 1,000 logged actions as a file: the same filters, and `format`, which is `csv` or `jsonl`."""
    form = last_parameter(visit.request, "format")
    given = {name: (last_parameter(visit.request, name) or "").strip() for name in (*_TEXTS, *_DATES)}
    wanted, _ = _filter(visit, given)
    if form not in FILES or wanted is None:
        raise NotFound
    return file_answer(visit.here, None, wanted, form, None)


def _filter(visit: Visit, given: Mapping[str, str]) -> tuple[ActionFilter | None, dict[str, str]]:
    """Return the filter, or None and what is wrong with each field."""
    errors = {name: visit.word("log_too_long") for name in _TEXTS if len(given[name]) > LONGEST}
    days: dict[str, int] = {}
    for name in _DATES:
        try:
            days[name] = _day(given[name], visit.here.settings.utc_offset, name == "to")
        except ValueError:
            errors[name] = visit.word("log_wrong_date")
    if errors:
        return None, errors
    return ActionFilter(days["from"], days["to"], given["actor"], given["target"], given["kind"]), {}


def _day(text: str, offset: int, is_end: bool) -> int:
    """Return when a day begins, or with `is_end` when it is over (ms). Raises ValueError."""
    if not text:
        return LATEST if is_end else 0
    if len(text) != len("2026-04-01"):
        raise ValueError
    day = date.fromisoformat(text)
    begin = datetime(day.year, day.month, day.day, tzinfo=timezone(timedelta(minutes=offset)))
    milliseconds = (begin - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return max(0, milliseconds + (86_400_000 if is_end else 0))


def _row(visit: Visit, action: LoggedAction) -> Row:
    known = action.outcome.value
    told = w3cdtf(action.at, visit.here.settings.utc_offset)
    return Row(
        time=told[:19].replace("T", " "),
        date=told,
        who=_actor(visit, action.actor),
        who_link=_link(visit, action.actor),
        kind=_kind(visit, action.kind),
        what=visit.word("log_platform") if action.target == "platform" else action.target,
        what_link=_link(visit, action.target),
        reason=action.reason,
        before=_words(action.before),
        after=_words(action.after),
        outcome=None if known == "done" else visit.word(f"log_outcome_{known}"),
        request=action.request,
        request_link=f"{visit.here.site.path}{REQUESTS}?{urlencode({'id': action.request})}",
    )


def _actor(visit: Visit, actor: str) -> str:
    sort, _, name = actor.partition(":")
    if sort == "user":
        return actor
    return f"{visit.word('log_actor_cli' if sort == CLI else 'log_actor_token')} ({name})"


def _link(visit: Visit, name: str) -> str | None:
    """Return the path of the page about an actor or a target, or None."""
    sort, _, id = name.partition("/")[0].partition(":")
    return f"{visit.here.site.path}{_PLACES[sort]}{quote(id, safe='')}" if id and sort in _PLACES else None


def _kinds(visit: Visit) -> list[tuple[str, str]]:
    """Return the choices of kinds, each noun for itself and with each verb, by their texts."""
    nouns = {each.value.partition(".")[0] for each in ActionKind}
    every = [(noun, _noun(visit, noun)) for noun in nouns] + [
        (each.value, _kind(visit, each.value)) for each in ActionKind
    ]
    return [("", visit.word("log_kind_all")), *sorted(every, key=lambda each: each[1])]


def _kind(visit: Visit, kind: str) -> str:
    """Return a kind in words; one of another version as it is."""
    noun, _, verb = kind.partition(".")
    name = f"log_verb_{verb}"
    if not is_known(name) or not is_known(f"log_noun_{noun.replace('-', '_')}"):
        return kind
    return visit.word("log_of_kind", noun=_noun(visit, noun), verb=visit.word(name))


def _noun(visit: Visit, noun: str) -> str:
    return visit.word(f"log_noun_{noun.replace('-', '_')}")


def _words(values: Mapping[str, Any]) -> str:
    texts = {name: each if isinstance(each, str) else encode(each) for name, each in values.items()}
    return "\n".join(f"{name}: {text}" for name, text in texts.items())


def _offset(visit: Visit) -> str:
    return w3cdtf(0, visit.here.settings.utc_offset)[19:]
