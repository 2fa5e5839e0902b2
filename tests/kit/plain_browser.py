"""A browser without JavaScript, for tests. It keeps cookies, and reads and sends forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from local.gateway import Gateway, Request

_BOUNDARY = "b0undary-of-the-plain-browser"


@dataclass
class Form:
    """A form: its target, its fields with their initial values, and its buttons as name and value.

    `multipart`: it is sent as `multipart/form-data`, since it may have a file.
    """

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    multipart: bool = False


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "form":
            self.forms.append(Form(values["action"], multipart=values.get("enctype") == "multipart/form-data"))
        elif (
            tag == "input"
            and values.get("type") != "file"
            and (values.get("type") != "checkbox" or "checked" in values)
        ):
            self.forms[-1].fields[values["name"]] = values.get("value", "")
        elif tag == "button":
            self.forms[-1].buttons.append((values.get("name", ""), values.get("value", "")))
        elif tag == "textarea":
            self._textarea = values["name"]
            self.forms[-1].fields[self._textarea] = ""
        elif tag == "select":
            self._select = values["name"]
        elif tag == "option" and "selected" in values:
            self.forms[-1].fields[self._select] = values["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            fields = self.forms[-1].fields
            fields[self._textarea] = fields[self._textarea].removeprefix("\n")
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data
        self.text.append(data)


class Page:
    """A response with an HTML page."""

    def __init__(self, status: int, headers: Sequence[tuple[str, str]], text: str) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.set_cookies = [value for name, value in headers if name.lower() == "set-cookie"]
        self.html = text
        reader = _Reader()
        reader.feed(text)
        self.forms, self.text, self.tags = reader.forms, " ".join("".join(reader.text).split()), reader.tags

    def form(self, name: str, value: str | None = None) -> Form:
        """Return the first form with a field or button of this name."""
        for form in self.forms:
            if name in form.fields or any(n == name and value in (None, v) for n, v in form.buttons):
                return form
        raise AssertionError(f"no form with {name} in: {self.text}")

    @property
    def location(self) -> str:
        return self.headers["location"]

    @property
    def told(self) -> dict[str, str]:
        """The query parameters of a redirect."""
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.location).query).items()}


class Browser:
    """A browser. `send(method, target, headers, body)` returns status, headers and text."""

    def __init__(
        self, send: Callable[[str, str, dict[str, str], bytes], tuple[int, Sequence[tuple[str, str]], str]]
    ) -> None:
        self._send = send
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}

    def open(self, target: str, **query: str) -> Page:
        return self._go("GET", target + ("?" + urlencode(query) if query else ""), b"")

    def submit(self, form: Form, **fields: Any) -> Page:
        """Send a form with these fields, such as a button's name and value; fields that are None are left out."""
        sent = {name: value for name, value in (form.fields | fields).items() if value is not None}
        target = "/" + form.action.removeprefix("/")
        if form.multipart:
            return self._go("POST", target, _multipart(sent), f"multipart/form-data; boundary={_BOUNDARY}")
        return self._go("POST", target, urlencode(sent).encode())

    def sign_in(self, page: Page, login: str, password: str) -> Page:
        return self.submit(page.form("password"), login=login, password=password)

    def _go(self, method: str, target: str, body: bytes, media_type: str = "application/x-www-form-urlencoded") -> Page:
        headers = dict(self.headers)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body:
            headers["Content-Type"] = media_type
        status, answered, text = self._send(method, target, headers, body)
        for cookie in (value for name, value in answered if name.lower() == "set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Page(status, answered, text)


def browser_at(gateway: Gateway, address: str = "127.0.0.1") -> Browser:
    """Return a browser at an address, whose requests go to a gateway in this process."""

    def send(method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, list[tuple[str, str]], str]:
        answer = gateway.handle(Request(method, target, list(headers.items()), body, address))
        return answer.status, answer.headers, answer.body.decode()

    return Browser(send)


def _multipart(fields: dict[str, Any]) -> bytes:
    """Return a form's fields as a body; a value of bytes is a file."""
    parts = []
    for name, value in fields.items():
        is_file = isinstance(value, bytes)
        more = '; filename="picture"\r\nContent-Type: application/octet-stream' if is_file else ""
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        parts.append(head.encode() + (value if is_file else str(value).encode()) + b"\r\n")
    return b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])
