"""Fetching of an image from a URL that a client names, without giving that client access to a private network.

A name is resolved once for each hop, all its addresses are checked (web/fetch/public_addresses.py), and the connection
is made to a checked address; the TLS certificate must match the name. Redirects are followed here, and each is checked
like a first URL. Proxies, cookies and credentials of the environment are not used. One time limit covers everything.

The code uses sockets and h11, which reads and writes HTTP but opens no connections. So time and bytes are limited in
one place, and no name is resolved a second time without a check.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.imaging.renditions import ImageBounds
from chalicelib.web.fetch.public_addresses import LOOPBACK, Address, is_public, parsed
from chalicelib.web.fetch.target_url import Target, target_of

if TYPE_CHECKING:
    import h11

REDIRECTS = 3
SECONDS = 8.0
"""The time limit from the first name look-up to the last byte, redirects included."""
UNREACHABLE = "The image could not be fetched from its URL"
"""The same text for forbidden and unreachable addresses, so that it does not help to map a network."""

_REDIRECTS = (301, 302, 303, 307, 308)
_CONNECT_SECONDS = 3.0
_ADDRESSES = 3
"""The number of addresses of a name that are tried."""
_CHUNK = 65_536


class _Failed(Exception):
    """A failed fetch: a forbidden address, no response, or a response that is not HTTP."""


@dataclass(frozen=True)
class Network:
    """Access to the network; tests replace it."""

    resolve: Callable[[str], Sequence[str]]
    """Returns the addresses of a name as texts. Raises OSError."""
    admits: Callable[[Address], bool]
    tls: Callable[[], ssl.SSLContext]


def fetch_image(
    url: str, bounds: ImageBounds, *, loopback: bool, seconds: float = SECONDS, network: Network | None = None
) -> bytes:
    """Return the bytes at a URL, at most `bounds.bytes`. The caller checks whether they are an image.

    With `loopback`, 127.0.0.1 and ::1 are allowed, too. Raises ParameterInvalid for every failure.
    """
    through = network or (_LOCAL if loopback else _PUBLIC)
    until = time.monotonic() + seconds
    target = target_of(url)
    try:
        for _ in range(REDIRECTS + 1):
            with _connected(target, through, until) as connection:
                answer = _asked(connection, target, bounds, until)
            if isinstance(answer, bytes):
                return answer
            url = _joined(url, answer)
            following = target_of(url)
            if (target.scheme, following.scheme) == ("https", "http"):
                raise ParameterInvalid("The URL of the image redirects from https to http")
            target = following
    except TimeoutError:
        raise ParameterInvalid(f"Fetching the image took too long (max={seconds:g} seconds)") from None
    except (_Failed, OSError):
        raise ParameterInvalid(UNREACHABLE) from None
    raise ParameterInvalid(f"The URL of the image redirects too often (max={REDIRECTS})")


def _connected(target: Target, network: Network, until: float) -> socket.socket:
    """Return a connection to one of the target's addresses. Raises _Failed unless all its addresses are allowed."""
    addresses = [parsed(each) for each in _resolved(target.name, network, until)]
    if not addresses or not all(network.admits(each) and target.may_be_at(each) for each in addresses):
        raise _Failed
    # IPv4 first: by default, functions on AWS reach the Internet only by IPv4.
    for address in sorted(addresses, key=lambda each: each.version)[:_ADDRESSES]:
        try:
            raw = socket.create_connection((str(address), target.port), min(_CONNECT_SECONDS, _left(until)))
        except OSError:
            continue
        if target.scheme == "http":
            return raw
        try:
            # The timeout covers the handshake as a whole.
            return network.tls().wrap_socket(raw, server_hostname=target.name)
        except (OSError, ValueError) as error:
            raw.close()
            raise _Failed from error
    raise _Failed


def _resolved(name: str, network: Network, until: float) -> Sequence[str]:
    """Return the addresses of a name. The resolver has no timeout, so its thread is abandoned when ours expires."""
    found: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            found.put(network.resolve(name))
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        outcome = found.get(timeout=_left(until))
    except queue.Empty:
        raise _Failed from None
    if isinstance(outcome, Exception):
        raise _Failed from outcome
    return outcome


def _asked(connection: socket.socket, target: Target, bounds: ImageBounds, until: float) -> bytes | str:
    """Return the body of the response, or the location that it redirects to."""
    import h11

    http = h11.Connection(h11.CLIENT)
    headers = {
        "Host": target.authority,
        "User-Agent": "Engawa",
        "Accept": "image/jpeg, image/png",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    request = http.send(h11.Request(method="GET", target=target.path, headers=list(headers.items())))
    connection.settimeout(_left(until))
    connection.sendall((request or b"") + (http.send(h11.EndOfMessage()) or b""))
    body = bytearray()
    try:
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                # One read may take all the remaining time.
                connection.settimeout(_left(until))
                http.receive_data(connection.recv(_CHUNK))
            elif isinstance(event, h11.Response):
                if (location := _redirection(event)) is not None:
                    return location
                _check(event, bounds)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > bounds.bytes:
                    raise _too_large(bounds)
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body)
            elif not isinstance(event, h11.InformationalResponse):
                raise _Failed
            _left(until)
    except h11.RemoteProtocolError as error:
        raise _Failed from error


def _redirection(answer: "h11.Response") -> str | None:
    if answer.status_code not in _REDIRECTS:
        return None
    return _header(answer, b"location")


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise _Failed from None


def _check(answer: "h11.Response", bounds: ImageBounds) -> None:
    """Raise ParameterInvalid if the response's status or headers already show that its image cannot be accepted."""
    if answer.status_code != 200:
        raise ParameterInvalid(f"The URL of the image answered with status {answer.status_code}")
    if (_header(answer, b"content-encoding") or "identity").lower() != "identity":
        raise ParameterInvalid("The URL of the image answered in an encoding that was not requested")
    # The declared length is only a hint: the received bytes are counted as well.
    if int(_header(answer, b"content-length") or 0) > bounds.bytes:
        raise _too_large(bounds)


def _header(answer: "h11.Response", name: bytes) -> str | None:
    return next((value.decode("utf-8", "replace") for key, value in answer.headers if key == name), None)


def _too_large(bounds: ImageBounds) -> ParameterInvalid:
    return ParameterInvalid(f"The image at the URL is too large (max={bounds.bytes} bytes)")


def _left(until: float) -> float:
    """Return the seconds left. Raises TimeoutError if there are none."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _look_up(name: str) -> list[str]:
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def _default_tls() -> ssl.SSLContext:
    return ssl.create_default_context()


_PUBLIC = Network(_look_up, is_public, _default_tls)
_LOCAL = Network(_look_up, lambda address: is_public(address) or address in LOOPBACK, _default_tls)
