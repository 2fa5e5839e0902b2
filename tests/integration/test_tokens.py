"""Access tokens in requests: the four ways to send one, and refusals with the exact texts that clients parse."""

import pytest

from tests.kit.appdata_api import nothing_changes
from tests.kit.worlds import APP, HANA, KEN, ME, Reply, World

OAUTH, BEARER = "oauth", "bearer"
WAYS = [
    ("OAuth {}", "", OAUTH),
    ("oauth {}", "", OAUTH),
    ("Bearer {}", "", BEARER),
    ("bearer {}", "", BEARER),
    ("", "?oauth_token={}", OAUTH),
    ("", "?access_token={}", BEARER),
    ("", "?oauth_token={}&fields=&startIndex=0", OAUTH),
    ("OAuth {}", "?access_token={}", OAUTH),
    ("Bearer {}", "?oauth_token={}", BEARER),
]
METHODS = [("GET", None), ("POST", {"k": "v"}), ("PUT", {"k": "v"}), ("DELETE", None)]

ways = pytest.mark.parametrize(("header", "query", "dialect"), WAYS)


def send(world: World, token: str, header: str, query: str, method: str = "GET", body: object = None) -> Reply:
    headers = {"Authorization": header.format(token)} if header else {}
    return world.send(method, ME + query.format(token), body, user=None, headers=headers)


def refusal(reply: Reply) -> tuple[int, str, str]:
    """Return status, `error` and `WWW-Authenticate`."""
    assert reply.json.keys() == {"error", "error_description"}
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    return reply.status, reply.json["error"], reply.headers["www-authenticate"]


@ways
def test_a_token_is_taken_in_each_way(world: World, header, query, dialect):
    for method, body in METHODS:
        assert send(world, world.token(), header, query, method, body).status == 200


@ways
def test_an_expired_token_is_told_in_the_dialect_it_came_in(world: World, header, query, dialect):
    expected = {
        OAUTH: (401, "expired_token", "OAuth error='expired_token'"),
        BEARER: (
            401,
            "invalid_token",
            'Bearer error="invalid_token", error_description="The access token has expired"',
        ),
    }
    for method, body in METHODS:
        assert refusal(send(world, world.token(lifetime=-1), header, query, method, body)) == expected[dialect]


@ways
def test_an_invalid_token_is_told_in_the_dialect_it_came_in(world: World, header, query, dialect):
    expected = {
        OAUTH: (401, "invalid_token", "OAuth error='invalid_token'"),
        BEARER: (
            401,
            "invalid_token",
            'Bearer error="invalid_token", error_description="The access token is not valid"',
        ),
    }
    for token in ("x", world.token() + "x", "a.b.c", world.token()[:-5], "x" * 5000):
        assert refusal(send(world, token, header, query)) == expected[dialect]


@ways
def test_a_missing_scope_is_told_in_the_dialect_of_the_token(world: World, header, query, dialect):
    expected = {
        OAUTH: (403, "insufficient_scope", "OAuth error='insufficient_scope',scope='mixi_apps2'"),
        BEARER: (
            403,
            "insufficient_scope",
            'Bearer error="insufficient_scope", '
            'error_description="The access token does not have the scope mixi_apps2", scope="mixi_apps2"',
        ),
    }
    token = world.token(HANA, "r_profile", "mixi_apps", "mixi_apps22")
    for method, body in METHODS:
        assert refusal(send(world, token, header, query, method, body)) == expected[dialect]


@pytest.mark.parametrize(
    ("header", "query"),
    [("", ""), ("OAuth", ""), ("Bearer ", ""), ("Basic eDp5", ""), ("x", ""), ("", "?oauth_token="), ("", "?token=x")],
)
def test_without_a_token_the_answer_is_in_the_older_dialect(world: World, header, query):
    for method, body in METHODS:
        reply = send(world, "", header, query, method, body)
        assert refusal(reply) == (401, "invalid_request", "OAuth error='invalid_request'")
        assert reply.json["error_description"] == "An access token is needed"


@pytest.mark.parametrize(
    ("header", "query"),
    [
        ("OAuth {one}", "?oauth_token={other}"),
        ("Bearer {one}", "?access_token={other}"),
        ("", "?oauth_token={one}&access_token={other}"),
        ("", "?oauth_token={one}&oauth_token={other}"),
        ("OAuth {one}", "?access_token=nonsense"),
    ],
)
def test_two_different_tokens_are_refused_though_both_are_good(world: World, header, query):
    two = {"one": world.token(), "other": world.token()}
    with nothing_changes(world):
        for method, body in METHODS:
            headers = {"Authorization": header.format(**two)} if header else {}
            reply = world.send(method, ME + query.format(**two), body, user=None, headers=headers)
            assert reply.error == (400, "invalid_request", "More than one access token was sent")
            assert refusal(reply)[2] == "OAuth error='invalid_request'"


def test_a_token_of_another_deployment_is_invalid(world: World, make_world):
    other = make_world(ENGAWA_ISSUER="https://elsewhere.example")
    assert send(world, other.token(), "OAuth {}", "").error[:2] == (401, "invalid_token")


def test_a_refused_token_costs_no_call(world: World):
    for token in ("x", world.token(lifetime=-1), world.token(HANA, "r_profile"), world.token(None)):
        assert send(world, token, "OAuth {}", "").status in (401, 403)
    assert world.calls == []


def test_the_token_says_whose_data_me_are(world: World):
    for user in (HANA, KEN):
        reply = send(world, world.token(user), "OAuth {}", "")
        assert reply.json["entry"][0]["id"] == user


def test_an_app_s_own_token_is_refused_also_where_a_user_has_its_id(world: World):
    world.populate(APP)
    world.platform.appdata.install(APP, APP)
    reply = send(world, world.token(None), "OAuth {}", "")
    assert reply.error == (403, "permission_denied", "This needs a user's access token")
    assert "www-authenticate" not in reply.headers


def test_a_permission_denied_asks_for_no_other_token(world: World):
    reply = world.send("GET", "/2/apps/appdata/nobody/@self")
    assert reply.status == 403
    assert "www-authenticate" not in reply.headers
