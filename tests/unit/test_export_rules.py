"""The rules of export and import: cursors, records of data, hashes, and the names of files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from admin.dry_run import Seen
from admin.failures import Failure
from admin.folder import MANIFEST, SCOPES, opened, take_images_out
from admin.output import as_json
from admin.records import LONGEST_LINE, Place, read
from chalicelib.core.appdata import Balance, absent_values
from chalicelib.core.bulk_export import (
    KEY_BYTES,
    MOST_DATA_BYTES,
    MOST_PAIRS,
    WalkPlace,
    data_records,
    from_walk_cursor,
    read_selection,
    to_walk_cursor,
    within,
)
from chalicelib.core.bulk_export import SCOPES as SELECTABLE
from chalicelib.core.bulk_import import KINDS, read_data, read_new_app, read_new_module, read_new_page
from chalicelib.core.errors import Conflict, ParameterInvalid, Refusal
from chalicelib.core.grant_records import grant_record, read_grant
from chalicelib.core.limits import Limits
from chalicelib.core.model.directory import Module
from chalicelib.core.passwords import hash_password, is_hash
from chalicelib.web.json_answers import MOST_BYTES

HANA, QUEST, CAFE = "k3v9x2mtq7ra", "6d1f0c2ab4e79853", "1234567890"
PARTS = some.none() | some.text("abcdefgh0123456789#|~", min_size=1, max_size=128)
KEY = b"A" * 43 + b"="
SALT = b"A" * 22 + b"=="


@given(PARTS, PARTS, PARTS)
def test_a_cursor_names_its_place(after: str | None, at: str | None, inner: str | None) -> None:
    place = WalkPlace(after, at, inner)
    assert from_walk_cursor("users", to_walk_cursor("users", place)) == place
    with pytest.raises(ParameterInvalid):
        from_walk_cursor("pages", to_walk_cursor("users", place))


@pytest.mark.parametrize(
    "cursor", ["", "x", "e30", "WzFd", "花", "W" * 10_000, to_walk_cursor("users", WalkPlace("x" * 129))]
)
def test_what_is_no_cursor(cursor: str) -> None:
    with pytest.raises(ParameterInvalid):
        from_walk_cursor("users", cursor)


def test_every_kind_can_be_selected_and_exported_by_some_scope() -> None:
    assert tuple(SELECTABLE) == KINDS == SCOPES["platform"]
    for scope, kinds in SCOPES.items():
        if scope != "platform":
            assert [kind for kind in kinds if scope not in SELECTABLE[kind]] == []
            assert read_selection(kinds[0], {scope: {"app": QUEST, "user": HANA, "page": CAFE}[scope]})


VALUES = some.dictionaries(
    some.text("abc.-_09", min_size=1, max_size=20), some.text(max_size=40) | some.just("\x00" * 65_535), max_size=300
)


@given(VALUES)
def test_the_records_of_data_are_all_of_them_and_each_can_be_imported(data: dict[str, str]) -> None:
    found: dict[str, str] = {}
    for record in data_records(HANA, QUEST, data):
        read = read_data(record, Limits())
        assert not found.keys() & read.data.keys()
        found |= read.data
        assert len(read.data) <= MOST_PAIRS
        assert len(as_json(record)) < LONGEST_LINE
    assert found == data


def test_the_data_of_several_users_fit_an_answer() -> None:
    assert MOST_DATA_BYTES * 6 < MOST_BYTES
    assert Limits().key_characters + len('"":"",') < KEY_BYTES
    balances = {"a": Balance(3, 0), "b": Balance(4, 0), "c": Balance(4, 0)}
    assert within(balances, 8) == ["a", "b"]
    assert within({"a": Balance(9, 0), "b": Balance(0, 0)}, 8) == ["a"]
    assert within({"a": Balance(0, 10), "b": Balance(0, 10), "c": Balance(0, 1)}, 20 * KEY_BYTES) == ["a", "b"]
    assert within({}) == []


def test_values_that_are_stored_stay() -> None:
    assert absent_values({"a": "1", "b": "2"}, {"a": "1", "c": "3"}) == {"b": "2"}
    with pytest.raises(Conflict, match="The key b exists"):
        absent_values({"a": "1", "b": "2"}, {"b": ""})


@pytest.mark.parametrize(
    ("text", "right"),
    [
        # Its salt is random: without a fixed name, parallel workers would collect different tests.
        pytest.param(hash_password("correct horse"), True, id="our own"),
        (f"scrypt$16384$8$5${SALT.decode()}${KEY.decode()}", True),
        (f"scrypt$131072$8$1${SALT.decode()}${KEY.decode()}", True),
        # Too much work or memory.
        (f"scrypt$131072$8$9${SALT.decode()}${KEY.decode()}", False),
        (f"scrypt$1048576$8$1${SALT.decode()}${KEY.decode()}", False),
        (f"scrypt$16384$99$1${SALT.decode()}${KEY.decode()}", False),
        (f"scrypt$16383$8$1${SALT.decode()}${KEY.decode()}", False),
        (f"scrypt$0$8$1${SALT.decode()}${KEY.decode()}", False),
        (f"scrypt$16384$8$0${SALT.decode()}${KEY.decode()}", False),
        (f"scrypt$16384$8$1$AAA${KEY.decode()}", False),
        (f"scrypt$16384$8$1$AAAA${KEY.decode()}", False),
        (f"scrypt$16384$8$1${SALT.decode()}${SALT.decode()}", False),
        ("$2b$12$abcdefghijklmnopqrstuv", False),
        ("", False),
    ],
)
def test_a_hash_from_elsewhere_is_taken_if_it_can_be_checked(text: str, right: bool) -> None:
    assert is_hash(text) is right


@pytest.mark.parametrize(
    ("read", "record", "said"),
    [
        (read_new_app, {"id": QUEST}, "name is missing"),
        (read_new_app, {"name": "Quest"}, "id is missing"),
        (read_new_app, {"id": QUEST, "name": "Q", "secret": "short"}, "secret must be 16 to 255"),
        (
            read_new_app,
            {"id": QUEST, "name": "Q", "confidential": False, "secret": "x" * 20},
            "A public app has no secret",
        ),
        (read_new_app, {"id": QUEST, "name": "Q", "passwordHash": ""}, "There is no field 'passwordHash'"),
        (read_new_page, {"id": CAFE, "name": "C", "followers": 3}, "There is no field 'followers'"),
        (read_new_page, {"id": CAFE, "name": "C", "created": "2026"}, "created must be milliseconds"),
        (read_new_module, {"id": "3", "app": QUEST, "name": "Q"}, "page is missing"),
        (read_new_module, {"page": CAFE, "app": QUEST, "name": "Q"}, "id is missing"),
        (read_new_module, {"page": "x", "id": "3", "app": QUEST, "name": "Q"}, "page is not the id of a page"),
        (read_new_module, 7, "The body must be a JSON object"),
    ],
)
def test_a_record_that_is_none(read: Any, record: object, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(record)
    assert caught.value.description.startswith(said)


def test_records_of_apps_and_modules_have_their_ids() -> None:
    app = {"id": QUEST, "name": "Quest", "secret": "x" * 16, "created": 5}
    assert read_new_app(app) == app
    assert read_new_module({"page": CAFE, "id": "3", "app": QUEST, "name": "Q"}) == Module(CAFE, "3", QUEST, "Q")


FAMILY = {"id": "f1", "scopes": ["mixi_apps2"], "created": 7, "expires": 9, "refresh": "h"}
GRANT = {"user": HANA, "app": QUEST, "scopes": ["mixi_apps2"], "created": 7, "used": 8, "families": [FAMILY]}


def test_a_grant_is_read_as_it_was_exported() -> None:
    more = {"redirectUri": "https://a.example/", "redirectSent": True, "challenge": "c", "salt": "s", "rotated": 6}
    for record in (GRANT, GRANT | {"families": [FAMILY | more | {"owner": HANA}, FAMILY | {"id": "f2"}]}):
        read = read_grant(record)
        assert read.grant.families == {family.label for family in read.families}
        assert grant_record(read.grant, read.families) == record


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (7, "A record must be a JSON object"),
        ({"user": HANA}, "app is missing"),
        (GRANT | {"x": 1}, "There is no field 'x'"),
        (GRANT | {"app": "x"}, "app is not the id of an app"),
        (GRANT | {"created": 0}, "created must be milliseconds"),
        (GRANT | {"scopes": ["nothing"]}, ""),
        (GRANT | {"families": []}, "families must be a list of 1 to 20"),
        (GRANT | {"families": [FAMILY] * 2}, "families must have different ids"),
        (GRANT | {"families": [FAMILY] * 21}, "families must be a list of 1 to 20"),
        (GRANT | {"families": [7]}, "A record must be a JSON object"),
        (GRANT | {"families": [FAMILY | {"refresh": ""}]}, "refresh must be 1 to 256"),
        (GRANT | {"families": [FAMILY | {"id": "a b"}]}, "id must be 1 to 256"),
        (GRANT | {"families": [FAMILY | {"expires": "9"}]}, "expires must be a time"),
        (GRANT | {"families": [FAMILY | {"expires": 10**13}]}, "expires must be seconds"),
        (GRANT | {"families": [FAMILY | {"rotated": -1}]}, "rotated must be a time"),
        (GRANT | {"families": [FAMILY | {"owner": "x"}]}, "owner is not the id of a user"),
        (GRANT | {"families": [FAMILY | {"redirectSent": "yes"}]}, "redirectSent must be true or false"),
        (GRANT | {"families": [FAMILY | {"code": "x"}]}, "There is no field 'code'"),
    ],
)
def test_a_grant_that_is_none(record: object, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_grant(record)
    assert caught.value.description.startswith(said)


def test_a_dry_run_knows_what_earlier_lines_create() -> None:
    seen = Seen()
    assert "user a" not in seen
    seen.add("user a", b"1")
    assert "user a" in seen
    assert seen.record("user a") == b"1"
    assert seen.number("friends a") == 0
    seen.set_number("friends a", 1)
    seen.set_number("friends a", 2)
    assert seen.number("friends a") == 2
    seen.add_values("a b", {"x": b"1"})
    seen.add_values("a b", {"y": b"2"})
    assert seen.values("a b", ["x", "y", "z"]) == {"x": b"1", "y": b"2"}
    assert seen.values("a c", ["x"]) == {}
    seen.close()


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "images/../../x.png", "groups.jsonl", "images/x.png", "users.jsonl/x"]
)
def test_a_zip_file_with_other_names_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, "{}")
        archive.writestr(name, "x")
    with pytest.raises(Failure, match="which is no file of an export"), opened(path):
        pass
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} <= {"x.zip", MANIFEST}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"{}"])
def test_what_is_no_zip_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(Failure, match="cannot be unpacked"), opened(path):
        pass


def test_a_zip_file_with_a_damaged_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("users.jsonl", json.dumps({"id": HANA}) * 100)
    path.write_bytes(path.read_bytes().replace(HANA.encode(), HANA[::-1].encode(), 1))
    with pytest.raises(Failure, match="cannot be unpacked: Bad CRC"), opened(path):
        pass


def test_a_platform_cannot_write_outside_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="returned an image with the key"):
        take_images_out(tmp_path, {"imageFiles": {"images/../../x.png": "AAAA"}})
    assert list(tmp_path.iterdir()) == []


def test_times_in_a_csv_file_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text(f"id,displayName,created\n{HANA},Hana,1775001600000\n{HANA},Hana,soon\n")
    with path.open("rb") as file:
        values = [record.value for record in read(path, file, Place())]
    user = {"id": HANA, "displayName": "Hana"}
    assert values == [user | {"created": 1775001600000}, user | {"created": "soon"}]
