"""Export from a stand-in: its requests, interruptions, and memory that does not grow with the export."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from admin.cli import cli
from admin.client import Client
from admin.dry_run import Seen, check
from admin.exports import ExportProgress, export_to
from admin.failures import Failure
from admin.folder import SCOPES, file_of, opened
from admin.progress import Tally

URL = "https://engawa.example"
APPS = ["a" * 16, "b" * 16]


class Exporter:
    """A stand-in for `/admin/export` that returns `parts` parts of 100 friendships, and two apps."""

    def __init__(self, parts: int = 1) -> None:
        self.parts = parts
        self.asked: list[str] = []
        self.interrupts_at: int | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.raw_path.decode().removeprefix("/admin/export/"))
        if len(self.asked) == self.interrupts_at:
            raise KeyboardInterrupt
        kind = request.url.path.rpartition("/")[2]
        if kind == "apps":
            return httpx.Response(200, json={"entry": [{"id": app, "name": "App"} for app in APPS]})
        if kind != "friendships":
            return httpx.Response(200, json={"entry": []})
        part = int(request.url.params.get("cursor", "0"))
        entry = [{"user": f"{part:012d}", "friend": f"x{number:011d}"} for number in range(100)]
        following = {"nextCursor": str(part + 1)} if part + 1 < self.parts else {}
        return httpx.Response(200, json={"entry": entry, **following})


def run(exporter: Exporter, *words: str) -> Result:
    environment = {"ENGAWA_ADMIN_URL": URL, "ENGAWA_ADMIN_TOKEN": "t"}
    return CliRunner().invoke(
        cli, ["export", *words], obj=httpx.MockTransport(exporter), env=environment, catch_exceptions=False
    )


def test_each_list_is_asked_for_once_and_data_by_app(tmp_path: Path) -> None:
    exporter = Exporter(parts=2)

    done = run(exporter, "platform", str(tmp_path / "x"), "--secrets", "--json")

    assert json.loads(done.stdout)["records"]["friendships"] == 200
    assert exporter.asked == [
        "users?count=100&secrets=true",
        "apps?count=100&secrets=true",
        "friendships?count=100",
        "friendships?count=100&cursor=1",
        "installs?count=100",
        *(f"data?count=100&app={app}" for app in APPS),
        *(f"{kind}?count=100" for kind in SCOPES["page"]),
    ]


def test_an_export_of_a_user_asks_for_the_user_only(tmp_path: Path) -> None:
    exporter = Exporter()
    assert run(exporter, "user", "k3v9x2mtq7ra", str(tmp_path / "x")).exit_code == 0
    assert all("user=k3v9x2mtq7ra" in asked for asked in exporter.asked)


@pytest.mark.parametrize("at", [1, 3, 4, 9])
def test_ctrl_c_says_how_to_continue(tmp_path: Path, at: int) -> None:
    exporter = Exporter(parts=3)
    exporter.interrupts_at = at
    path = tmp_path / "x"

    stopped = run(exporter, "platform", str(path))

    assert stopped.exit_code == 130
    assert "the same command continues from there" in stopped.stderr
    exporter.interrupts_at = None
    assert run(exporter, "platform", str(path)).exit_code == 0
    assert len(file_of(path, "friendships").read_text().splitlines()) == 300
    assert len(exporter.asked) == 1 + len(set(exporter.asked))


def test_two_runs_into_one_folder_do_not_meet(tmp_path: Path) -> None:
    exporter = Exporter()
    seen: list[Result] = []

    def meet(request: httpx.Request) -> httpx.Response:
        if not seen:
            seen.append(run(exporter, "platform", str(tmp_path / "x")))
        return exporter(request)

    environment = {"ENGAWA_ADMIN_URL": URL, "ENGAWA_ADMIN_TOKEN": "t"}
    words = ["export", "platform", str(tmp_path / "x")]
    assert CliRunner().invoke(cli, words, obj=httpx.MockTransport(meet), env=environment).exit_code == 0
    assert seen[0].exit_code == 1
    assert "is in use by another run" in seen[0].stderr


def test_an_export_that_dies_while_it_is_packed_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, target = Exporter(), tmp_path / "x.zip"

    def die(*_: object) -> None:
        raise SystemExit(9)

    with monkeypatch.context() as patched:
        patched.setattr("admin.exports.pack", die)
        assert run(exporter, "platform", str(target)).exit_code == 9
    asked = len(exporter.asked)

    assert run(exporter, "platform", str(target)).exit_code == 0
    assert len(exporter.asked) == asked
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_a_zip_file_is_unpacked_by_one_run_only(tmp_path: Path) -> None:
    run(Exporter(), "platform", str(tmp_path / "x.zip"))
    refused = pytest.raises(Failure, match="is in use by another run")
    with opened(tmp_path / "x.zip"), refused, opened(tmp_path / "x.zip"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


def test_a_damaged_progress_is_told(tmp_path: Path) -> None:
    exporter = Exporter()
    exporter.interrupts_at = 2
    run(exporter, "platform", str(tmp_path / "x"))
    (tmp_path / "x" / "export.progress.json").write_text("{")
    assert "--restart starts from the beginning" in run(exporter, "platform", str(tmp_path / "x")).stderr
    assert run(exporter, "platform", str(tmp_path / "x"), "--restart").exit_code == 0


def test_an_export_that_lost_records_is_not_continued(tmp_path: Path) -> None:
    exporter, path = Exporter(parts=3), tmp_path / "x"
    exporter.interrupts_at = 5
    run(exporter, "platform", str(path))
    file = file_of(path, "friendships")
    file.write_bytes(file.read_bytes()[:-1])
    assert "friendships.jsonl is shorter than it was" in run(exporter, "platform", str(path)).stderr
    assert run(exporter, "platform", str(path), "--restart").exit_code == 0
    assert len(file.read_text().splitlines()) == 300


@pytest.fixture
def often_collected() -> Iterator[None]:
    """Collect garbage as often as outside tests (tests/conftest.py collects less often)."""
    thresholds = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*thresholds)


def peaks(folder: Path, parts: int) -> tuple[int, int]:
    """Return the peak memory, in bytes, of an export of so many parts, and of the dry run of its import."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"friendships": [{"status": "created"}] * request.content.count(b'friend"')})

    folder.mkdir()
    progress = ExportProgress({"scope": "platform", "secrets": False, "grants": False})
    tally = Tally()
    tracemalloc.start()
    try:
        export_to(Client(URL, "t", transport=httpx.MockTransport(Exporter(parts))), folder, progress)
        exported = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        client, seen = Client(URL, "t", transport=httpx.MockTransport(answer)), Seen()
        for _ in check(client, "friendships", file_of(folder, "friendships"), seen, workers=8, tally=tally):
            pass
        return exported, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert progress.counts["friendships"] == tally.created == parts * 100


def test_memory_does_not_grow_with_the_export(tmp_path: Path, often_collected: None) -> None:
    peaks(tmp_path / "first", 5)  # Import modules and fill caches.
    small, large = peaks(tmp_path / "small", 20), peaks(tmp_path / "large", 120)

    # 10,000 more records, each a dictionary of two strings, would take over 3 MB.
    for few, many in zip(small, large, strict=True):
        assert many < few + 2_000_000
        assert many < 10_000_000
