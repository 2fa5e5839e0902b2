"""The action log in the console: `/console/log`, and as a file."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import urlencode

from chalice.app import Request, Response

from chalicelib.api.console.frame import console_route
from chalicelib.api.console.log_rows import Row, kind_words, noun_words, shown_rows
from chalicelib.api.log_list import FILES, LONGEST, file_answer
from chalicelib.api.log_of_actions import PLATFORM, user_target
from chalicelib.api.visit import Visit
from chalicelib.core.actions import CLI, OPERATOR_TOKEN, ActionFilter, ActionKind
from chalicelib.core.dates import LATEST, w3cdtf
from chalicelib.core.errors import NotFound, ParameterInvalid
from chalicelib.core.ids import is_id
from chalicelib.core.roles import Action
from chalicelib.platform import Platform
from chalicelib.store.records.action_log import ReadMonths
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

face = Face()

LOG = "/console/log"
FILE = "/console/log/file"
COUNT = 20
_TEXTS = ("actor", "target", "kind")
_DATES = ("from", "to")


def _begun(here: Platform, request: Request) -> ReadMonths | None:
    """Make the first calls for the list that a request asks for, if it is a list."""
    wanted, errors = _filter(here, _given(request))
    if wanted is None or errors:
        return None
    with suppress(ParameterInvalid):
        return here.action_log.begin_part(wanted, last_parameter(request, "cursor"), COUNT)
    return None


@console_route(face, LOG, action=Action.SEE_LOG, beside=_begun)
def show(visit: Visit, begun: Callable[[], ReadMonths | None]) -> Response:
    """Show logged actions, the newest first, by `actor`, `target`, `kind`, and from the day `from` up to `to`."""
    given = _given(visit.request)
    named = given | {name: _named(visit, given[name], name) for name in ("actor", "target")}
    if named != given:
        return visit.redirect(f"{LOG}?{urlencode({name: text for name, text in named.items() if text})}")
    wanted, wrong = _filter(visit.here, given)
    errors = {name: visit.word(text) for name, text in wrong.items()}
    problem, rows, following = None, list[Row](), None
    cursor = last_parameter(visit.request, "cursor")
    if wanted:
        try:
            found, following = visit.here.action_log.part(wanted, cursor, COUNT, begun())
        except ParameterInvalid:
            problem, cursor = visit.word("log_wrong_cursor"), None
            found, following = visit.here.action_log.part(wanted, None, COUNT)
        rows = shown_rows(visit, found)
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
    wanted, _ = _filter(visit.here, _given(visit.request))
    if form not in FILES or wanted is None:
        raise NotFound
    return file_answer(visit.here, None, wanted, form, None)


def _named(visit: Visit, text: str, name: str) -> str:
    """Return a filter that is a login, or an id without its sort, as the log has it; any other as it is."""
    if not text or ":" in text or text in (CLI, OPERATOR_TOKEN, PLATFORM) or len(text) > LONGEST:
        return text
    owner = visit.here.users.login_owners([text.lower()]).get(text.lower())
    if owner:
        return user_target(owner)
    sorts = ("user",) if name == "actor" else ("user", "app", "page")
    return next((f"{sort}:{text}" for sort in sorts if is_id(sort, text)), text)


def _given(request: Request) -> dict[str, str]:
    return {name: (last_parameter(request, name) or "").strip() for name in (*_TEXTS, *_DATES)}


def _filter(here: Platform, given: Mapping[str, str]) -> tuple[ActionFilter | None, dict[str, str]]:
    """Return the filter, or None and the name of the text that says what is wrong with each field."""
    errors = {name: "log_too_long" for name in _TEXTS if len(given[name]) > LONGEST}
    days: dict[str, int] = {}
    for name in _DATES:
        try:
            days[name] = _day(given[name], here.settings.utc_offset, name == "to")
        except ValueError:
            errors[name] = "log_wrong_date"
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


def _kinds(visit: Visit) -> list[tuple[str, str]]:
    """Return the choices of kinds, each noun for itself and with each verb, by their texts."""
    nouns = {each.value.partition(".")[0] for each in ActionKind}
    every = [(noun, noun_words(visit, noun)) for noun in nouns] + [
        (each.value, kind_words(visit, each.value)) for each in ActionKind
    ]
    return [("", visit.word("log_kind_all")), *sorted(every, key=lambda each: each[1])]


def _offset(visit: Visit) -> str:
    return w3cdtf(0, visit.here.settings.utc_offset)[19:]
