"""The releases of a stage: what is stored, which one a rollback goes back to, and the requests during a rollout."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib import VERSION
from infra import releases, rollout
from infra.refusals import Refused
from infra.releases import Release

BUCKET = "deployments"


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        client.create_bucket(Bucket=BUCKET)
        yield client


def release(time: int, template: str = "", repeats: int | None = None, **parameters: str) -> Release:
    again = None if repeats is None else f"2026-01-0{repeats}"
    return Release(f"2026-01-0{time}", "0.2.0", f"{time}" * 12, template or f"t{time}", parameters, 2, [1, 2], again)


def test_the_newest_releases_of_a_stage_come_first(s3: Any) -> None:
    for stage, each in (("dev", release(2)), ("dev", release(1)), ("dev2", release(3)), ("prod", release(4))):
        releases.keep(s3, BUCKET, stage, each)

    assert releases.newest(s3, BUCKET, "dev") == [release(2), release(1)]
    assert releases.newest(s3, BUCKET, "dev", 1) == [release(2)]
    assert releases.newest(s3, BUCKET, "none") == []
    with pytest.raises(Refused, match="There is no bucket elsewhere, so nothing was deployed"):
        releases.newest(s3, "elsewhere", "dev")


def test_the_same_again_is_no_new_release(s3: Any) -> None:
    releases.keep(s3, BUCKET, "dev", release(1, "t", LogDays="7"))
    releases.keep(s3, BUCKET, "dev", release(2, "t", LogDays="7"))
    assert releases.newest(s3, BUCKET, "dev") == [release(1, "t", LogDays="7")]

    releases.keep(s3, BUCKET, "dev", release(3, "t", LogDays="30"))
    releases.keep(s3, BUCKET, "dev", release(4, "t", LogDays="7"))
    assert [each.time[-1] for each in releases.newest(s3, BUCKET, "dev")] == ["4", "3", "1"]


def test_a_release_stores_no_secret(s3: Any) -> None:
    made = releases.new("dev/sam-1.yaml", {"Commit": "1f0c7d0b3a5e", "OldProxyKey": "old key", "LogDays": "7"})
    releases.keep(s3, BUCKET, "dev", made)

    assert (made.version, made.commit, made.parameters) == (
        VERSION,
        "1f0c7d0b3a5e",
        {"Commit": "1f0c7d0b3a5e", "LogDays": "7"},
    )
    body = s3.get_object(Bucket=BUCKET, Key=f"dev/releases/{made.time}.json")["Body"].read().decode()
    assert "old key" not in body
    assert Release(**json.loads(body)) == made


def test_a_destroyed_stage_has_no_releases(s3: Any) -> None:
    for stage in ("dev", "prod"):
        releases.keep(s3, BUCKET, stage, release(1))

    releases.forget(s3, BUCKET, "dev")
    releases.forget(s3, "elsewhere", "dev")

    assert (releases.newest(s3, BUCKET, "dev"), releases.newest(s3, BUCKET, "prod")) == ([], [release(1)])


@pytest.mark.parametrize(
    ("known", "chosen"),
    [
        ([release(2), release(1)], 1),
        # Each further rollback goes further back.
        ([release(4, "t2", repeats=2), release(3), release(2), release(1)], 1),
        # After a rollback, a new release, and a rollback of that one: to what was there before.
        ([release(5), release(4, "t1", repeats=1), release(3), release(2), release(1)], 3),
        # The same template with other parameters is another release; the very same is none.
        ([release(3, "t"), release(2, "t"), release(1, "t", LogDays="7")], 1),
    ],
)
def test_a_rollback_goes_to_the_release_before(known: list[Release], chosen: int) -> None:
    assert releases.before(known) == next(each for each in known if each.time == f"2026-01-0{chosen}")


def test_a_rollback_goes_to_any_release_that_is_named() -> None:
    known = [release(3), release(2), release(1)]

    assert releases.before(known, "2026-01-01") == release(1)
    again = releases.repeated(release(1))
    assert (again.template, again.repeats, again.version) == ("t1", "2026-01-01", "0.2.0")
    assert again.time > "2026-11"
    assert releases.repeated(again).repeats == "2026-01-01"


@pytest.mark.parametrize(
    ("known", "to", "complaint"),
    [
        ([], None, "There is no release before the present one. Known releases: none."),
        ([release(1)], None, "before the present one. Known releases: 2026-01-01 (0.2.0, 111111111111)."),
        ([release(2, "t1", repeats=1), release(1)], None, "There is no release before the present one."),
        ([release(1)], "2026-01-02", "There is no release of 2026-01-02. Known releases: 2026-01-01 ("),
    ],
)
def test_without_such_a_release_the_known_ones_are_listed(known: list[Release], to: str | None, complaint: str) -> None:
    with pytest.raises(Refused) as refused:
        releases.before(known, to)

    assert complaint in str(refused.value)


@pytest.mark.parametrize("to", [None, "2026-01-01"])
def test_a_release_that_cannot_read_the_items_is_refused(to: str | None) -> None:
    """A version reads the newest two formats that it knows."""
    old, next_one, present = release(1), replace(release(1), writes=3, reads=[2, 3]), release(2)
    assert releases.before([replace(present, writes=3, reads=[2, 3]), next_one], None) == next_one
    assert releases.before([present, old], to) == old

    with pytest.raises(Refused) as refused:
        releases.before([replace(present, version="0.3.0", writes=3, reads=[2, 3]), old], to)

    assert str(refused.value).startswith("0.2.0 cannot read items in format 3, which 0.3.0 has written since: restore")


def test_a_commit_says_whether_files_differ_from_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> None:
        named = ["-c", "user.name=e", "-c", "user.email=e@example.com"]
        subprocess.run(["git", "-C", tmp_path, *named, *words], check=True, capture_output=True)

    monkeypatch.setattr(releases, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert releases.commit() == "unknown"
    git("init", "--quiet")
    assert releases.commit() == "unknown"
    (tmp_path / "app.py").write_text("1")
    git("add", "app.py")
    git("commit", "--quiet", "-m", "one")
    clean = releases.commit()
    assert len(clean) == 12
    (tmp_path / "notes.txt").write_text("of the operator")
    assert releases.commit() == clean
    (tmp_path / "app.py").write_text("2")
    assert releases.commit() == f"{clean}-changed"


def test_without_git_the_commit_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    assert releases.commit() == "unknown"


def test_requests_of_a_rollout_reach_a_table_and_no_cache_and_errors_end_nothing() -> None:
    asked: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        send = rollout.requests_to(f"http://127.0.0.1:{server.server_port}")
        send()
        send()
        server.shutdown()
    # Nothing answers any more.
    send()

    assert asked.count("/health") == len(asked) / 2 == 8
    pages = [each for each in asked if each != "/health"]
    assert len(set(pages)) == len(pages)
    assert all(each.startswith("/pages/1/feeds/") for each in pages)
