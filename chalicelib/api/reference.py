"""The documentation of this server: `/docs` for people, `/openapi.json` and `/llms.txt` for programs.

The pages of `/docs` are made at build time (infra/site) and kept in one archive, which the first request for a page
reads. Addresses are looked up in it; none becomes the path of a file. In openapi.json, `servers` names this deployment,
because generated clients take their base URL from it.
"""

import json
import lzma
from collections.abc import Mapping
from functools import cache

from chalice.app import Request, Response

from chalicelib.api.error_pages import error_page
from chalicelib.core.errors import NotFound
from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.html import rendering
from chalicelib.web.static_files import STATIC, File, file, file_answer, read_static

PAGES = STATIC / "docs" / "files.json.xz"
_CONNECT = "connect-src 'self'"
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; {_CONNECT}; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""Pages load files of this server only. They have no inline scripts and no inline styles."""
_KEPT = {"Cache-Control": "public, max-age=300"}


face = Face()


@face.route("/docs", methods=["GET"], token=Token.NONE, instead="public", refused=error_page)
def overview(here: Platform, request: Request) -> Response:
    """Return the overview of the documentation in English."""
    return _answer(request, "/docs")


@face.route("/docs/{language}", methods=["GET"], token=Token.NONE, instead="public", refused=error_page)
def overview_in(here: Platform, request: Request, language: str) -> Response:
    """Return the overview in a language (`en` or `ja`), or as Markdown with `.md`."""
    return _answer(request, f"/docs/{language}")


@face.route(
    "/docs/{language}/{section}/{name}", methods=["GET"], token=Token.NONE, instead="public", refused=error_page
)
def page(here: Platform, request: Request, language: str, section: str, name: str) -> Response:
    """Return a page of the documentation, or the same as Markdown with `.md`."""
    # From these pages readers send requests ("Try it"), and an answer that is too large for Lambda is at S3.
    answers = here.oversized_answers.url if section == "operations" else ""
    return _answer(request, f"/docs/{language}/{section}/{name}", answers)


@face.route("/docs/assets/{name}", methods=["GET"], token=Token.NONE, instead="public")
def asset(here: Platform, request: Request, name: str) -> Response:
    """Return a style, a script or a search index of the pages."""
    return _answer(request, f"/docs/assets/{name}")


@face.route("/llms.txt", methods=["GET"], token=Token.NONE, instead="public")
def list_of_pages(here: Platform, request: Request) -> Response:
    """Return the list of all pages as Markdown, for language models (llmstxt.org)."""
    return _answer(request, "/llms.txt")


@face.route("/openapi.json", methods=["GET"], token=Token.NONE, instead="public")
def contract(here: Platform, request: Request) -> Response:
    """Return the reference as OpenAPI 3.1, for programs and for pages of any origin."""
    return file_answer(request, _contract(here.settings.issuer), {**_KEPT, "Access-Control-Allow-Origin": "*"})


def _answer(request: Request, url: str, answers: str = "") -> Response:
    """Return the file of an address; if it is a page, it may also fetch from the URL `answers`. Raises NotFound."""
    if url not in _pages():
        raise NotFound("There is no such page")
    found = _file(url)
    guards: dict[str, str] = {}
    if found.media_type == rendering.MEDIA_TYPE:
        policy = POLICY.replace(_CONNECT, f"{_CONNECT} {answers}") if answers else POLICY
        guards = {**rendering.GUARDS, "Referrer-Policy": "no-referrer", "Content-Security-Policy": policy}
    return file_answer(request, found, {**_KEPT, **guards})


@cache
def _pages() -> Mapping[str, tuple[str, str]]:
    """Return the media type and the text of each file by its address."""
    pages: dict[str, tuple[str, str]] = json.loads(lzma.decompress(PAGES.read_bytes()))
    return pages


@cache
def _file(url: str) -> File:
    media_type, text = _pages()[url]
    return file(text, media_type)


@cache
def _contract(base_url: str) -> File:
    """Return the contract with the base URL of this deployment in place of the "/" of openapi.yaml."""
    before, relative, after = read_static("openapi.json").partition('"servers":[{"url":"/"')
    named = relative and f'"servers":[{{"url":{json.dumps(base_url)}'
    return file(before + named + after, "application/json; charset=utf-8")
