"""Fetching of an image from a URL that a client names, without giving that client access to a private network.

Connections are made as web/fetch/connections.py says. Redirects are followed here, and each is checked like a first
URL. Proxies, cookies and credentials of the environment are not used. One time limit covers everything.
"""

import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.imaging.renditions import ImageBounds
from chalicelib.web.fetch.connections import LOCAL, PUBLIC, Failed, Network, connect, left, next_event
from chalicelib.web.fetch.target_url import Target, target_of

if TYPE_CHECKING:
    import h11

REDIRECTS = 3
SECONDS = 8.0
"""The time limit from the first name look-up to the last byte, redirects included."""
UNREACHABLE = "The image could not be fetched from its URL"
"""The same text for forbidden and unreachable addresses, so that it does not help to map a network."""

_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 65_536


def fetch_image(
    url: str, bounds: ImageBounds, *, loopback: bool, seconds: float = SECONDS, network: Network | None = None
) -> bytes:
    """Return the bytes at a URL, at most `bounds.bytes`. The caller checks whether they are an image.

    With `loopback`, 127.0.0.1 and ::1 are allowed, too. Raises ParameterInvalid for every failure.
    """
    through = network or (LOCAL if loopback else PUBLIC)
    until = time.monotonic() + seconds
    target = target_of(url)
    try:
        for _ in range(REDIRECTS + 1):
            with connect(target, through, until) as connection:
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
    except (Failed, OSError):
        raise ParameterInvalid(UNREACHABLE) from None
    raise ParameterInvalid(f"The URL of the image redirects too often (max={REDIRECTS})")


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
    connection.settimeout(left(until))
    connection.sendall((request or b"") + (http.send(h11.EndOfMessage()) or b""))
    body = bytearray()
    try:
        while True:
            event = next_event(http, connection, until, _CHUNK)
            if isinstance(event, h11.Response):
                if (location := _redirection(event)) is not None:
                    return location
                _check(event, bounds)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > bounds.bytes:
                    raise _too_large(bounds)
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body)
            else:
                raise Failed
    except h11.RemoteProtocolError as error:
        raise Failed from error


def _redirection(answer: "h11.Response") -> str | None:
    if answer.status_code not in _REDIRECTS:
        return None
    return _header(answer, b"location")


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise Failed from None


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
