"""The line that `make serve` prints for a request: method, path, status, milliseconds."""

from __future__ import annotations

import sys

from local.gateway import Request

_SHOWN = frozenset(
    {"as", "count", "fields", "filterBy", "filterValue", "format", "lang", "sortBy", "sortOrder", "startIndex"}
)
"""The parameters that are printed. All others may be secret: old clients send their tokens in the query, and a client
with a mistake sends them behind `;` or a second `?`, so a value with another `=` is not printed either."""
_MOST = 200


def print_request(request: Request, status: int, milliseconds: float) -> None:
    """Print the line of a request on standard error, whole: `print` writes its end apart, behind another thread's."""
    sys.stderr.write(f"{request_line(request, status, milliseconds)}\n")


def request_line(request: Request, status: int, milliseconds: float) -> str:
    """Return the line, with `…` in place of the parameters that are not printed."""
    path, _, query = request.target.partition("?")
    parts = query.split("&") if query else []
    shown = [part for part in parts if part.partition("=")[0] in _SHOWN and part.count("=") < 2]
    hidden = ["…"] if len(shown) < len(parts) else []
    target = path + ("?" + "&".join(shown + hidden) if parts else "")
    if len(target) > _MOST:
        target = target[:_MOST] + "…"
    # A request must not move the cursor of the terminal.
    text = f"{request.method[:_MOST]} {target}"
    printed = "".join(character if character.isprintable() else "�" for character in text)
    return f"{printed} {status} {milliseconds:.0f} ms"
