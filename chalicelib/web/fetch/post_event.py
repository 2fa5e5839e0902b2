"""Sending of an event to the URL of an app, as guarded as the fetching of images (web/fetch/connections.py).

Redirects are not followed, and of the answer only the status is read. One time limit covers everything.
"""

import re
import time
from collections.abc import Mapping

from chalicelib.core.errors import ParameterInvalid
from chalicelib.web.fetch.connections import LOCAL, PUBLIC, Failed, Network, connect, left, next_event
from chalicelib.web.fetch.public_addresses import parsed
from chalicelib.web.fetch.target_url import PORTS, Target, target_of

SECONDS = 5.0
"""The time limit from the name look-up to the status of the answer."""

_LOCAL_NAME = re.compile(r"(^|.*\.)(localhost|[0-9]+|0x[0-9a-f]*)")
"""Matches `localhost`, and names that end in a number: resolvers read them as IPv4 addresses."""
_MOST_HEAD = 16_384
"""The most bytes that are read: the head of an answer."""
_CHUNK = 4_096


def endpoint_target(url: str, *, loopback: bool) -> Target:
    """Return the target of an endpoint's URL.

    It must be https, at a port of web servers; with `loopback`, http is allowed, too, and any port of this computer.
    Raises ParameterInvalid, also for an address that is not public. A name is looked up only when an event is sent;
    but names of this computer, and numbers that resolvers read as an address, are refused here.
    """
    target = target_of(url, "the endpoint")
    if not loopback:
        if target.scheme != "https":
            raise ParameterInvalid("The URL of the endpoint must begin with https://")
        if target.port not in PORTS:
            raise ParameterInvalid(f"The port of the endpoint must be one of {', '.join(map(str, PORTS))}")
    network = LOCAL if loopback else PUBLIC
    try:
        address = parsed(target.name)
        admitted = network.admits(address) and target.may_be_at(address)
    except ValueError:
        admitted = loopback or not _LOCAL_NAME.fullmatch(target.name)
    if not admitted:
        raise ParameterInvalid("The URL of the endpoint must not have a private address")
    return target


def post_event(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    loopback: bool,
    seconds: float = SECONDS,
    network: Network | None = None,
) -> int | None:
    """Send a body to a URL; return the status of the answer, or None if there is none, for any reason."""
    import h11

    through = network or (LOCAL if loopback else PUBLIC)
    until = time.monotonic() + seconds
    try:
        target = endpoint_target(url, loopback=loopback)
        sent = {
            "Host": target.authority,
            "User-Agent": "Engawa",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            **headers,
        }
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
        head = http.send(h11.Request(method="POST", target=target.path, headers=list(sent.items()))) or b""
        data = http.send(h11.Data(data=body)) or b""
        end = http.send(h11.EndOfMessage()) or b""
        with connect(target, through, until) as connection:
            connection.settimeout(left(until))
            connection.sendall(head + data + end)
            event = next_event(http, connection, until, _CHUNK)
            return event.status_code if isinstance(event, h11.Response) else None
    except (ParameterInvalid, Failed, OSError, h11.ProtocolError):
        return None
