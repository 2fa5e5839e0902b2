"""Fetching from a URL that a client supplies: only from the public Internet, with limits on time and size."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.imaging.renditions import ImageBounds
from chalicelib.web.fetch import connections, target_url
from chalicelib.web.fetch import fetch_image as fetching
from chalicelib.web.fetch import post_event as sending
from chalicelib.web.fetch.connections import Network
from chalicelib.web.fetch.fetch_image import REDIRECTS, UNREACHABLE, fetch_image
from chalicelib.web.fetch.post_event import endpoint_target, post_event
from chalicelib.web.fetch.public_addresses import LOOPBACK, is_public
from chalicelib.web.fetch.target_url import MAX_URL, PORTS, target_of
from tests.kit.certificate import self_signed

BOUNDS = ImageBounds(bytes=1000)
LONG = 60
"""More seconds than anything here takes, even on a busy machine; unbounded operations never end."""
OK = b"HTTP/1.1 200 OK\r\n"
Answering = Callable[[socket.socket, bytes], object]


class Web:
    """A web server on 127.0.0.1, and the names that resolve to it."""

    def __init__(self, answer: Answering | bytes, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.asked: list[str] = []
        self.addresses: dict[str, list[str]] = {}
        self._answer = answer
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            stream = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            with stream:
                request = b""
                while b"\r\n\r\n" not in request:
                    if not (data := stream.recv(4096)):
                        return
                    request += data
                self.requests.append(request)
                if isinstance(self._answer, bytes):
                    stream.sendall(self._answer)
                else:
                    self._answer(stream, request)

    def resolve(self, name: str) -> list[str]:
        self.asked.append(name)
        return self.addresses.get(name, ["127.0.0.1"])

    def url(self, host: str = "photos.example", path: str = "/a.jpg", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def fetch(self, url: str | None = None, *, seconds: float = 5, **network: Any) -> bytes:
        through = {"resolve": self.resolve, "admits": lambda address: address in LOOPBACK, "tls": no_tls} | network
        return fetch_image(url or self.url(), BOUNDS, loopback=False, seconds=seconds, network=Network(**through))

    def refused(self, url: str | None = None, **options: Any) -> str:
        with pytest.raises(ParameterInvalid) as caught:
            self.fetch(url, **options)
        return caught.value.description

    def close(self) -> None:
        # After close() alone, the accepting thread would still hold the socket.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def no_tls() -> ssl.SSLContext:
    raise AssertionError("no TLS was meant")


@contextmanager
def web(answer: Answering | bytes, context: ssl.SSLContext | None = None) -> Iterator[Web]:
    made = Web(answer, context)
    try:
        yield made
    finally:
        made.close()


def full(body: bytes, *headers: bytes) -> bytes:
    return OK + b"".join(each + b"\r\n" for each in (*headers, b"Content-Length: %d" % len(body))) + b"\r\n" + body


# Content


def test_the_bytes_at_a_url():
    with web(full(b"pixels")) as server:
        assert server.fetch() == b"pixels"
        assert server.fetch(server.url(path="/縁側.jpg?a=b%20c#top")) == b"pixels"
        lines = [request.split(b"\r\n") for request in server.requests]
    assert lines[0][0] == b"GET /a.jpg HTTP/1.1"
    assert lines[1][0] == b"GET /%E7%B8%81%E5%81%B4.jpg?a=b%20c HTTP/1.1"
    assert set(lines[0][1:-2]) == {
        b"Host: photos.example:%d" % server.port,
        b"User-Agent: Engawa",
        b"Accept: image/jpeg, image/png",
        b"Accept-Encoding: identity",
        b"Connection: close",
    }


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\npix\r\n3\r\nels\r\n0\r\n\r\n",
        OK + b"\r\npixels",
        b"HTTP/1.0 200 OK\r\n\r\npixels",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + full(b"pixels"),
        full(b"pixels", b"Content-Encoding: identity", b"Content-Type: text/html"),
        full(b"pixels") + b"and more",
    ],
)
def test_answers_of_every_usual_form(answer):
    with web(answer) as server:
        assert server.fetch() == b"pixels"


def test_nothing_of_the_environment_takes_part(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("default login me password secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with web(full(b"pixels", b"Set-Cookie: a=b")) as server:
        assert [server.fetch(), server.fetch()] == [b"pixels"] * 2
        assert all(b"Cookie" not in request and b"Authorization" not in request for request in server.requests)


# Names and addresses


def test_a_name_is_resolved_once_and_the_connection_goes_where_it_was_checked():
    with web(full(b"pixels")) as server:
        answers = iter([["127.0.0.1"], ["169.254.169.254"]])
        checked = []

        def resolve(name: str) -> list[str]:
            server.asked.append(name)
            return next(answers)

        def admits(address: Any) -> bool:
            checked.append(str(address))
            return address in LOOPBACK

        # No resolver knows this name: only the given address can lead to the server.
        url = server.url("rebinding.invalid")
        assert server.fetch(url, resolve=resolve, admits=admits) == b"pixels"
        assert (server.asked, checked) == (["rebinding.invalid"], ["127.0.0.1"])
        assert server.refused(url, resolve=resolve, admits=admits) == UNREACHABLE
        assert len(server.requests) == 1


def test_every_address_of_a_name_must_be_allowed():
    with web(full(b"pixels")) as server:
        for others in (["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"], []):
            server.addresses["photos.example"] = others
            assert server.refused() == UNREACHABLE
        assert server.requests == []


def test_the_next_address_is_tried_where_one_does_not_answer(monkeypatch):
    with web(full(b"pixels")) as server:
        monkeypatch.setattr(target_url, "PORTS", (server.port,))
        server.addresses["photos.example"] = ["127.0.0.3", "127.0.0.2", "127.0.0.1"]
        assert server.fetch(admits=lambda _: True) == b"pixels"
        server.addresses["photos.example"] = ["127.0.0.4", "127.0.0.3", "127.0.0.2", "127.0.0.1"]
        assert server.refused(admits=lambda _: True) == UNREACHABLE


def test_blocked_and_unreachable_are_told_in_the_same_words():
    with web(full(b"pixels")) as server:
        server.addresses["blocked.example"] = ["192.168.0.1"]
        blocked = server.refused(server.url("blocked.example"))

        def unknown(name: str) -> list[str]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        told = {blocked, server.refused(resolve=unknown)}
    told.add(server.refused())
    assert told == {UNREACHABLE}


def test_without_the_setting_loopback_is_not_reached():
    with web(full(b"pixels")) as server:
        for host in (
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "127.1",
            "0x7f.1",
            "2130706433",
        ):
            with pytest.raises(ParameterInvalid, match=UNREACHABLE):
                fetch_image(server.url(host), BOUNDS, loopback=False)
        for host in ("[::ffff:127.0.0.1]", "0.0.0.0", "127.0.0.2"):
            with pytest.raises(ParameterInvalid, match=UNREACHABLE):
                fetch_image(server.url(host), BOUNDS, loopback=True)
        assert server.requests == []
        assert fetch_image(server.url("127.0.0.1"), BOUNDS, loopback=True) == b"pixels"


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255"),
        *("127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254", "169.254.170.2"),
        *("172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.255.255"),
        *("198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
        *("255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::ffff:0:8.8.8.8"),
        *("64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:808:808::1", "2001:20::1", "2001:db8::1"),
        *(
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fe80::1%1",
        ),
        *("fec0::1", "ff02::1", "ff0e::1", "2606:4700:4700::1111%1"),
    ],
)
def test_an_address_that_is_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
        *(
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
        ),
        *(
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
        ),
    ],
)
def test_an_address_that_is_public(address):
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses())
def test_no_address_is_public_that_python_knows_as_special(address):
    if is_public(address):
        special = (address.is_private, address.is_loopback, address.is_link_local, address.is_reserved)
        assert not any((*special, address.is_multicast, address.is_unspecified))
        assert address.is_global


@given(st.ip_addresses(v=4))
def test_no_address_that_holds_another_is_public(inner):
    number = int(inner)
    for outer in (number, 0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert not is_public(ipaddress.IPv6Address(outer))
    teredo = 0x20010000 << 96 | (number ^ 0xFFFFFFFF)
    assert not is_public(ipaddress.IPv6Address(teredo))


# URLs


@pytest.mark.parametrize(
    ("url", "told"),
    [
        *[(f"{scheme}://photos.example/a.jpg", "begin with http") for scheme in ("ftp", "file", "gopher", "data", "")],
        *[(url, "begin with http") for url in ("", "photos.example/a.jpg", "//photos.example/", "file:///etc/passwd")],
        ("http://me:secret@photos.example/", "user name"),
        ("http://@photos.example/", "user name"),
        ("http://photos.example@127.0.0.1/", "user name"),
        *[(f"http://{host}/", "not valid") for host in ("", "..", "a..b", "a b", "a\\b", "%31")],
        *[(f"http://{host}/", "not valid") for host in ("[::1", "::1", "[fe80::1%251]", "[v1.a]")],
        *[(f"http://photos.example:{port}/", "not valid") for port in ("0", "65536", "-1", "x")],
        *[(f"http://photos.example/{path}", "not valid") for path in ("\r\nX: y", "a\tb", "\0", "a\\b")],
        ("http://127.0.0.1\\@photos.example/", "user name"),
        ("http://photos.example/" + "x" * (MAX_URL - 21), f"too long (max={MAX_URL} characters)"),
        ("http://" + "a" * 64 + ".example/", "not valid"),
    ],
)  # fmt: skip
def test_a_url_that_is_not_fetched(url, told):
    with pytest.raises(ParameterInvalid) as caught:
        fetch_image(url, BOUNDS, loopback=True)
    assert told in caught.value.description


def test_the_longest_url():
    assert len(target_of("http://photos.example/" + "x" * (MAX_URL - 22)).path) == MAX_URL - 21


@pytest.mark.parametrize(
    ("url", "authority", "name", "port", "path"),
    [
        ("HTTP://Photos.Example", "photos.example", "photos.example", 80, "/"),
        ("https://photos.example:443/a?b", "photos.example", "photos.example", 443, "/a?b"),
        ("http://photos.example.:8080?b", "photos.example.:8080", "photos.example", 8080, "/?b"),
        ("http://縁側.example/", "xn--2yq632i.example", "xn--2yq632i.example", 80, "/"),
        ("https://[2001:DB8::1]:8443/", "[2001:db8::1]:8443", "2001:db8::1", 8443, "/"),
    ],
)
def test_how_a_url_is_read(url, authority, name, port, path):
    target = target_of(url)
    assert (target.authority, target.name, target.port, target.path) == (authority, name, port, path)


def test_only_ports_of_web_servers_are_connected_to():
    public = ipaddress.ip_address("8.8.8.8")
    open_ports = {port for port in range(1, 65_536) if target_of(f"http://a.example:{port}/").may_be_at(public)}
    assert open_ports == set(PORTS) == {80, 443, 8080, 8443}
    assert target_of("http://a.example:22/").may_be_at(ipaddress.ip_address("::1"))


def test_a_port_that_is_not_asked():
    with web(full(b"pixels")) as server:
        server.addresses["photos.example"] = ["8.8.8.8"]
        assert server.refused(admits=lambda _: True) == UNREACHABLE


# Redirects


def redirecting(*locations: str, status: int = 302) -> Answering:
    """Redirect /0 to the first location, /1 to the second, and so on; answer other paths with pixels."""

    def answer(stream: socket.socket, request: bytes) -> None:
        path = request.split(b" ")[1].decode()
        number = int(path[1:]) if path[1:].isdigit() else len(locations)
        if number < len(locations):
            stream.sendall(
                f"HTTP/1.1 {status} Go\r\nLocation: {locations[number]}\r\nContent-Length: 0\r\n\r\n".encode()
            )
        else:
            stream.sendall(full(b"pixels"))

    return answer


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status):
    with web(redirecting("/1", "2", "?a", status=status)) as server:
        assert server.fetch(server.url(path="/0")) == b"pixels"
        assert [request.split(b" ")[1] for request in server.requests] == [b"/0", b"/1", b"/2", b"/2?a"]


def test_the_most_redirects():
    with web(redirecting(*[f"/{number + 1}" for number in range(REDIRECTS + 1)])) as server:
        assert server.fetch(server.url(path="/1")) == b"pixels"
        told = server.refused(server.url(path="/0"))
        assert told == f"The URL of the image redirects too often (max={REDIRECTS})"


@pytest.mark.parametrize(
    "host", ["127.0.0.2", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "inside.example", "[fd00:ec2::254]", "0"]
)
def test_each_hop_is_checked_anew(host):
    with web(b"") as inside, web(redirecting(f"http://{host}:{inside.port}/")) as server:
        server.addresses = {name.strip("[]"): [name.strip("[]")] for name in (host,)}
        server.addresses |= {"inside.example": ["10.0.0.1"], "0": ["0.0.0.0"]}
        only = lambda address: str(address) == "127.0.0.1"  # noqa: E731
        assert server.refused(server.url(path="/0"), admits=only) == UNREACHABLE
        assert len(server.requests) == 1
        assert inside.requests == []


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("file:///etc/passwd", "begin with http"),
        ("http://me@photos.example/", "user name"),
        ("http://photos.example:22/", UNREACHABLE),
        ("http://[::1", UNREACHABLE),
        ("//[::1]:x/", "not valid"),
    ],
)
def test_a_redirect_to_what_is_not_fetched(location, told):
    with web(redirecting(location)) as server:
        server.addresses["photos.example"] = ["127.0.0.1"]
        assert told in server.refused(server.url(path="/0"))


def test_a_redirect_to_a_path_that_is_not_ascii():
    with web(redirecting("/縁側")) as server:
        assert server.fetch(server.url(path="/0")) == b"pixels"
        assert server.requests[1].startswith(b"GET /%E7%B8%81%E5%81%B4 HTTP/1.1")


def test_a_redirect_that_leads_nowhere():
    with web(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n") as server:
        assert server.refused() == "The URL of the image answered with status 302"


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a key and a self-signed certificate for photos.example."""
    return self_signed(tmp_path_factory.mktemp("tls") / "both.pem", "photos.example")


@pytest.fixture
def secure(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_tls_is_checked_against_the_name(certificate, secure):
    names = []
    secure.sni_callback = lambda _, name, __: names.append(name)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with web(full(b"pixels"), secure) as server:
        assert server.fetch(server.url(scheme="https"), tls=lambda: trusting) == b"pixels"
        assert names == ["photos.example"]
        other = server.url("other.example", scheme="https")
        assert server.refused(other, tls=lambda: trusting) == UNREACHABLE
        assert server.refused(server.url(scheme="https"), tls=connections._default_tls) == UNREACHABLE
        assert len(server.requests) == 1


def test_https_does_not_lead_to_http_and_http_does_to_https(certificate, secure):
    trusting = ssl.create_default_context(cafile=str(certificate))
    with web(full(b"pixels")) as plain, web(redirecting(plain.url()), secure) as server:
        told = server.refused(server.url(path="/0", scheme="https"), tls=lambda: trusting)
        assert told == "The URL of the image redirects from https to http"
        assert plain.requests == []
    with web(full(b"pixels"), secure) as server, web(redirecting(server.url(scheme="https"))) as plain:
        assert plain.fetch(plain.url(path="/0"), tls=lambda: trusting) == b"pixels"


# Size and time


def test_the_largest_answer():
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    for size, fits in ((BOUNDS.bytes, True), (BOUNDS.bytes + 1, False)):
        body = b"x" * size
        answers = [full(body), OK + b"\r\n" + body, chunked + b"%x\r\n" % size + body + b"\r\n0\r\n\r\n"]
        for answer in answers:
            with web(answer) as server:
                if fits:
                    assert server.fetch() == body
                else:
                    assert server.refused() == f"The image at the URL is too large (max={BOUNDS.bytes} bytes)"


def test_an_answer_that_says_to_be_too_large_is_not_read():
    def answer(stream: socket.socket, _: bytes) -> None:
        stream.sendall(OK + b"Content-Length: 1001\r\n\r\n")
        # Wait until the client disconnects.
        stream.recv(1)

    with web(answer) as server:
        assert server.refused(seconds=LONG) == f"The image at the URL is too large (max={BOUNDS.bytes} bytes)"


def test_an_endless_answer():
    sent = []

    def answer(stream: socket.socket, _: bytes) -> None:
        stream.sendall(OK + b"\r\n")
        while True:
            sent.append(stream.send(b"x" * 100_000))

    with web(answer) as server:
        assert server.refused() == f"The image at the URL is too large (max={BOUNDS.bytes} bytes)"
    assert sum(sent) < 20_000_000


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [
        (OK + b"\r\n", b"x"),
        (b"", b"H"),
        (OK + b"X: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    ],
)
def test_an_answer_that_drips(beginning, drop):
    def answer(stream: socket.socket, _: bytes) -> None:
        stream.sendall(beginning)
        while True:
            stream.sendall(drop)
            time.sleep(0.02)

    with web(answer) as server:
        before = time.monotonic()
        assert server.refused(seconds=0.6) == "Fetching the image took too long (max=0.6 seconds)"
        assert time.monotonic() - before < LONG


def test_an_answer_that_never_comes():
    with web(lambda stream, _: stream.recv(1)) as server:
        before = time.monotonic()
        assert server.refused(seconds=0.5) == "Fetching the image took too long (max=0.5 seconds)"
        assert time.monotonic() - before < LONG


def test_redirects_share_the_time(monkeypatch):
    """Only the server's answers advance the clock."""
    now = [0.0]
    for module in (fetching, connections):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def answer(stream: socket.socket, request: bytes) -> None:
        now[0] += 40
        stream.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")

    with web(answer) as server:
        assert server.refused(seconds=70) == "Fetching the image took too long (max=70 seconds)"
        assert len(server.requests) == 2


def test_a_resolver_that_hangs():
    hanging = threading.Event()
    before = time.monotonic()
    with web(b"") as server:
        assert server.refused(seconds=0.3, resolve=lambda _: hanging.wait()) == UNREACHABLE
    assert time.monotonic() - before < LONG
    hanging.set()


def test_a_handshake_that_hangs():
    with socket.create_server(("127.0.0.1", 0)) as silent, web(b"") as server:
        url = f"https://photos.example:{silent.getsockname()[1]}/"
        before = time.monotonic()
        told = server.refused(url, seconds=0.5, tls=ssl.create_default_context)
        assert told == UNREACHABLE
        assert time.monotonic() - before < LONG


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"pixels",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x00" * 100,
        OK + b"Content-Length: 10\r\n\r\npixels",
        OK + b"Content-Length: -1\r\n\r\npixels",
        OK + b"Transfer-Encoding: gzip\r\n\r\npixels",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"X: " + b"x" * 100_000 + b"\r\n\r\npixels",
        OK + b"X: y\r\n" * 50_000 + b"\r\npixels",
    ],
)
def test_what_is_no_answer(answer):
    with web(answer) as server:
        assert server.refused() == UNREACHABLE


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 500])
def test_another_status(status):
    with web(b"HTTP/1.1 %d So\r\nContent-Length: 0\r\n\r\n" % status) as server:
        assert server.refused() == f"The URL of the image answered with status {status}"


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity, gzip"])
def test_a_compressed_answer(encoding):
    with web(full(b"pixels", b"Content-Encoding: " + encoding)) as server:
        assert server.refused() == "The URL of the image answered in an encoding that was not requested"


# Events: the same connections, and of the answer only the status


def sent(
    server: Web, url: str | None = None, *, seconds: float = 5, loopback: bool = True, **network: Any
) -> int | None:
    through = {"resolve": server.resolve, "admits": lambda address: address in LOOPBACK, "tls": no_tls} | network
    headers = {"webhook-id": "0mywpiww0abcdefg"}
    return post_event(
        url or server.url("quest.example", "/events?a=1"),
        '{"name":"花"}'.encode(),
        headers,
        loopback=loopback,
        seconds=seconds,
        network=Network(**through),
    )


@pytest.mark.parametrize("status", [200, 204, 302, 410, 500])
def test_an_event_is_posted_once_and_its_status_is_told(status):
    answer = b"HTTP/1.1 %d X\r\nLocation: /elsewhere\r\nContent-Length: 99999999\r\n\r\n" % status
    with web(answer) as server:
        assert sent(server) == status
        [request] = server.requests
    assert request.startswith(b"POST /events?a=1 HTTP/1.1\r\n")
    assert b"webhook-id: 0mywpiww0abcdefg\r\n" in request
    assert b"Content-Length: 14\r\n" in request


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", OK + b"a: " + b"b" * 100_000],
    ids=["nothing", "another protocol", "not final", "a long head"],
)
def test_what_is_no_answer_to_an_event(answer):
    with web(answer) as server:
        assert sent(server) is None


def test_an_event_waits_only_so_long():
    with web(lambda stream, _: time.sleep(LONG)) as server:
        began = time.monotonic()
        assert sent(server, seconds=0.2) is None
        assert time.monotonic() - began < LONG / 2


def test_informational_answers_do_not_extend_the_time():
    def answer(stream: socket.socket, _: bytes) -> None:
        for _number in range(LONG * 100):
            stream.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            time.sleep(0.01)

    with web(answer) as server:
        began = time.monotonic()
        assert sent(server, seconds=0.3) is None
        assert time.monotonic() - began < LONG / 2


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["fd00:ec2::254"], []],
    ids=str,
)
def test_an_event_reaches_no_private_address(addresses, monkeypatch):
    def connected(*_: Any) -> socket.socket:
        raise AssertionError("a connection was made")

    with web(OK + b"\r\n") as server:
        server.addresses["quest.example"] = addresses
        monkeypatch.setattr(socket, "create_connection", connected)
        assert sent(server, admits=is_public) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://quest.example/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:10.0.0.1]/",
        "https://user@quest.example/",
        "https://quest.example\\@10.0.0.1/",
        "ftp://quest.example/",
        "//quest.example/",
    ],
)
def test_a_url_that_is_no_endpoint(url):
    with pytest.raises(ParameterInvalid):
        endpoint_target(url, loopback=False)
    assert post_event(url, b"{}", {}, loopback=False, network=Network(lambda name: [], is_public, no_tls)) is None


def test_a_local_platform_takes_an_endpoint_on_loopback():
    assert endpoint_target("http://127.0.0.1:8000/events", loopback=True).port == 8000
    with pytest.raises(ParameterInvalid):
        endpoint_target("http://10.0.0.1/events", loopback=True)


def test_the_certificate_of_an_endpoint_is_checked(certificate, secure, monkeypatch):
    trusting = ssl.create_default_context(cafile=str(certificate))
    with web(OK + b"Content-Length: 0\r\n\r\n", secure) as server:
        monkeypatch.setattr(sending, "PORTS", (server.port,))
        url = server.url("quest.example", scheme="https")
        assert sent(server, url, tls=ssl.create_default_context, loopback=False) is None
        assert sent(server, url, tls=lambda: trusting, loopback=False) is None
        assert server.requests == []
        url = server.url("photos.example", scheme="https")
        assert sent(server, url, tls=lambda: trusting, loopback=False) == 200
