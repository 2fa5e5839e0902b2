"""The scripts that pages load: opensocial.js as a classic script and as a module, and its types.

    script("opensocial.mjs") -> File

Their files are in `static/`. The module is the classic script with another end: it exports the globals of the script.
"""

from functools import cache

from chalicelib.web.static_files import File, file, read_static

JAVASCRIPT = "text/javascript; charset=utf-8"
TYPES = "application/typescript; charset=utf-8"

_CLASSIC_END = "\n})(((found) => {\n"
_MODULE_END = """
})({ src: import.meta.url }, (library) => {
  ({ opensocial, osapi, gadgets, mixi } = library);
});
export var opensocial, osapi, gadgets, mixi;
"""


@cache
def script(name: str) -> File:
    """Return one of `opensocial.js`, `opensocial.mjs`, `opensocial.d.ts`. Raises KeyError for another name."""
    read, media_type = {
        "opensocial.js": (_classic, JAVASCRIPT),
        "opensocial.mjs": (_module, JAVASCRIPT),
        "opensocial.d.ts": (_types, TYPES),
    }[name]
    return file(read(), media_type)


def _classic() -> str:
    return read_static("opensocial.js")


def _module() -> str:
    body, end, _ = _classic().rpartition(_CLASSIC_END)
    if not end:
        raise ValueError("opensocial.js does not end as its module form expects")
    return body + _MODULE_END


def _types() -> str:
    return read_static("opensocial.d.ts")
