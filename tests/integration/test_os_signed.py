"""Signed requests over HTTP: permissions, refusals and stored nonces."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from botocore.exceptions import ReadTimeoutError
from oauthlib.oauth1 import SIGNATURE_TYPE_BODY, Client

from chalicelib.core.model.publication import PROFILE_FIELDS, Publication
from chalicelib.core.signatures import WINDOW_SECONDS
from chalicelib.store.aws.side_by_side import longest_chain
from local.gateway import Request
from local.in_process import reply
from tests.kit.appdata_api import nothing_changes, own_data
from tests.kit.signing import SECRET, create_app, signature_of, signed
from tests.kit.worlds import APP, HANA, KEN, TARO, YUKI, World

ME, DATA = "/os/0.8/people/@me/@self", "/os/0.8/appdata/@me/@self/@app"


@pytest.fixture
def app(world: World) -> World:
    """Return the world, with an app that has a secret."""
    create_app(world)
    return world


def test_reading_and_writing_on_behalf_of_a_user(app: World) -> None:
    assert signed(app, "POST", DATA, {"level": "5"}).json == {}
    assert signed(app, "PUT", DATA, {"name": "花"}).json == {}
    assert signed(app, "GET", DATA).json == {"entry": {f"mixi.jp:{HANA}": {"level": "5", "name": "花"}}}
    assert signed(app, "DELETE", DATA, query={"fields": "level"}).json == {}

    assert own_data(app) == {"name": "花"}
    assert signed(app, "GET", ME).json["entry"]["id"] == HANA


@pytest.mark.parametrize("fields", [",", ",,", "*,level"])
def test_names_that_got_lost_delete_nothing(app: World, fields: str) -> None:
    assert signed(app, "POST", DATA, {"level": "5"}).status == 200

    assert signed(app, "DELETE", DATA, query={"fields": fields}).error[:2] == (400, "parameter_invalid")
    assert signed(app, "DELETE", DATA, query={"fields[]": "level"}).error[:2] == (400, "parameter_invalid")
    assert own_data(app) == {"level": "5"}
    assert signed(app, "DELETE", DATA).json == {}
    assert own_data(app) == {}


def test_a_signature_in_a_form_is_no_body_that_names_keys(app: World) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    client = Client(APP, SECRET, signature_type=SIGNATURE_TYPE_BODY, timestamp=str(app.clock.now // 1000))
    for query, status in (("", 200), ("&fields=", 200), ("&field=a", 400)):
        url = f"{app.platform.settings.issuer}{DATA}?xoauth_requestor_id={HANA}{query}"
        url, headers, body = client.sign(url, "DELETE", body="", headers=dict(form))
        target = url.removeprefix(app.platform.settings.issuer)
        assert sent(app, "DELETE", (target, headers, body)).status == status


@pytest.mark.parametrize("path", [ME, DATA])
def test_a_path_that_ends_in_a_slash(app: World, path: str) -> None:
    assert signed(app, "GET", path + "/").status == 200


def test_a_laptop_has_two_names(app: World) -> None:
    assert app.platform.settings.issuer == "http://127.0.0.1:8000"
    assert sent(app, "GET", signature_of(app, "GET", DATA, base="http://localhost:8000")).status == 200


def test_rpc_takes_the_same_signature(app: World) -> None:
    params = {"userId": "@viewer", "groupId": "@self", "appId": "@app", "data": {"level": "7"}}

    answer = signed(app, "POST", "/rpc", {"method": "appdata.update", "id": 1, "params": params})

    assert "error" not in answer.json
    assert own_data(app) == {"level": "7"}


@pytest.mark.parametrize("path", ["/2/apps/appdata/@me/@self", "/2/people/@me/@self", "/admin/users"])
def test_no_other_face_takes_one(app: World, path: str) -> None:
    assert signed(app, "GET", path).status == 401
    assert app.calls == []


@pytest.mark.parametrize("user", [TARO, "nobodynobody"])
def test_a_requestor_who_has_not_installed_the_app(app: World, user: str) -> None:
    """The response does not show whether the user exists."""
    for method, path, body in (
        ("GET", ME, None),
        ("GET", DATA, None),
        ("POST", DATA, {"a": "b"}),
        ("DELETE", DATA, None),
    ):
        assert signed(app, method, path, body, user=user).error == (403, "permission_denied", "Permission denied")


PROFILE = {"gender": "female", "birthday": "1990-04-01", "age": 36, "address": "京都市", "bloodType": "AB"}
OPENSOCIALS = {
    "dateOfBirth": PROFILE["birthday"],
    "addresses": [{"formatted": PROFILE["address"], "unstructuredAddress": PROFILE["address"]}],
}
FIELDS = ",".join([*PROFILE, *OPENSOCIALS])


def show_profile(world: World, user: str, **publication: Publication) -> None:
    fields = {"blood_type" if name == "bloodType" else name: value for name, value in PROFILE.items()}
    everyone = dict.fromkeys(PROFILE_FIELDS, Publication.EVERYONE)
    world.platform.users.change(user, **fields, publication=everyone | publication)


@pytest.mark.parametrize("scopes", [(), ("mixi_apps2",), ("r_profile", "r_profile_gender")])
def test_a_signature_has_no_scopes_and_the_permission_model_alone_decides(
    world: World, scopes: tuple[str, ...]
) -> None:
    create_app(world, scopes=scopes)
    for user in (HANA, KEN, TARO):
        show_profile(world, user, gender=Publication.NOBODY if user == KEN else Publication.FRIENDS)

    def profile(user: str, *, fields: str = FIELDS) -> Any:
        answer = signed(world, "GET", f"/os/0.8/people/{user}/@self", query={"fields": fields})
        return answer.json["entry"] if answer.status == 200 else answer.status

    assert signed(world, "GET", DATA).status == 200
    assert profile(HANA) == {"id": HANA} | PROFILE | OPENSOCIALS
    kens = {name: value for name, value in PROFILE.items() if name != "gender"}
    assert profile(KEN) == {"id": KEN} | kens | OPENSOCIALS
    assert {*PROFILE, *OPENSOCIALS} <= profile(HANA, fields="@all").keys()
    assert profile(TARO) == 403


def test_on_rpc_it_has_none_either(app: World) -> None:
    show_profile(app, HANA)

    call = {"method": "people.get", "id": 1, "params": {"userId": "@viewer", "fields": [*PROFILE, *OPENSOCIALS]}}

    assert signed(app, "POST", "/rpc", call).json["result"] == {"id": HANA} | PROFILE | OPENSOCIALS


def test_in_atom_too(app: World) -> None:
    show_profile(app, HANA)

    told = signed(app, "GET", ME, query={"fields": "addresses,dateOfBirth", "format": "atom"}).text

    assert "<dateOfBirth>1990-04-01</dateOfBirth>" in told
    assert "<addresses><formatted>京都市</formatted>" in told


@pytest.mark.parametrize("owner", [TARO, "nobodynobody"])
def test_an_owner_who_has_not_installed_the_app_has_no_rows(app: World, owner: str) -> None:
    """The response does not show whether the user exists; the viewer's own rows still apply."""
    named = {"opensocial_owner_id": owner}

    for path in ("/os/0.8/people/@owner/@self", "/os/0.8/people/@owner/@friends", "/os/0.8/appdata/@owner/@self/@app"):
        assert signed(app, "GET", path, query=named).error == (403, "permission_denied", "Permission denied")
    assert signed(app, "GET", ME, query=named).json["entry"]["isOwner"] == "false"
    assert signed(app, "GET", DATA, query=named).status == 200


def test_another_owner_is_read_and_never_written(app: World) -> None:
    named = {"opensocial_owner_id": YUKI}

    assert signed(app, "GET", "/os/0.8/people/@owner/@self", query=named).json["entry"]["isOwner"] == "true"
    assert signed(app, "PUT", "/os/0.8/appdata/@owner/@self/@app", {"level": "9"}, query=named).status == 403
    assert signed(app, "PUT", DATA, {"level": "9"}, query=named).status == 200
    assert (own_data(app), own_data(app, YUKI)) == ({"level": "9"}, {})


def test_a_public_app_cannot_sign(world: World) -> None:
    create_app(world, confidential=False)

    assert signed(world, "GET", DATA, secret="").json["error"] == "consumer_key_unknown"


def test_a_new_secret_ends_the_old_one_at_once(app: World) -> None:
    fresh = app.platform.app_secrets.rotate(APP)

    answer = signed(app, "GET", DATA)

    assert (answer.status, answer.json["error"]) == (401, "signature_invalid")
    assert signed(app, "GET", DATA, secret=fresh).status == 200


def test_an_app_that_is_being_deleted(app: World) -> None:
    app.platform.apps.close(APP)

    assert signed(app, "GET", DATA).json["error"] == "consumer_key_unknown"


def sent(world: World, method: str, request: tuple[str, dict[str, str], str | None]) -> Any:
    target, headers, body = request
    return reply(world.gateway.handle(Request(method, target, list(headers.items()), (body or "").encode())))


def test_a_replay_is_refused_and_changes_nothing(app: World) -> None:
    request = signature_of(app, "POST", DATA, {"level": "5"})
    assert sent(app, "POST", request).status == 200

    with nothing_changes(app):
        again = sent(app, "POST", request)

    assert (again.status, again.json["error"]) == (401, "nonce_used")
    assert again.headers["www-authenticate"] == 'OAuth realm="", oauth_problem="nonce_used"'


def test_a_replay_is_refused_as_long_as_its_timestamp_holds(app: World) -> None:
    """A nonce is kept until its timestamp is refused; from then on DynamoDB may delete it."""
    now = app.clock.now // 1000
    for at in (now - WINDOW_SECONDS, now + WINDOW_SECONDS):
        request = signature_of(app, "GET", DATA, timestamp=str(at))
        assert sent(app, "GET", request).status == 200
        (item,) = [each for each in app.items("ephemeral") if each["pk"]["S"].startswith("nonce#")]
        last = int(item["ttl"]["N"])
        app.clock.now = (last - 1) * 1000 + 999
        assert sent(app, "GET", request).json["error"] == "nonce_used"
        app.clock.now = last * 1000
        assert sent(app, "GET", request).json["error"] == "timestamp_refused"
        app.clock.now = now * 1000
        app.dynamodb.delete_item(TableName="engawa-local-ephemeral", Key={"pk": item["pk"], "sk": item["sk"]})


def test_what_does_not_hold_leaves_no_nonce(app: World) -> None:
    assert signed(app, "GET", DATA, secret="wrong").status == 401
    assert [call.operation for call in app.calls] == ["get_item"]
    assert not app.items("ephemeral")


def test_its_price(app: World) -> None:
    """The calls for the app and the nonce come before the request's own calls; once a day the secret's use is noted."""
    assert signed(app, "GET", DATA).status == 200
    assert sorted(call.operation for call in app.calls) == ["get_item", "get_item", "put_item", "update_item"]
    assert longest_chain([call.lane for call in app.calls]) == 3
    app.calls.clear()
    assert signed(app, "GET", DATA).status == 200
    assert [call.operation for call in app.calls] == ["get_item", "put_item", "get_item"]


def test_a_nonce_whose_answer_was_lost_is_not_taken_for_a_replay(app: World, monkeypatch: pytest.MonkeyPatch) -> None:
    put, lost = app.dynamodb.put_item, list[dict[str, Any]]()

    def losing(**request: Any) -> Any:
        answer = put(**request)
        if not lost:
            lost.append(request)
            raise ReadTimeoutError(endpoint_url="dynamodb")
        return answer

    monkeypatch.setattr(app.dynamodb, "put_item", losing)

    assert signed(app, "GET", DATA).status == 200
    assert len(lost) == 1


def test_a_hash_that_is_not_the_bodys(app: World) -> None:
    target, headers, _ = signature_of(app, "POST", DATA, {"level": "5"})

    answer = sent(app, "POST", (target, headers, '{"level":"6"}'))

    assert (answer.status, answer.json["error"]) == (401, "parameter_rejected")
    assert own_data(app) == {}


@pytest.mark.parametrize(("setting", "status"), [("optional", 200), ("required", 400)])
def test_a_deployment_may_insist_on_the_hash(make_world: Any, setting: str, status: int) -> None:
    world = make_world(ENGAWA_BODY_HASH=setting)
    world.populate(HANA)
    world.platform.appdata.install(APP, HANA)
    create_app(world)
    target, headers, _ = signature_of(world, "POST", DATA)

    answer = sent(world, "POST", (target, headers | {"Content-Type": "application/json"}, '{"level":"6"}'))

    assert answer.status == status
    assert signed(world, "POST", DATA, {"level": "6"}).status == 200


def test_further_urls_of_a_deployment(make_world: Any) -> None:
    world = make_world(ENGAWA_SIGNED_URLS="http://old.example, https://older.example/x")
    world.populate(HANA)
    world.platform.appdata.install(APP, HANA)
    create_app(world)

    for base, status in (("https://old.example", 200), ("http://older.example/x", 200), ("http://new.example", 401)):
        assert sent(world, "GET", signature_of(world, "GET", DATA, base=base)).status == status


def test_the_base_string_in_the_refusal(app: World) -> None:
    answer = signed(app, "GET", DATA, secret="wrong")

    advice = answer.headers["www-authenticate"].partition('oauth_problem_advice="')[2].rstrip('"')
    assert unquote(advice).startswith(
        "GET&http%3A%2F%2F127.0.0.1%3A8000%2Fos%2F0.8%2Fappdata%2F%40me%2F%40self%2F%40app&"
    )
    assert SECRET not in answer.text + str(answer.headers)


def test_a_signature_reads_anyone_who_has_installed_the_app_and_writes_oneself(app: World) -> None:
    assert signed(app, "GET", f"/os/0.8/appdata/{YUKI}/@self/@app").status == 200
    assert signed(app, "GET", f"/os/0.8/appdata/{TARO}/@self/@app").status == 403
    assert signed(app, "POST", f"/os/0.8/appdata/{HANA}/@self/@app", {"a": "b"}).status == 200
    assert signed(app, "POST", f"/os/0.8/appdata/{KEN}/@self/@app", {"a": "b"}).status == 403


def test_the_same_routes_take_access_tokens(app: World) -> None:
    token = app.token(HANA, "mixi_apps2")

    assert app.send("POST", DATA, {"level": "5"}, token=token).json == {}
    assert app.send("GET", ME, token=token).json["error"] == "insufficient_scope"
