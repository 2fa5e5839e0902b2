"""What the screens of pages share: ids in paths, people and pages as lines, times, links, and requests done once."""

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from chalice.app import Request, Response

from chalicelib.api.visit import Visit
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import NotFound, PermissionDenied, StillRunning, Unavailable
from chalicelib.core.ids import is_id
from chalicelib.core.model.contents import Feed
from chalicelib.core.model.directory import Page, User
from chalicelib.core.model.page_screens import Membership
from chalicelib.core.page_forms import KEY, Problems
from chalicelib.platform import Platform
from chalicelib.store.aws.transactions import AnswerRecord
from chalicelib.store.directory.page_administration import Viewer
from chalicelib.web.html import rendering
from chalicelib.web.html.links import is_web, origin_of
from chalicelib.web.html.texts import Language, word

if TYPE_CHECKING:
    from chalicelib.store.idempotency_records import LambdaContext

S = TypeVar("S")

PAGE = "/pages/{page}"
FEED = "/pages/{page}/feeds/{feed}"
KEPT = "public, max-age=0, s-maxage=5"
"""For browsers without a session: a shared cache may keep the page for five seconds, a browser may not."""
KEYED = ("cursor", "lang")
"""The query parameters of such a page by which a shared cache tells its copies apart (infra/edge.yaml)."""
_FEED_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_sleep = time.sleep
_TRIES, _REST = 8, 0.4
"""How often, and after how many seconds, a form that was sent twice looks for the result of the first."""


@dataclass(frozen=True)
class NameLine:
    """A person or a page as shown. `name` is None if they are gone; `href` is their own page, if there is a link."""

    name: str | None
    picture: str | None = None
    href: str | None = None
    id: str = ""
    self: bool = False
    """Whether it is the reader."""

    @property
    def letter(self) -> str:
        """The text that replaces a missing picture."""
        return (self.name or "").strip()[:1]


def page_id(page: str) -> str:
    """Return the page id in a path. Raises NotFound for an invalid one."""
    if not is_id("page", page):
        raise NotFound("There is no such page")
    return page


def feed_ids(page: str, feed: str) -> tuple[str, str]:
    """Return the ids in the path of a feed. Raises NotFound for invalid ones."""
    if not is_id("page", page) or not _FEED_ID.fullmatch(feed):
        raise NotFound("There is no such post")
    return page, feed


def page_path(page: str, part: str = "") -> str:
    """Return the path of a page's own page, or of another screen of it, such as `/settings`."""
    return f"/pages/{page}{part}"


def feed_path(page: str, feed: str, part: str = "") -> str:
    """Return the path of a feed's page."""
    return f"/pages/{page}/feeds/{feed}{part}"


def place_line(here: Platform, page: Page) -> NameLine:
    """Return a page as a line with its link."""
    return NameLine(page.name, _picture(page.thumbnail_small), here.site.path + page_path(page.id), page.id)


def person_line(visit: Visit, user: User | None) -> NameLine:
    """Return a person as a line. Readers who are signed in get a link: the person's page shows what each may see."""
    if user is None:
        return NameLine(None)
    href = f"{visit.here.site.path}/people/{user.id}" if visit.user else None
    own = visit.user is not None and visit.user.id == user.id
    return NameLine(user.display_name, _picture(user.thumbnail_url), href, user.id, own)


def image_url(here: Platform, key: str | None) -> str | None:
    """Return the URL of a stored rendition."""
    return here.settings.images_url + key.removeprefix("images") if key else None


def origins_of(pictures: Sequence[str | None]) -> list[str]:
    """Return the origins of the pictures that a page shows, for its policy."""
    return [origin for each in pictures if each and (origin := origin_of(each))]


def day(language: Language, milliseconds: int, offset: int) -> str:
    """Return a time as people write it, to the minute."""
    moment = datetime.fromisoformat(w3cdtf(milliseconds, offset))
    if language is Language.JAPANESE:
        return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"
    return f"{moment.day} {moment:%B} {moment.year}, {moment:%H:%M}"


def device_links(
    language: Language, urls: Mapping[str, str], label: str, label_for: Callable[[str], str]
) -> Sequence[Mapping[str, Any]]:
    """Return links to the URLs of `pc`, `smartphone` and `mobile`, each URL once.

    `label` names the text of a single link; if there are several, `label_for` returns the name for each one's device.
    """
    kept: dict[str, str] = {}
    for device, url in urls.items():
        if is_web(url) and url not in kept.values():
            kept[device] = url
    return [
        {"url": url, "device": device, "label": word(language, label if len(kept) == 1 else label_for(device))}
        for device, url in kept.items()
    ]


def urls_of(holder: Feed | Page) -> Mapping[str, str]:
    """Return the URLs of a feed or a page by device."""
    return {"pc": holder.pc_url, "smartphone": holder.smartphone_url, "mobile": holder.mobile_url}


def beside_visit(here: Platform, request: Request, read: Callable[[Viewer], S]) -> tuple[Visit, S]:
    """Return the visit of a request, and the screen that `read` returns.

    `read` gets a function that returns the id of who asks, None if nobody is signed in; it calls that in parallel to
    its own reads. Raises the errors of `read`.
    """
    visits: list[Visit] = []

    def viewer() -> str | None:
        visits.append(Visit.of(here, request))
        return visits[0].user.id if visits[0].user else None

    screen = read(viewer)
    return visits[0], screen


def check_administers(member: Membership) -> None:
    """Raise PermissionDenied unless this member of a page is an administrator."""
    if not member.administers:
        raise PermissionDenied("Only administrators of the page may do this")


def administered(visit: Visit, page: str) -> Page:
    """Return a page that the reader administers (one read). Raises NotFound (page) and PermissionDenied."""
    known, member = visit.here.page_administration.member(page_id(page), visit.signed_in.id)
    check_administers(member)
    return known


def public_page(visit: Visit, template: str, **values: Any) -> Response:
    """Return a page that anyone may see. Without a session in the request, a shared cache may keep it for seconds.

    With another query parameter than those of KEYED it is not kept: its notice and links would be shown to others.
    """
    here = visit.here
    if here.sessions.is_named_in(visit.request):
        return visit.page(template, **values)
    values.pop("problem", None)
    is_kept = set(visit.request.query_params or ()).issubset(KEYED)
    headers = {"Cache-Control": KEPT} if is_kept else {}
    frame = visit.frame()
    return rendering.page(
        template, visit.language, here.site, headers=headers, frame=frame, csrf=None, visit=visit, **values
    )


def busy(visit: Visit, refusal: Unavailable | StillRunning) -> dict[str, Any]:
    """Return what a form says that could not be carried out now, or that was sent twice: problem, status, headers."""
    name = "still_running" if isinstance(refusal, StillRunning) else "error_503"
    headers = {"Retry-After": str(refusal.retry_after)}
    return {"problem": visit.word(name), "status": refusal.status, "headers": headers}


def problem_texts(visit: Visit, problems: Problems) -> dict[str, str]:
    """Return the problems of a form as texts by field."""
    return {name: visit.word(problem.word, **problem.values) for name, problem in problems.items()}


def performed_once(
    visit: Visit, route: str, said: Mapping[str, Any], perform: Callable[[AnswerRecord | None], str]
) -> str:
    """Return the result of `perform`, or that of the first time if the same form was sent before in 24 hours.

    The form's `key` and content (`said`) name it: a form that was changed and sent again is another. If the first is
    still being worked on, wait up to three seconds. Raises StillRunning after that, and the errors of `perform`.
    """
    key = visit.sent.get("key", "")
    if not KEY.fullmatch(key):
        return perform(None)
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
    name = ("web", visit.signed_in.id, route, key, digest)
    context = cast("LambdaContext", visit.request.lambda_context)
    for _ in range(_TRIES):
        with suppress(StillRunning):
            return visit.here.idempotency.answer(name, said, context, perform)
        _sleep(_REST)
    raise StillRunning


def new_key() -> str:
    """Return a key for a form, so that a form that is sent twice is carried out once."""
    return secrets.token_hex(16)


def _picture(url: str) -> str | None:
    return url if origin_of(url) else None
