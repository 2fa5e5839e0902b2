"""Random requests: never a 5xx, always JSON in the documented shape, and a refusal changes nothing.

One of five goes through a function URL, the others through API Gateway.
"""

import json
from collections.abc import Callable
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.gateway import Request
from tests.kit.appdata_api import everything
from tests.kit.function_url import BothFronts
from tests.kit.worlds import ME, Reply, World, befriended, reply

KEY = "a-key-of-cloudfront-alone"
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"])
SUCCESSES = {200, 303, 304}

any_example = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
latin = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
key_like = st.text("ab_.-", min_size=1, max_size=4)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | texts
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | key_like, inner, max_size=4),
    max_leaves=12,
) | st.dictionaries(key_like, texts, max_size=5)
words = st.sampled_from(["set", "delete", "add", "max", "min", "append", "if", "last", "atLeast", "1", "-7", "[]", "x"])
segments = st.one_of(
    st.sampled_from(["@me", "%40me", "@self", "@friends", "@usage", "@self.json", "k3v9x2mtq7ra", "a8d1p0zzk4wn", ""]),
    texts.map(lambda text: quote(text, safe="")),
    st.binary(max_size=9).map(lambda data: quote_from_bytes(data, safe="")),
    latin.map(lambda text: text.replace("?", "")),
    st.sampled_from(["%", "%4", "%zz", "%2540me", "..", ".", "%2F", "%00", "@self.", "@self.json.atom", "x" * 2000]),
)
queries = st.one_of(
    st.just(""),
    latin.map(lambda text: "?" + text),
    st.lists(
        st.tuples(
            st.sampled_from(["fields", "format", "sortBy", "oauth_token", "access_token", "count", "%66ields"]),
            st.sampled_from(["", "*", "@all", "json", "a,b", "a,,", "%2A", "%FF", "縁".encode().decode("latin-1")])
            | latin.map(lambda text: quote(text, safe=",")),
        ),
        max_size=4,
    ).map(lambda pairs: "?" + "&".join(f"{name}={value}" for name, value in pairs)),
)
header_names = [
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Accept",
    "X-HTTP-Method-Override",
    "Cookie",
]
headers = st.dictionaries(
    st.sampled_from(header_names),
    latin
    | st.sampled_from(["*", '"a"', 'W/"a", "b"', "OAuth", "Bearer x", "application/json", "text/json;", "Basic eDp5"]),
    max_size=4,
)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    made = make_world(befriended, ENGAWA_PROXY_KEY=KEY)
    made.gateway = BothFronts(made.gateway, made.app, KEY)  # type: ignore[assignment]
    return made


@pytest.fixture
def send(world: World) -> Callable[..., Reply]:
    """Return a function that sends a request, as Hana without an Authorization of its own, and checks the response."""
    authorization = f"OAuth {world.token()}"

    def send(method: str, target: str, sent: dict[str, str], body: bytes = b"") -> Reply:
        world.clock.now += 1_001
        before = everything(world)
        told = {"Authorization": authorization} | sent
        answer = reply(world.gateway.handle(Request(method, target, list(told.items()), body)))
        if answer.status not in SUCCESSES:
            assert 400 <= answer.status < 500, answer
            assert answer.json.keys() == {"error", "error_description"}
            assert all(isinstance(value, str) and value for value in answer.json.values())
            assert answer.headers["content-type"] == "application/json; charset=utf-8"
        if answer.status == 200:
            # A ranking has counters, too.
            wanted = "entry" if method in ("GET", "PATCH") else "response_code"
            assert {wanted} <= answer.json.keys() <= {wanted, "startIndex", "itemsPerPage", "totalResults", "self"}
        if method == "GET" or answer.status not in SUCCESSES:
            assert everything(world) == before
        return answer

    return send


@any_example
@given(body=st.binary(max_size=60) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_as_a_body(send, body):
    send("POST", ME, {"Content-Type": "application/json"}, body)


@any_example
@given(document=documents, method=st.sampled_from(["POST", "PUT"]), escaped=st.booleans())
def test_any_json_as_a_body(send, document, method, escaped):
    body = json.dumps(document, ensure_ascii=escaped).encode()
    answer = send(method, ME, {"Content-Type": "application/json"}, body)
    pairs = isinstance(document, dict) and document and all(isinstance(value, str) for value in document.values())
    if answer.status == 200:
        assert pairs
        data = send("GET", ME, {}).json["entry"][0]["data"]
        assert data | document == data


@any_example
@given(changes=st.dictionaries(key_like, st.dictionaries(words, documents | words, max_size=3) | documents, max_size=4))
def test_any_changes(send, changes):
    answer = send("PATCH", ME, {"Content-Type": "application/json"}, json.dumps(changes).encode())
    if answer.status == 200:
        new = answer.json["entry"][0]["data"]
        assert new.keys() <= changes.keys()
        assert send("GET", ME, {}).json["entry"][0]["data"] | new == send("GET", ME, {}).json["entry"][0]["data"]


@any_example
@given(method=METHODS, user=segments, group=segments, tail=st.just("") | segments.map(lambda each: "/" + each))
def test_any_path(send, method, user, group, tail):
    body = b'{"k":"v"}' if method in ("POST", "PUT") else b""
    send(method, f"/2/apps/appdata/{user}/{group}{tail}", {"Content-Type": "application/json"}, body)


@any_example
@given(method=METHODS, target=latin.map(lambda text: "/2" + text))
def test_any_target(send, method, target):
    send(method, target, {})


@any_example
@given(method=METHODS, sent=headers, body=st.sampled_from([b"", b'{"k":"v"}', b"\xff"]))
def test_any_headers(send, method, sent, body):
    send(method, ME, sent, body)


@any_example
@given(method=METHODS, query=queries, group=st.sampled_from(["@self", "@friends", "@usage"]))
def test_any_query(send, method, query, group):
    body = b'{"k":"v"}' if method in ("POST", "PUT") else b""
    send(method, f"/2/apps/appdata/@me/{group}{query}", {"Content-Type": "application/json"}, body)
