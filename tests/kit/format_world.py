"""A world with every kind of item, its answers to reads, and its storage in a file: for tests of upgrades.

`python -m tests.kit.format_world FILE` writes the world in the format of the code that runs it, and with the parameters
of password hashes of that code: the items of all tables, the objects of the bucket, the queue, the keys, the ids and
secrets that tests need, and the answer to each read in `READS`. tests/fixtures/ has one file for each earlier format:

- `format-1.json.xz`: items without a number, passwords with scrypt N=2^15, r=8, p=1.

If a later version answers a read otherwise on purpose, `python -m tests.kit.format_world --answers FILE` replaces the
answers in the file, and only them; compare them with the earlier ones.
"""

from __future__ import annotations

import base64
import json
import lzma
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from chalicelib.core.model.directory import App, FeedSource, Page, User
from chalicelib.store.aws.conditions import PRESENT
from chalicelib.store.contents.items import content_of
from chalicelib.store.contents.numbered_lists import NumberedLists
from chalicelib.web import json_answers
from local import demo, keys
from local.demo_data import APPS, CAFE, CONTENT_URI, USERS
from local.in_process import APP, HANA, KEN, MEI, TARO, YUKI
from tests.kit.memory import Cloud
from tests.kit.noise import noise
from tests.kit.request_stage import BACK, PUBLIC, PUBLIC_BACK, SCOPES, RequestStage, outcome_of_reply
from tests.kit.signing import ORIGIN, SECRET, signed
from tests.kit.stage import ISSUER, MODULE, PAGE, PICTURE, QUIET, URI, one_after_the_other, post

FIXTURES = Path(__file__).parent.parent / "fixtures"
KEYS = ("token-keys", "secret-keys", "launch-keys")
PREFIX = "engawa-local-"
LEAVING, LEFT_APP, LEFT_PAGE = "l1e2a3v4i5n6", "0123456789abcdef", "40000"
"""A user, an app and a page whose deletion was interrupted."""
SHARDED, UNSHOWN = "http://application.example/sharded", "http://application.example/unshown"
_ME = "/2/apps/appdata/@me"
_PAGES = f"/2/pages/{PAGE}", f"/2/pages/{QUIET}", f"/2/pages/{CAFE.id}"


@dataclass
class FormatWorld:
    """A world with what tests need to know about it: passwords by login, tokens and ids, and the answers to `READS`."""

    stage: RequestStage
    known: dict[str, Any]
    answers: dict[str, str]


def reads(stage: RequestStage) -> dict[str, str]:
    """Return the answers of all faces to reads, by request. The reads change nothing that they read."""
    found: dict[str, str] = {}

    def ask(user: str | None, method: str, path: str, body: Any = None, app: str = APP, **query: Any) -> None:
        answer = stage.send(method, path, body, token=stage.token(user, app=app), **query)
        found[f"{user} {app} {method} {path} {body} {query}"] = outcome_of_reply(answer)

    for user in (HANA, KEN, MEI, TARO, YUKI):
        for group in ("@self", "@friends", "@usage"):
            ask(user, "GET", f"{_ME}/{group}")
        ask(user, "GET", f"{_ME}/@self", app=PUBLIC)
        ask(user, "GET", f"{_ME}/@friends", fields="level,greeting,k0007")
        for group in ("@self", "@friends"):
            ask(user, "GET", f"/2/people/@me/{group}")
            ask(user, "GET", f"/os/0.8/people/@me/{group}")
            ask(user, "GET", f"/os/0.8/appdata/@me/{group}/@app")
        batch = [{"id": "1", "method": "people.get", "params": {"userId": "@me", "groupId": "@friends"}}]
        batch += [{"id": "2", "method": "appdata.get", "params": {"userId": "@me"}}]
        ask(user, "POST", "/rpc", batch)
    for page in _PAGES:
        ask(HANA, "GET", page)
        ask(HANA, "GET", f"{page}/feeds", count="100")
        for uri in (URI, SHARDED, UNSHOWN, CONTENT_URI):
            for part in ("feeds", "comments", "favorites"):
                ask(HANA, "GET", f"{page}/{part}", contentUri=uri)
    paths = [f"/pages/{page.rpartition('/')[2]}{more}" for page in _PAGES for more in _OF_PAGE]
    paths += [f"/users/{user}{more}" for user in (HANA, KEN, MEI, TARO, YUKI, LEAVING) for more in _OF_USER]
    paths += [f"/apps/{app}{more}" for app in (*APPS.values(), LEFT_APP) for more in ("", "/installs")]
    for path in ("/users", "/apps", "/pages", *paths):
        found[f"operator GET {path}"] = _NEWER.sub("", outcome_of_reply(stage.operate("GET", path)))
    return found


_NEWER = re.compile(
    ',"(role|suspended|secretUsed|oldSecretUntil|oldSecretUsed)":null|,"secretCreated":(null|[0-9]+)'
    '|,"(iconUrl|developer|homepageUrl|privacyUrl|suspensionReason)":""|,"reports":\\[\\]'
)
"""Fields of operators' answers that later versions added, with the values that old items have."""
_OF_PAGE = ("", "/modules", "/administrators", "/followers")
_OF_USER = ("", "/friends", "/installs", "/grants", "/export")


def make(directory: Path) -> FormatWorld:
    """Return a new world with every kind of item. `directory` gets its keys."""
    keys.ensure(directory / "token-keys.json")
    keys.ensure_secret(directory / "secret-keys.json")
    keys.ensure_launch(directory / "launch-keys.json")
    cloud = Cloud()
    stage = RequestStage(directory, cloud, cloud)
    known: dict[str, Any] = {"clock": stage.clock.now, "passwords": {name: f"password of {name}" for name in USERS}}
    _load_demo(stage, directory, known["passwords"])
    _fill_directory(stage)
    _fill_appdata(stage)
    _fill_contents(stage)
    _fill_grants(stage, known)
    _fill_ephemeral(stage, known)
    return FormatWorld(stage, known, reads(stage))


def _load_demo(stage: RequestStage, directory: Path, passwords: dict[str, str]) -> None:
    secrets = {"apps": {"quest": {"clientSecret": SECRET}}}
    secrets |= {"users": {name: {"password": password} for name, password in passwords.items()}}
    (directory / demo.FILE).write_text(json.dumps(secrets), encoding="utf-8")
    demo.load(stage.platform, ISSUER, directory)
    start, scopes = "https://quest.example/start", (*SCOPES, "admin")
    stage.platform.apps.change(APP, redirect_uris=(BACK,), start_url=start, scopes=scopes, origins=(ORIGIN,))
    stage.platform.apps.change(PUBLIC, redirect_uris=(PUBLIC_BACK,), scopes=SCOPES)


def _fill_directory(stage: RequestStage) -> None:
    """Add pages with members and modules, and a user, an app and a page whose deletions were interrupted."""
    here = stage.platform
    for page, source in ((PAGE, FeedSource.ADMINISTRATORS), (QUIET, FeedSource.EVERYONE)):
        here.pages.create(Page(page, "縁側 Cafe", feed_source=source))
        here.pages.members.add_administrator(page, MEI)
        here.pages.add_module(page, APP, "menu name", MODULE)
        for user in (HANA, KEN):
            here.pages.members.add_follower(page, user)
    here.users.create(User(LEAVING, "Leaving", login="leaving"))
    here.appdata.install(APP, LEAVING, {"level": "9"})
    here.friends_and_installs.befriend(LEAVING, YUKI)
    here.users.close(LEAVING)
    here.apps.create(App(LEFT_APP, "Left", False, None, ("https://left.example/",)))
    here.apps.close(LEFT_APP)
    here.pages.create(Page(LEFT_PAGE, "Left"))
    here.pages.close(LEFT_PAGE)


def _fill_appdata(stage: RequestStage) -> None:
    """Add deflated values, values outside their ledger, more of them than the ledger lists, and abandoned ones."""
    here = stage.platform.appdata
    stage.send("POST", f"{_ME}/@self", {"deflated": "縁側でお茶を" * 60, "map": noise(4_000, 1)}, user=HANA)
    for start in range(0, 792, 99):
        stage.clock.now += 1_000
        values = {f"k{number:04}": noise(9, number) for number in range(start, start + 99)}
        assert stage.send("POST", f"{_ME}/@self", values, user=KEN).status == 200
    here.install(PUBLIC, HANA, {"photo": noise(3_500, 2)})
    here.install(PUBLIC, TARO, {"photo": noise(3_500, 3)})
    here.uninstall(PUBLIC, TARO)
    stage.send("DELETE", f"{_ME}/@self", user=HANA, token=stage.token(HANA, app=PUBLIC))
    stage.send("POST", f"{_ME}/@self", {"photo": noise(3_200, 4)}, token=stage.token(HANA, app=PUBLIC))


def _fill_contents(stage: RequestStage) -> None:
    """Add feeds that pages show and do not show, counts in shards, holes, an unused number and cleanup notes."""
    stage.post(renditions=PICTURE, body="本文")
    comments = [stage.comment(f"comment {number} 。", user) for number, user in enumerate((HANA, KEN, TARO, YUKI) * 2)]
    here = stage.platform
    for number, user in ((1, KEN), (5, KEN)):
        here.comments.delete(PAGE, URI, comments[number], user)
    for user in (HANA, KEN, TARO):
        stage.favorite(user)
    here.favorites.remove(PAGE, URI, stage.favorite(KEN), KEN)
    stage.post(UNSHOWN, HANA)
    stage.post(UNSHOWN, KEN, QUIET)
    stage.comment("on a quiet page", TARO, UNSHOWN, QUIET)
    sharded = stage.wired(
        ENGAWA_FAVORITE_SHARDS="3", **{f"ENGAWA_{key.upper().replace('-', '_')}_FILE": "/nowhere" for key in KEYS}
    )
    post(sharded, SHARDED, MEI, PAGE)
    for user in (HANA, KEN, MEI, TARO, YUKI):
        stage.favorite(user, SHARDED)
    stage.post("http://application.example/deleted", renditions=PICTURE)
    stage.comment("left behind", HANA, "http://application.example/deleted")
    stage.favorite(HANA, "http://application.example/deleted")
    stage.delete("http://application.example/deleted")
    # A feed that was posted without a contentUri, then deleted: a hole in the page's list.
    stage.delete(stage.post(None).content_uri)
    table = here.settings.table("comments")
    lists = NumberedLists(here._dynamo, table, stage.clock)
    lists.draw(content_of(PAGE, URI), PRESENT)
    here._notes.uploading("0kb5upload000")
    here._notes.leave("user#gone2gone3go", 60_000)
    here._notes.told("user#gone2gone3go")


def _fill_grants(stage: RequestStage, known: dict[str, Any]) -> None:
    """Add grants of users and of an app, unused codes, refresh tokens, and one that was rotated."""
    for name, app in (("refresh", APP), ("public refresh", PUBLIC)):
        known[name] = stage.redeem(stage.code(app), app).json["refresh_token"]
    known["rotated"] = known["public refresh"]
    answer = stage.ask_token(PUBLIC, grant_type="refresh_token", refresh_token=known["rotated"])
    known["public refresh"] = answer.json["refresh_token"]
    known["code"] = stage.code()
    assert stage.ask_token(grant_type="client_credentials").status == 200


def _fill_ephemeral(stage: RequestStage, known: dict[str, Any]) -> None:
    """Add failed sign-ins, a used nonce and server_state, the record of a post with its answer, oversized answers."""
    for _ in range(3):
        stage.fill_in("/sign_in", login="ken", password="wrong")
    signed(stage, "GET", "/os/0.8/appdata/@me/@self/@app")
    state = stage.platform.states.make(APP)
    stage.allow(scope="mixi_apps2 openid", server_state=state)
    known["once"] = '"8e03978e-40d5-43dd-bc93-6894a57f9324"'
    answer = post_once(stage, known)
    assert answer.status == 201, answer.text
    known["once answer"] = answer.text
    with patch.object(json_answers, "MOST_BYTES", 100):
        assert stage.send("GET", f"{_ME}/@self", user=HANA).status == 303


def post_once(stage: RequestStage, known: dict[str, Any]) -> Any:
    """Post the world's comment with an Idempotency-Key; a repetition gets the first answer."""
    headers = {"Idempotency-Key": known["once"]}
    path, body = f"/2/pages/{PAGE}/comments", {"comment": "only once"}
    return stage.send("POST", path, body, token=stage.token(HANA), headers=headers, contentUri=URI)


def save(world: FormatWorld, directory: Path, path: Path) -> None:
    """Write a world to a file."""
    cloud = world.stage.cloud
    tables: dict[str, list[Any]] = {}
    for (table, _, _), item in sorted(cloud.memory.items.items(), key=lambda entry: entry[0]):
        tables.setdefault(table.removeprefix(PREFIX), []).append(_encoded(item))
    text = json.dumps(
        {
            "known": world.known | {"clock": world.stage.clock.now},
            "keys": {name: (directory / f"{name}.json").read_text(encoding="utf-8") for name in KEYS},
            "tables": tables,
            "objects": {key: base64.b64encode(body).decode() for key, body in cloud.bucket.objects.items()},
            "queue": cloud.queue.messages,
            "answers": world.answers,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    path.write_bytes(lzma.compress(text.encode(), preset=9))


def stored(path: Path) -> dict[str, Any]:
    """Return the contents of a world's file; `tables` has items as boto3 returns them."""
    found: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes()))
    found["tables"] = {name: [_decoded(item) for item in items] for name, items in found["tables"].items()}
    return found


def load(path: Path, directory: Path, client: Any = None) -> FormatWorld:
    """Return a world from its file, over an AWS in memory. `directory` gets its keys."""
    found = stored(path)
    for name, text in found["keys"].items():
        (directory / f"{name}.json").write_text(text, encoding="utf-8")
    cloud = Cloud()
    for name, items in found["tables"].items():
        for item in items:
            cloud.memory.put_item(TableName=PREFIX + name, Item=item)
    cloud.bucket.objects = {key: base64.b64decode(body) for key, body in found["objects"].items()}
    cloud.queue.messages = found["queue"]
    stage = RequestStage(directory, cloud, client or cloud)
    stage.clock.now = found["known"]["clock"]
    return FormatWorld(stage, found["known"], found["answers"])


def _encoded(value: Any) -> Any:
    """Return a value as JSON: bytes become `{"base64": …}`."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {name: _encoded(each) for name, each in value.items()}
    return [_encoded(each) for each in value] if isinstance(value, list) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"base64"}:
            return base64.b64decode(value["base64"])
        return {name: _decoded(each) for name, each in value.items()}
    return [_decoded(each) for each in value] if isinstance(value, list) else value


def main() -> None:
    """Write a new world to the file that the command line names, or replace the answers in it."""
    *options, file = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name, one_after_the_other():
        directory, path = Path(name), Path(file)
        world = load(path, directory) if options == ["--answers"] else make(directory)
        if options:
            world.answers = reads(world.stage)
        save(world, directory, path)


if __name__ == "__main__":
    main()
