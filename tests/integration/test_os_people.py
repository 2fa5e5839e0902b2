"""`/os/0.8/people`: the users that are returned, the formats, and the permissions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from local.demo_data import PEOPLE
from tests.kit.signing import create_app, signed
from tests.kit.worlds import HANA, KEN, MEI, TARO, YUKI, World, demo_people

BASE = "/os/0.8/people"
DENIED = (403, "permission_denied", "Permission denied")
ATOM = "{http://www.w3.org/2005/Atom}"
OPENSOCIAL = "{http://ns.opensocial.org/2008/opensocial}"
OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Return the demo world: Hana's friends Ken and Mei have quest, Taro has not; Yuki has quest, but no friends."""
    made = make_world(demo_people)
    create_app(made)
    return made


def ask(world: World, path: str, user: str = HANA, **query: str) -> Any:
    reply = signed(world, "GET", f"{BASE}/{path}", user=user, query=query)
    assert reply.status == 200, reply
    return reply.json


def ids(body: Any) -> list[str]:
    return [entry["id"] for entry in body["entry"]]


def entry_of(name: str, **told: str) -> dict[str, str]:
    user = PEOPLE[name]
    return {
        "id": user.id,
        "displayName": user.display_name,
        "thumbnailUrl": user.thumbnail_url,
        "profileUrl": user.profile_url,
        "nickname": user.display_name,
        "isViewer": "false",
        "isOwner": "false",
        "hasApp": "true",
        **told,
    }


# --- JSON


@pytest.mark.parametrize("guid", ["@me", "@viewer", "@owner", HANA, f"mixi.jp:{HANA}", f"urn:guid:mixi.jp:{HANA}"])
def test_oneself(world: World, guid: str) -> None:
    """The entry is an object; `true` is a string."""
    assert ask(world, f"{guid}/@self") == {
        "entry": entry_of("hana", isViewer="true", isOwner="true"),
        "startIndex": 0,
        "totalResults": 1,
    }


@pytest.mark.parametrize("selector", ["@friends", "@all"])
def test_friends(world: World, selector: str) -> None:
    """The list has friends with the app; the Viewer's rows of the matrix allow nothing for other friends."""
    assert ask(world, f"@me/{selector}") == {
        "entry": [entry_of("ken"), entry_of("mei")],
        "startIndex": 0,
        "totalResults": 2,
    }


@pytest.mark.parametrize(("user", "name"), [(KEN, "ken"), (YUKI, "yuki")])
def test_anyone_who_has_installed_the_app(world: World, user: str, name: str) -> None:
    assert ask(world, f"{user}/@self")["entry"] == entry_of(name)


def test_several_at_once(world: World) -> None:
    """The users come in the requested order, without those that are not permitted."""
    assert ids(ask(world, f"{YUKI},{TARO},@me,nobody/@self")) == [YUKI, HANA]


@pytest.mark.parametrize(
    "path",
    [
        f"{TARO}/@self",
        "nobodynobody/@self",
        "x/@self",
        f"{KEN}/@friends",
        f"{YUKI}/@all",
        "@me/12345",
        "@me/@supporters",
    ],
)
def test_refused_alike_whoever_exists(world: World, path: str) -> None:
    assert signed(world, "GET", f"{BASE}/{path}").error == DENIED


@pytest.mark.parametrize("path", ["@me/@self", "@me/@friends", f"{HANA}/@self"])
def test_a_viewer_without_the_app_gets_neither_the_own_profile_nor_a_friend_s(world: World, path: str) -> None:
    assert signed(world, "GET", f"{BASE}/{path}", user=TARO).error == DENIED


def test_a_viewer_without_the_app_gets_others_who_have_it(world: World) -> None:
    assert signed(world, "GET", f"{BASE}/{KEN}/@self", user=TARO).json["entry"]["id"] == KEN


def test_a_few_fields(world: World) -> None:
    assert ask(world, "@me/@friends", fields="nickname,hasApp,lastLogin")["entry"] == [
        {"id": KEN, "nickname": "健 (Ken)", "hasApp": "true"},
        {"id": MEI, "nickname": "芽衣 (Mei)", "hasApp": "true"},
    ]


def test_paging_order_and_filter(world: World) -> None:
    body = ask(world, "@me/@friends", startIndex="1", count="1", filterBy="hasApp")

    assert (ids(body), body["startIndex"], body["totalResults"]) == ([MEI], 1, 2)
    assert ids(ask(world, "@me/@friends", sortBy="nickname", sortOrder="descending")) == [MEI, KEN]


@pytest.mark.parametrize("query", [{"count": "0"}, {"count": "1001"}, {"startIndex": "-1"}, {"filterBy": "age"}])
def test_a_parameter_out_of_range(world: World, query: dict[str, str]) -> None:
    reply = signed(world, "GET", f"{BASE}/@me/@friends", query=query)

    assert (reply.status, reply.json["error"]) == (400, "parameter_invalid")


def test_the_largest_count(world: World) -> None:
    assert ask(world, "@me/@friends", count="1000")["totalResults"] == 2


# --- an owner who is not the viewer, which only a token can name


def test_the_owners_friends(world: World) -> None:
    """Ken looks at Hana's game: the list includes her friend Taro, who has not installed it."""
    token = world.token(KEN, "r_profile", owner=HANA)

    of_owner = world.send("GET", f"{BASE}/@owner/@friends", token=token).json
    assert ids(of_owner) == [KEN, MEI, TARO]
    assert [(each["isViewer"], each["hasApp"]) for each in of_owner["entry"]] == [
        ("true", "true"),
        ("false", "true"),
        ("false", "false"),
    ]
    assert world.send("GET", f"{BASE}/{HANA}/@self", token=token).json["entry"]["isOwner"] == "true"
    assert ids(world.send("GET", f"{BASE}/@owner/@friends", token=token, filterBy="hasApp").json) == [KEN, MEI]


# --- Atom


def feed(world: World, path: str, **query: str) -> ElementTree.Element:
    reply = signed(world, "GET", f"{BASE}/{path}", query=query)
    assert reply.status == 200, reply
    assert reply.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert reply.headers["cache-control"] == "private, no-cache"
    return ElementTree.fromstring(reply.text)


@pytest.mark.parametrize("path", ["@me/@self.atom", "@me/@self.json?format=atom"])
def test_an_entry(world: World, path: str) -> None:
    bare, _, asked = path.partition("?")
    entry = feed(world, bare, **({"format": "atom"} if asked else {}))

    assert entry.tag == f"{ATOM}entry"
    assert entry.findtext(f"{ATOM}id") == f"urn:guid:mixi.jp:{HANA}"
    assert entry.findtext(f"{ATOM}title") == "花 (Hana)"
    assert entry.findtext(f"{ATOM}updated") == "2027-01-15T08:00:00Z"
    assert entry.findtext(f"{ATOM}author/{ATOM}uri") == f"urn:guid:mixi.jp:{HANA}"
    content = entry.find(f"{ATOM}content")
    assert content is not None
    assert content.get("type") == "application/xml"
    (person,) = content
    assert person.tag == f"{OPENSOCIAL}person"
    assert {field.tag.removeprefix(OPENSOCIAL): field.text for field in person} == entry_of(
        "hana", isViewer="true", isOwner="true"
    )


def test_a_feed(world: World) -> None:
    root = feed(world, "@me/@friends", format="atom", startIndex="1")

    assert root.tag == f"{ATOM}feed"
    assert root.findtext(f"{ATOM}id") == "http://127.0.0.1:8000/os/0.8/people/@me/@friends"
    assert [root.findtext(f"{OPENSEARCH}{name}") for name in ("startIndex", "itemsPerPage", "totalResults")] == [
        "1",
        "1",
        "2",
    ]
    assert [each.findtext(f"{ATOM}id") for each in root.findall(f"{ATOM}entry")] == [f"urn:guid:mixi.jp:{MEI}"]


def test_a_list_in_an_entry(world: World) -> None:
    entry = feed(world, "@me/@self", format="atom", fields="thumbnailDetails")

    path = f"{ATOM}content/{OPENSOCIAL}person/{OPENSOCIAL}thumbnailDetails"
    told = [(each.tag.removeprefix(OPENSOCIAL), each.text) for each in entry.findall(f"{path}/*")]
    url = "https://people.example/hana.jpg"
    assert told == [("value", url), ("url", url), ("width", "76"), ("height", "76")]


def test_a_name_that_is_asked_for(world: World) -> None:
    name = PEOPLE["hana"].display_name
    assert ask(world, "@me/@self", fields="name")["entry"] == {
        "id": HANA,
        "name": {"formatted": name, "unstructured": name},
    }
    entry = feed(world, "@me/@self", format="atom", fields="name")
    path = f"{ATOM}content/{OPENSOCIAL}person/{OPENSOCIAL}name/{OPENSOCIAL}formatted"
    assert entry.findtext(path) == name


def test_empty_parameters_are_absent(world: World) -> None:
    plain = ask(world, "@me/@friends")
    assert ask(world, "@me/@friends", format="", sortBy="", filterBy="", sortOrder="") == plain
    assert ask(world, "@me/@friends", sortBy="affinity") == plain


def test_the_token_as_st(world: World) -> None:
    token = world.token(HANA, "r_profile")
    for sent in ({"st": token}, {"headers": {"Authorization": f"OAuth2 {token}"}}):
        assert world.send("GET", f"{BASE}/@me/@self", user=None, **sent).json["entry"]["id"] == HANA


def test_names_are_escaped(world: World) -> None:
    """Characters that XML does not allow become U+FFFD."""
    name = '<b a="1">&]]>花'
    world.platform.users.change(HANA, display_name=name + "\x01\ufffe")

    assert feed(world, "@me/@self", format="atom").findtext(f"{ATOM}title") == name + "\ufffd\ufffd"


@pytest.mark.parametrize("odd", ["%01", "%EF%BF%BE", "%20%22%3C%26", "%E8%8A%B1", "%2541"])
def test_the_id_of_a_feed_is_a_url_whatever_was_asked(world: World, odd: str) -> None:
    """An unknown id is skipped, but stays in the address."""
    answer = world.send("GET", f"{BASE}/@me,{odd}/@self", token=world.token(HANA, "r_profile"), format="atom")

    root = ElementTree.fromstring(answer.text)
    address = root.findtext(f"{ATOM}id") or ""
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/os/0\.8/people/@me,(%[0-9A-F]{2}|[A-Za-z0-9&])+/@self", address)
    assert len(root.findall(f"{ATOM}entry")) == 1


@pytest.mark.parametrize("asked", ["xml", "Atom", "rss"])
def test_another_format(world: World, asked: str) -> None:
    reply = signed(world, "GET", f"{BASE}/@me/@self", query={"format": asked})

    assert reply.error == (400, "parameter_invalid", "Format must be one of: json, atom")
