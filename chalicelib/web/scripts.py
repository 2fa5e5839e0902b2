"""The scripts that pages load: opensocial.js as a classic script and as a module, and its types.

    script("opensocial.mjs") -> Script

They stand in `static/`. The module is the classic script with another end: it exports what that makes global.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STATIC = Path(__file__).parent / "static"
JAVASCRIPT = "text/javascript; charset=utf-8"
TYPES = "application/typescript; charset=utf-8"

_CLASSIC_END = "\n})(globalThis.document?.currentScript, "
_MODULE_END = """
})({ src: import.meta.url }, (library) => {
  ({ opensocial, osapi, gadgets } = library);
});
export var opensocial, osapi, gadgets;
"""


@dataclass(frozen=True)
class Script:
    """A text, its media type, and the entity tag of exactly that text."""

    text: str
    media_type: str
    etag: str


@cache
def script(name: str) -> Script:
    """One of `opensocial.js`, `opensocial.mjs`, `opensocial.d.ts`. Raises KeyError for another name."""
    read, media_type = {
        "opensocial.js": (_classic, JAVASCRIPT),
        "opensocial.mjs": (_module, JAVASCRIPT),
        "opensocial.d.ts": (_types, TYPES),
    }[name]
    text = read()
    return Script(text, media_type, f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"')


def _classic() -> str:
    return (STATIC / "opensocial.js").read_text(encoding="utf-8")


def _module() -> str:
    body, end, _ = _classic().rpartition(_CLASSIC_END)
    if not end:
        raise ValueError("opensocial.js does not end as its module form expects")
    return body + _MODULE_END


def _types() -> str:
    return (STATIC / "opensocial.d.ts").read_text(encoding="utf-8")
