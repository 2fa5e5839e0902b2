"""Pages for people: templates, their language, and headers against framing, caching and foreign scripts.

No page needs JavaScript. The policy allows the page's own style and forms, the pictures that it names, a script of
ours if the page has one, and nothing else.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalice.app import Request, Response

from chalicelib import observed
from chalicelib.core.errors import InternalError, Refusal, Unavailable
from chalicelib.web.html.texts import Language, preferred, scope_words, word
from chalicelib.web.logs import log_unhandled
from chalicelib.web.own_paths import opened_url, own_path, url_of
from chalicelib.web.requests import cookies, header_list, parameters

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parents[1] / "templates"
MEDIA_TYPE = "text/html; charset=utf-8"
BRANDS = {Language.JAPANESE: "縁側", Language.ENGLISH: "Engawa"}
"""The platform's name, if the operator has set none."""
LANGUAGE_COOKIE = "engawa-language"
"""The cookie with the language that the reader has chosen, `ja` or `en`, for all pages."""
LANGUAGE_SECONDS = 365 * 86_400
_ERRORS = (400, 403, 404, 405, 409, 413, 415, 429, 500, 503)
"""The statuses with texts of their own."""
_OF_APPS = (".pl", ".html")
"""The ends of the paths of pages that apps open."""
_LANGUAGES = tuple(each.value for each in Language)
GUARDS = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
"""Headers of every page. Other sites get no referrer; our own error pages lead back by it."""


@dataclass(frozen=True)
class Site:
    """The platform that a page belongs to: its own name, if it has one, the path before all paths, and its URL."""

    name: str = ""
    path: str = ""
    url: str = ""


@dataclass(frozen=True)
class MenuItem:
    """A link of the navigation: its target, its text, and whether the reader is in that part of the site."""

    href: str
    text: str
    current: bool = False


@dataclass(frozen=True)
class Frame:
    """What a page has around its content, for a visit (api/visit.py).

    `other_url` is the same page in the other language. `csrf` is for the form of signing out; None: signed out.
    `notice` says what was done, `problem` what was wrong; None: nothing is said.
    """

    menu: Sequence[MenuItem]
    other_url: str
    csrf: str | None = None
    notice: str | None = None
    problem: str | None = None


def language_of(request: Request, asked: str | None = None) -> Language:
    """Return the language for a request: `asked`, from a form, or else `?lang=`, the cookie, or `Accept-Language`."""
    wanted = asked or next(iter(parameters(request, "lang")), None)
    if wanted not in _LANGUAGES:
        wanted = next((value for name, value in cookies(request) if name == LANGUAGE_COOKIE), None)
    return preferred(wanted, header_list(request, "accept-language") or "")


def language_cookie(request: Request) -> list[str]:
    """Return the `Set-Cookie` values that keep the language which a link `?lang=` has asked for; none if it is kept."""
    asked = next(iter(parameters(request, "lang")), None)
    known = next((value for name, value in cookies(request) if name == LANGUAGE_COOKIE), None)
    if asked == known or asked not in _LANGUAGES:
        return []
    return [f"{LANGUAGE_COOKIE}={asked}; Path=/; Max-Age={LANGUAGE_SECONDS}; HttpOnly; SameSite=Lax"]


def page(
    template: str,
    language: Language,
    site: Site,
    *,
    status: int = 200,
    headers: Mapping[str, str | list[str]] | None = None,
    wait: int = 0,
    form_target: str | None = None,
    images: Iterable[str] = (),
    script: str | None = None,
    frame: Frame | None = None,
    **values: Any,
) -> Response:
    """Return a page from `templates/<template>.html`. Its forms may lead to us and, if it is given, to `form_target`.

    `wait` is the Retry-After in seconds (0: none). `frame` is the navigation and what was done, for pages of a visit;
    without it, a page only leads home.
    `images` are the origins of the pictures that the page may show. `script` is the only script that may run.
    """
    environment = _environment()
    body = environment.get_template(f"{template}.html").render(
        lang=language.value,
        site=site,
        brand=site.name or BRANDS[language],
        other=language.other.value,
        style=_style(),
        word=partial(word, language),
        scope_words=partial(scope_words, language),
        script=script,
        frame=frame,
        **values,
    )
    all_headers = {**_headers(form_target, images, script), "Content-Language": language.value, **(headers or {})}
    if wait:
        all_headers["Retry-After"] = str(wait)
    return Response(body, {**all_headers}, status)


def error_page(request: Request, error: Exception, site: Site | None, frame: Frame | None = None) -> Response:
    """Return a page for an exception of a view: a refusal below 500 with its description, all others without detail.

    `site` is None if there is no platform, because its settings are wrong. Without a `frame`, the page only leads home
    and back.
    """
    language, site = language_of(request), site or Site()
    if not isinstance(error, Refusal):
        log_unhandled(error)
    refusal = error if isinstance(error, Refusal) else InternalError()
    observed.refused(refusal)
    status = refusal.status
    headers: dict[str, str | list[str]] = {}
    if isinstance(refusal, Unavailable):
        headers["Retry-After"] = str(refusal.retry_after)
    if kept := language_cookie(request):
        headers["Set-Cookie"] = kept
    known = status if status in _ERRORS else (400 if status < 500 else 500)
    is_app = request.path.endswith(_OF_APPS)
    # What a refusal says is in English; of the pages that apps open, their developers need it.
    detail = refusal.description if status < 500 and (is_app or language is Language.ENGLISH) else None
    seen = observed.current()
    return page(
        "error",
        language,
        site,
        status=status,
        headers=headers,
        frame=frame,
        title=word(language, f"error_{known}"),
        told=word(language, "error_app" if is_app and known == 400 else f"error_{known}_help"),
        detail=detail if detail != refusal.default else None,
        request_id=seen.request_id if seen else None,
        back=_came_from(request, site),
        again=site.path + opened_url(request, ("lang", "done")) if status in (429, 500, 503) else None,
        other_url=site.path + opened_url(request, ("lang", "done"), lang=language.other.value),
    )


def _came_from(request: Request, site: Site) -> str | None:
    """Return the path of our page from which a reader came, or None if it is unknown or this one."""
    referrer = header_list(request, "referer") or ""
    path = referrer.removeprefix(site.url) if site.url and referrer.startswith(f"{site.url}/") else None
    if path is None or path == url_of(request) or own_path(path) != path:
        return None
    return site.path + path


def policy(style: str, forms: str) -> str:
    """Return the `Content-Security-Policy` of a page that loads only this style and sends its forms to `forms`."""
    return (
        f"default-src 'none'; style-src {_source(style)}; form-action {forms}; frame-ancestors 'none'; base-uri 'none'"
    )


def _source(text: str) -> str:
    """Return the source expression for this one inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _headers(form_target: str | None, images: Iterable[str], script: str | None) -> dict[str, str]:
    # Chrome applies form-action to the redirect that answers a form, too.
    forms = "'self'" + (f" {form_target}" if form_target else "")
    # Our own picture, and those that the page names.
    pictures = " ".join(["'self'", *sorted(set(images))])
    scripted = f"; script-src {_source(script)}" if script else ""
    return {
        "Content-Type": MEDIA_TYPE,
        "Content-Security-Policy": f"{policy(_style(), forms)}; img-src {pictures}{scripted}",
        **GUARDS,
        "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
        "Cache-Control": "no-store",
        "Vary": "Accept-Encoding, Accept-Language, Cookie",
    }


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def _style() -> Any:
    from markupsafe import Markup

    # Safe: it is our own file, and the policy has its hash.
    return Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704
