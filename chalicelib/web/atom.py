"""Answers as Atom (RFC 4287), as OpenSocial's REST protocol 0.8 puts people and their data into it.

An entry is about one user: `<id>urn:guid:mixi.jp:…</id>` and a `<content>` that holds one element of OpenSocial's
namespace. A feed counts by OpenSearch 1.1. Written only, never read.
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
# What XML 1.0 cannot hold, not even escaped (§2.2).
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class AtomEntry:
    """One user's entry: their id, in full, the name to show, and the content."""

    user: str
    title: str
    content: ElementTree.Element


def person(fields: Mapping[str, Any]) -> ElementTree.Element:
    """`<person>` with an element for each field; a list is an element for each of its objects."""
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
    """`<appdata>` with an `<entry><key>…</key><value>…</value></entry>` for each pair.

    Not an element of the key's name, as the protocol's own example has: a key may begin with a digit.
    """
    made = ElementTree.Element("appdata", {"xmlns": OPENSOCIAL})
    for key, value in data.items():
        entry = ElementTree.SubElement(made, "entry")
        ElementTree.SubElement(entry, "key").text = key
        ElementTree.SubElement(entry, "value").text = _text(value)
    return made


def address(base: str, *segments: str) -> str:
    """The URL of a feed, as its `<id>` has it: all of a segment is escaped that a path or XML cannot hold."""
    return "/".join([base, *(quote(segment, safe="@,:;!$&'()*+=") for segment in segments)])


def entry_answer(entry: AtomEntry, now: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of one entry; `now` in milliseconds since the epoch."""
    return _answer(_entry(ElementTree.Element("entry", {"xmlns": ATOM}), entry, now), headers)


def feed_answer(
    entries: Iterable[AtomEntry], counters: Mapping[str, int], *, uri: str, title: str, now: int
) -> Response:
    """An answer of many: `counters` become elements of OpenSearch, `uri` is the feed's id."""
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
    # When someone last changed is not known: that it was so when asked for is.
    ElementTree.SubElement(made, "updated").text = _zulu(now)
    author = ElementTree.SubElement(made, "author")
    ElementTree.SubElement(author, "name").text = _text(entry.title)
    ElementTree.SubElement(author, "uri").text = guid
    ElementTree.SubElement(made, "content", {"type": "application/xml"}).append(entry.content)
    return made


def _answer(root: ElementTree.Element, headers: Mapping[str, str] | None) -> Response:
    # A reader takes a plain carriage return for a line feed (XML 1.0 §2.11).
    text = ElementTree.tostring(root, encoding="unicode").replace("\r", "&#13;")
    shared = {"Content-Type": MEDIA_TYPE, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    return Response('<?xml version="1.0" encoding="UTF-8"?>\n' + text, {**shared, **(headers or {})})


def _text(value: object) -> str:
    return _NO_XML.sub("\ufffd", str(value))


def _zulu(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
