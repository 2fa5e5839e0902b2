"""Sending of an event to the URL of an app, as guarded as the fetching of images (web/fetch/connections.py).

Redirects are not followed, and of the answer only the status is read. One time limit covers everything.
"""

import time
from collections.abc import Mapping
from contextlib import suppress

from chalicelib.core.errors import ParameterInvalid
from chalicelib.web.fetch.connections import LOCAL, PUBLIC, Failed, Network, connect, left
from chalicelib.web.fetch.public_addresses import parsed
from chalicelib.web.fetch.target_url import Target, target_of

SECONDS = 5.0
"""The time limit from the name look-up to the status of the answer."""

_MOST_HEAD = 16_384
"""The most bytes that are read: the head of an answer."""
_CHUNK = 4_096


def endpoint_target(url: str, *, loopback: bool) -> Target:
    """Return the target of an endpoint's URL.

    It must be https; with `loopback`, http is allowed, too. Raises ParameterInvalid, also for an address that is not
    public: a name is looked up only when an event is sent.
    """
    target = target_of(url, "the endpoint")
    if target.scheme != "https" and not loopback:
        raise ParameterInvalid("The URL of the endpoint must begin with https://")
    network = LOCAL if loopback else PUBLIC
    with suppress(ValueError):
        address = parsed(target.name)
        if not network.admits(address) or not target.may_be_at(address):
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
            while True:
                event = http.next_event()
                if event is h11.NEED_DATA:
                    connection.settimeout(left(until))
                    http.receive_data(connection.recv(_CHUNK))
                elif isinstance(event, h11.Response):
                    return event.status_code
                elif not isinstance(event, h11.InformationalResponse):
                    return None
    except (ParameterInvalid, Failed, OSError, h11.ProtocolError):
        return None
