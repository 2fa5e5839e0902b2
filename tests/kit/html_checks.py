"""Faults in the markup of a page that a test finds without a browser."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.forms: list[list[tuple[str, dict[str, str]]]] = []
        self.unlabelled: list[dict[str, str]] = []
        self._label = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.elements.append((tag, values))
        if tag == "label":
            self._label += 1
        elif tag == "form":
            self.forms.append([(tag, values)])
        elif tag in ("input", "select", "textarea", "button"):
            if self.forms:
                self.forms[-1].append((tag, values))
            is_hidden = values.get("type") == "hidden"
            if tag != "button" and not is_hidden and not self._label and "aria-label" not in values:
                self.unlabelled.append(values)

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._label -= 1


def read(html: str) -> _Reader:
    """Return the elements of a page."""
    reader = _Reader()
    reader.feed(html)
    return reader


def links(html: str) -> list[str]:
    """Return the targets of the links of a page, in order."""
    return [values["href"] for tag, values in read(html).elements if tag == "a" and "href" in values]


def faults(html: str, language: str) -> list[str]:
    """Return what is wrong with the markup of a page in a language; an empty list means nothing is."""
    page = read(html)
    tags = Counter(tag for tag, _ in page.elements)
    found = [f"{tags[tag]} {tag}" for tag in ("h1", "main", "title", "header") if tags[tag] != 1]
    if ("html", {"lang": language}) not in page.elements:
        found.append(f"not in {language}")
    levels = [int(tag[1]) for tag, _ in page.elements if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()]
    steps = pairwise(levels)
    found += [f"h{after} after h{before}" for before, after in steps if after > before + 1]
    labels = {values.get("for") for tag, values in page.elements if tag == "label"}
    found += [f"no label for {field}" for field in page.unlabelled if field.get("id") not in labels]
    ids = Counter(values["id"] for _, values in page.elements if "id" in values)
    found += [f"id {name} {times} times" for name, times in ids.items() if times > 1]
    for tag, values in page.elements:
        found += [f"{name} of {tag}" for name in values if name == "style" or name.startswith("on")]
        named = values.get("aria-describedby", "").split() + values.get("aria-labelledby", "").split()
        found += [f"{tag} names {name}, which is not there" for name in named if name not in ids]
        if tag == "img" and "alt" not in values:
            found.append(f"no alt for {values.get('src')}")
        if tag == "table" and not tags["caption"]:
            found.append("a table without a caption")
    for form in page.forms:
        names = [values.get("name") for _, values in form]
        if form[0][1].get("method", "get").lower() == "post" and "csrf" not in names:
            found.append(f"no csrf in the form of {form[0][1].get('action')}")
    return found
