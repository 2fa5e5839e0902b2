"""The lists of users, apps and pages in the console, in parts. Template: `console/search.html`."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from chalice.app import Response

from chalicelib.api.visit import Visit
from chalicelib.core.errors import ParameterInvalid
from chalicelib.store.directory.keys import CursorPart
from chalicelib.web.requests import last_parameter

COUNT = 20
"""The entries of a part."""


def search_page(
    visit: Visit,
    template: str,
    find: Callable[[str, str | None, int], CursorPart[Any]],
    every: Callable[[str | None, int], CursorPart[Any]] | None,
    wrong: str,
    **values: Any,
) -> Response:
    """Return a page with the part from `cursor` of what `find` finds for `q`; without `q`, of what `every` lists.

    `wrong` names the text about a search that cannot be made (400).
    """
    text, cursor = last_parameter(visit.request, "q") or "", last_parameter(visit.request, "cursor")
    entries: list[Any] = []
    following = problem = None
    try:
        if text.strip():
            entries, following = find(text, cursor, COUNT)
        elif every:
            entries, following = every(cursor, COUNT)
    except ParameterInvalid:
        problem = visit.word(wrong)
    action, kept = visit.here.site.path + visit.path, {"q": text} if text else {}
    return visit.page(
        template,
        status=400 if problem else 200,
        problem=problem,
        entries=entries,
        action=action,
        text=text,
        first=f"{action}?{urlencode(kept)}" if cursor else None,
        following=f"{action}?{urlencode(kept | {'cursor': following})}" if following else None,
        **values,
    )
