"""Connections to hosts that clients name, without giving those clients access to a private network.

A name is resolved once for each connection, all its addresses are checked (web/fetch/public_addresses.py), and the
connection is made to a checked address; the TLS certificate must match the name.

The callers use sockets and h11, which reads and writes HTTP but opens no connections. So time and bytes are limited in
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
from typing import TYPE_CHECKING, Any

from chalicelib.web.fetch.public_addresses import LOOPBACK, Address, is_public, parsed
from chalicelib.web.fetch.target_url import Target

if TYPE_CHECKING:
    import h11

_CONNECT_SECONDS = 3.0
_ADDRESSES = 3
"""The number of addresses of a name that are tried."""


class Failed(Exception):
    """A failed request: a forbidden address, no response, or a response that is not HTTP."""


@dataclass(frozen=True)
class Network:
    """Access to the network; tests replace it."""

    resolve: Callable[[str], Sequence[str]]
    """Returns the addresses of a name as texts. Raises OSError."""
    admits: Callable[[Address], bool]
    tls: Callable[[], ssl.SSLContext]


def connect(target: Target, network: Network, until: float) -> socket.socket:
    """Return a connection to one of the target's addresses. Raises Failed unless all its addresses are allowed."""
    addresses = [parsed(each) for each in _resolved(target.name, network, until)]
    if not addresses or not all(network.admits(each) and target.may_be_at(each) for each in addresses):
        raise Failed
    # IPv4 first: by default, functions on AWS reach the Internet only by IPv4.
    for address in sorted(addresses, key=lambda each: each.version)[:_ADDRESSES]:
        try:
            raw = socket.create_connection((str(address), target.port), min(_CONNECT_SECONDS, left(until)))
        except OSError:
            continue
        if target.scheme == "http":
            return raw
        try:
            # The timeout covers the handshake as a whole.
            return network.tls().wrap_socket(raw, server_hostname=target.name)
        except (OSError, ValueError) as error:
            raw.close()
            raise Failed from error
    raise Failed


def next_event(http: "h11.Connection", connection: socket.socket, until: float, chunk: int) -> Any:
    """Return the next event of an answer that is not an informational one, reading at most `chunk` bytes at once.

    Raises TimeoutError, OSError and h11.RemoteProtocolError.
    """
    import h11

    while True:
        seconds, event = left(until), http.next_event()
        if event is h11.NEED_DATA:
            # One read may take all the remaining time.
            connection.settimeout(seconds)
            http.receive_data(connection.recv(chunk))
        elif not isinstance(event, h11.InformationalResponse):
            return event


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
        outcome = found.get(timeout=left(until))
    except queue.Empty:
        raise Failed from None
    if isinstance(outcome, Exception):
        raise Failed from outcome
    return outcome


def left(until: float) -> float:
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


PUBLIC = Network(_look_up, is_public, _default_tls)
LOCAL = Network(_look_up, lambda address: is_public(address) or address in LOOPBACK, _default_tls)
