"""Responses in Atom (RFC 4287), with people and their data as in OpenSocial's REST protocol 0.8.

An entry is about one user: `<id>urn:guid:mixi.jp:…</id>` and a `<content>` that holds one element of OpenSocial's
namespace. The counts of a feed are elements of OpenSearch 1.1. Atom is only written, never read.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from chalice.app import Response

MEDIA_TYPE = "application/atom+xml; charset=utf-8"
ATOM = "http://www.w3.org/2005/Atom"
OPENSOCIAL = "http://ns.opensocial.org/2008/opensocial"
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"
# Characters that XML 1.0 cannot hold, not even escaped (§2.2).
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class AtomEntry:
    """One user's entry: the full user id, the name to show, and the content."""

    user: str
    title: str
    content: ElementTree.Element


def person(fields: Mapping[str, Any]) -> ElementTree.Element:
    """Return a `<person>` with an element for each field; a list gives an element for each of its objects."""
    made = ElementTree.Element("person", {"xmlns": OPENSOCIAL})
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            field = ElementTree.SubElement(made, name)
            if isinstance(each, Mapping):
                for inner, text in each.items():
                    ElementTree.SubElement(field, inner).text = _text(text)
            else:
                field.text = _text(each)
    return made


def appdata(data: Mapping[str, str]) -> ElementTree.Element:
    """Return an `<appdata>` with an `<entry><key>…</key><value>…</value></entry>` for each pair.

    The protocol's own example uses the key as an element's name. That is not possible: a key may begin with a digit.
    """
    made = ElementTree.Element("appdata", {"xmlns": OPENSOCIAL})
    for key, value in data.items():
        entry = ElementTree.SubElement(made, "entry")
        ElementTree.SubElement(entry, "key").text = key
        ElementTree.SubElement(entry, "value").text = _text(value)
    return made


def address(base: str, *segments: str) -> str:
    """Return the URL of a feed for its `<id>`; characters that a path or XML cannot hold are escaped."""
    return "/".join([base, *(quote(segment, safe="@,:;!$&'()*+=") for segment in segments)])


def entry_answer(entry: AtomEntry, now: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with one entry; `now` is in milliseconds since the epoch."""
    return _answer(_entry(ElementTree.Element("entry", {"xmlns": ATOM}), entry, now), headers)


def feed_answer(
    entries: Iterable[AtomEntry], counters: Mapping[str, int], *, uri: str, title: str, now: int
) -> Response:
    """Return a response with many entries: `counters` become elements of OpenSearch, `uri` is the feed's id."""
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xmlns:osearch": OPENSEARCH})
    ElementTree.SubElement(feed, "title").text = title
    ElementTree.SubElement(feed, "id").text = uri
    ElementTree.SubElement(feed, "updated").text = _zulu(now)
    for name, value in counters.items():
        ElementTree.SubElement(feed, f"osearch:{name}").text = str(value)
    for each in entries:
        _entry(ElementTree.SubElement(feed, "entry"), each, now)
    return _answer(feed, None)


def _entry(made: ElementTree.Element, entry: AtomEntry, now: int) -> ElementTree.Element:
    guid = f"urn:guid:{entry.user}"
    ElementTree.SubElement(made, "title").text = _text(entry.title)
    ElementTree.SubElement(made, "id").text = guid
    # The time of the last change is not known, so this is the time of the response.
    ElementTree.SubElement(made, "updated").text = _zulu(now)
    author = ElementTree.SubElement(made, "author")
    ElementTree.SubElement(author, "name").text = _text(entry.title)
    ElementTree.SubElement(author, "uri").text = guid
    ElementTree.SubElement(made, "content", {"type": "application/xml"}).append(entry.content)
    return made


def _answer(root: ElementTree.Element, headers: Mapping[str, str] | None) -> Response:
    # A reader would turn a plain carriage return into a line feed (XML 1.0 §2.11).
    text = ElementTree.tostring(root, encoding="unicode").replace("\r", "&#13;")
    shared = {"Content-Type": MEDIA_TYPE, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    return Response('<?xml version="1.0" encoding="UTF-8"?>\n' + text, {**shared, **(headers or {})})


def _text(value: object) -> str:
    return _NO_XML.sub("\ufffd", str(value))


def _zulu(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
