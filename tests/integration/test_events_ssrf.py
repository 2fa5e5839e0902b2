"""Endpoints at addresses that Engawa must not reach: refused when they are registered, and never connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from chalicelib.core.events import EventKind, Outcome
from chalicelib.store.events.sending import EventSending
from chalicelib.web.fetch.connections import PUBLIC, Network
from chalicelib.web.fetch.post_event import post_event
from tests.kit.page_api import populated
from tests.kit.worlds import APP, HANA, World

ENDPOINTS = f"/admin/apps/{APP}/endpoints"
REFUSED = [
    # Private addresses, and the metadata services of clouds.
    *(f"https://{each}/" for each in ("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0")),
    *(f"https://{each}/" for each in ("169.254.169.254", "169.254.170.2", "168.63.129.16", "192.0.0.192")),
    *(f"https://{each}/" for each in ("255.255.255.255", "224.0.0.1", "198.18.0.1", "203.0.113.1")),
    # Other forms of these addresses, which resolvers read.
    *(f"https://{each}/" for each in ("2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "017700000001")),
    *(f"https://{each}/" for each in ("127.0.0.1.", "3232235777", "0xa9fea9fe", "169.254.43518", "1", "0x")),
    # The same in characters that IDNA maps to these.
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://127\u30020\u30020\u30021/",
    "https://\u2460\u2461\u2466.0.0.1/",
    # IPv6.
    *(f"https://[{each}]/" for each in ("::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "fe80::1")),
    *(f"https://[{each}]/" for each in ("fd00:ec2::254", "fc00::1", "64:ff9b::7f00:1", "2002:7f00:1::1", "ff02::1")),
    *(f"https://[{each}]/" for each in ("0:0:0:0:0:ffff:a00:1", "2001::1", "2001:db8::1", "::ffff:0:127.0.0.1")),
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1/",
    "https://::1/",
    # Names of this computer.
    *(f"https://{each}/" for each in ("localhost", "LOCALHOST", "localhost.", "events.localhost")),
    # User information, and characters that parsers read in different ways.
    *(f"https://{each}/" for each in ("quest.example@127.0.0.1", "a:b@quest.example", "@quest.example", ":@q.example")),
    "https://quest.example\\@127.0.0.1/",
    "https://127.0.0.1\\.quest.example/",
    "https://quest.example /",
    "https://quest.example\t/",
    "https://quest.example/\r\nX: y",
    "https://quest.example%00.evil.example/",
    "https://quest.example%2f@127.0.0.1/",
    # Ports that are not those of web servers.
    *(f"https://quest.example:{port}/" for port in (0, 1, 22, 25, 6379, 8000, 65_536, "x", "-1", "443x")),
    "https://8.8.8.8:22/",
    # Other schemes.
    *(f"{each}://quest.example/" for each in ("http", "ftp", "file", "gopher", "javascript", "HTTPS+x")),
    *("//quest.example/", "quest.example", "https:quest.example", "https:///", "https://", "file:///etc/passwd"),
]
READ_AS = {"0x7f.1": "127.0.0.1", "2130706433": "127.0.0.1", "internal.example": "10.0.0.1", "localhost": "::1"}


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world(populated)


def register(world: World, url: str) -> Any:
    body = {"url": url, "kinds": ["app.installed"]}
    return world.send("POST", ENDPOINTS, body, token=world.token(None, "admin", app="operator"))


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return the list of the addresses that connections are tried to; all of them fail."""
    tried: list[tuple[str, int]] = []

    def create(address: tuple[str, int], *_: Any) -> socket.socket:
        tried.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", create)
    return tried


@pytest.mark.parametrize("url", REFUSED, ids=ascii)
def test_it_is_refused_when_it_is_registered(world: World, url: str) -> None:
    assert register(world, url).error[:2] == (400, "parameter_invalid")
    made = world.platform.endpoints.create(APP, "https://quest.example/", [EventKind.INSTALLED])
    path, operator = f"{ENDPOINTS}/{made.id}", world.token(None, "admin", app="operator")
    assert world.send("PATCH", path, {"url": url}, token=operator).error[:2] == (400, "parameter_invalid")
    assert world.platform.endpoints.get(APP, made.id).url == "https://quest.example/"


@pytest.mark.parametrize("url", REFUSED, ids=ascii)
def test_it_is_never_connected_to_even_if_it_is_stored(world: World, connected: list[Any], url: str) -> None:
    """A stored URL may be older than a rule."""
    here = world.platform
    here.endpoints.create(APP, url, [EventKind.INSTALLED])
    network = Network(lambda name: [READ_AS.get(name, name)], PUBLIC.admits, PUBLIC.tls)
    post = partial(post_event, loopback=False, network=network)
    here.event_sending = EventSending(here.event_log, here.endpoints, post, world.clock)
    app = here.apps.get(APP)
    assert app
    here.user_data.install(app, HANA)
    assert world.send_events() == 1
    [logged] = here.event_log.part(APP, 0, world.clock.now + 1, None, 9)[0]
    assert [(each.outcome, each.status) for each in logged.deliveries] == [(Outcome.WAITING, 0)]
    assert connected == []


@pytest.mark.parametrize(
    "url",
    [
        "https://quest.example/events?a=1",
        "https://quest.example:8443/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
        "https://xn--p8s.example/",
        "https://1.quest.example./",
    ],
    ids=ascii,
)
def test_a_public_endpoint_is_registered(world: World, url: str) -> None:
    assert register(world, url).status == 201


def test_a_name_is_looked_up_once_and_only_the_checked_address_is_connected_to(connected: list[Any]) -> None:
    """DNS rebinding: the second answer would be a private address."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"], ["93.184.215.14", "169.254.169.254"], ["fd00:ec2::254"]])
    network = Network(lambda name: next(answers), PUBLIC.admits, PUBLIC.tls)
    for _ in range(4):
        assert post_event("https://quest.example/", b"{}", {}, loopback=False, network=network) is None
    assert connected == [("93.184.215.14", 443)]
    assert next(answers, None) is None
