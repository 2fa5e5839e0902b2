"""Pages for people: templates, their language, and headers against framing, caching and foreign scripts.

No page needs JavaScript. The policy allows the page's own style and forms, the pictures that it names, a script of
ours if the page has one, and nothing else.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalice.app import Request, Response

from chalicelib import observed
from chalicelib.core.errors import InternalError, Refusal, Unavailable
from chalicelib.web.error_answers import log_unhandled
from chalicelib.web.html.texts import Language, preferred, scope_words, word
from chalicelib.web.requests import header_list, parameters

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parents[1] / "templates"
MEDIA_TYPE = "text/html; charset=utf-8"
BRANDS = {Language.JAPANESE: "縁側", Language.ENGLISH: "Engawa"}
"""The platform's name, if the operator has set none."""
GUARDS = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
"""Headers of every page."""


@dataclass(frozen=True)
class Site:
    """The platform that a page belongs to: its name, if it has one of its own, and the path before all its paths."""

    name: str = ""
    path: str = ""


def language_of(request: Request, asked: str | None = None) -> Language:
    """Return the language for a request; `asked`, from a form, takes precedence over `?lang=` and `Accept-Language`."""
    wanted = asked or next(iter(parameters(request, "lang")), None)
    return preferred(wanted, header_list(request, "accept-language") or "")


def page(
    template: str,
    language: Language,
    site: Site,
    *,
    status: int = 200,
    headers: Mapping[str, str | list[str]] | None = None,
    form_target: str | None = None,
    images: Iterable[str] = (),
    script: str | None = None,
    **values: Any,
) -> Response:
    """Return a page from `templates/<template>.html`. Its forms may lead to us and, if it is given, to `form_target`.

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
        **values,
    )
    all_headers = {**_headers(form_target, images, script), "Content-Language": language.value, **(headers or {})}
    return Response(body, {**all_headers}, status)


def error_page(request: Request, error: Exception, site: Site | None) -> Response:
    """Return a page for an exception of a view: a refusal below 500 with its description, all others without detail.

    `site` is None if there is no platform, because its settings are wrong.
    """
    language = language_of(request)
    if not isinstance(error, Refusal):
        log_unhandled(error)
    observed.refused(error if isinstance(error, Refusal) else InternalError())
    status = error.status if isinstance(error, Refusal) else 500
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, Unavailable) else {}
    known = f"error_{status}" if status in (404, 500, 503) else "error_400"
    detail = error.description if isinstance(error, Refusal) and status < 500 else None
    told = word(language, known)
    return page("error", language, site or Site(), status=status, headers=headers, told=told, detail=detail)


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
