"""Importing from files: reading, resuming, refused records, and memory that does not grow with the input."""

import csv
import fcntl
import gc
import json
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from admin.cli import cli
from admin.client import Client
from admin.imports import take_in
from admin.load import batches, load
from admin.progress import Progress
from admin.records import Place, Record, read

URL = "https://engawa.example"


class Importer:
    """A stand-in for `/admin/import` that can stop accepting records."""

    def __init__(self, *, dies_after: int | None = None) -> None:
        self.stored: list[Any] = []
        self.batches: list[int] = []
        self.busy: set[str] = set()
        self.left = dies_after
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            ((kind, records),) = json.loads(request.content).items()
            with self._lock:
                if self.left is not None:
                    self.left -= 1
                    if self.left < 0:
                        return httpx.Response(403, json={"error": "insufficient_scope", "error_description": "no"})
                self.batches.append(len(records))
                return httpx.Response(200, json={kind: [self._one(record) for record in records]})
        finally:
            with self._lock:
                self.at_once -= 1

    def _one(self, record: Any) -> dict[str, str]:
        if record.get("id") in self.busy:
            self.busy.discard(record["id"])
            return {"status": "refused", "error": "service_unavailable", "error_description": "busy"}
        if "bad" in record:
            return {"status": "refused", "error": "parameter_invalid", "error_description": "bad"}
        if record in self.stored:
            return {"status": "unchanged"}
        self.stored.append(record)
        return {"status": "created"}


def run(importer: Importer, kind: str, path: Path, *more: str) -> Result:
    words = ["import", kind, str(path), *more]
    environment = {"ENGAWA_ADMIN_URL": URL, "ENGAWA_ADMIN_TOKEN": "t"}
    return CliRunner().invoke(cli, words, obj=httpx.MockTransport(importer), env=environment, catch_exceptions=False)


def users(path: Path, count: int) -> list[dict[str, Any]]:
    made = [{"id": f"{n:012d}", "displayName": f"花 {n}"} for n in range(count)]
    path.write_text("".join(json.dumps(user, ensure_ascii=False) + "\n" for user in made), encoding="utf-8")
    return made


def records(path: Path, start: Place | None = None) -> list[Record]:
    with path.open("rb") as file:
        return list(read(path, file, start or Place()))


def test_json_lines_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    path.write_bytes(
        b"\xef\xbb\xbf"
        + '{"id":"花"}\r\n\n  \n[1]\n{"id": 1, \n{"a":"\xff"}\n'.encode("latin-1", "xmlcharrefreplace")
        + b'"x"\n'
        + b'{"b":"'
        + b"y" * 1_000_001
        + b'"}\n'
        + b'{"last":true}'
    )

    found = records(path)

    assert [(each.line, each.value) for each in found if each.value] == [(1, {"id": "&#33457;"}), (9, {"last": True})]
    assert [(each.line, each.problem) for each in found if each.problem] == [
        (4, "The line is not a JSON object"),
        (5, "The line is not a JSON object"),
        (6, "The line is not a JSON object"),
        (7, "The line is not a JSON object"),
        (8, "The line is too long (max=1000000 bytes)"),
    ]
    assert found[-1].after == Place(path.stat().st_size, 9)


def test_csv_with_quotes_line_ends_and_empty_cells(tmp_path: Path) -> None:
    path = tmp_path / "u.CSV"
    text = (
        "id, displayName,age,visible,publication.age,publication.gender\r\n"
        '1,"花, ""子""\n2行",30,true,nobody,\r\n'
        "\r\n"
        "2,ken,x,,,friends\r\n"
        '3,"a"b,,,,\r\n'
        "4,1,2,3,4,5,6\r\n"
        "5,mei\r\n"
    )
    path.write_text("\ufeff" + text, encoding="utf-8", newline="")

    found = records(path)

    assert [each.value for each in found if each.value] == [
        {"id": "1", "displayName": '花, "子"\n2行', "age": 30, "visible": True, "publication": {"age": "nobody"}},
        {"id": "2", "displayName": "ken", "age": "x", "publication": {"gender": "friends"}},
        {"id": "5", "displayName": "mei"},
    ]
    assert [(each.line, each.problem) for each in found if each.problem] == [
        (6, "The row cannot be read: ',' expected after '\"'"),
        (7, "The row has 7 cells, the header 6"),
    ]
    for index, each in enumerate(found):
        assert records(path, each.after) == found[index + 1 :]


@pytest.mark.parametrize("header", ["", "id,id\n", "id,\n", '"id\n', "\xff\n"])
def test_a_csv_file_needs_a_header(tmp_path: Path, header: str) -> None:
    (tmp_path / "u.csv").write_bytes(header.encode("latin-1"))

    done = run(Importer(), "users", tmp_path / "u.csv")

    assert done.exit_code == 1
    assert "must name the fields" in done.stderr


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "u.xlsx").write_text("x")

    assert run(Importer(), "users", tmp_path / "u.xlsx").exit_code == 1
    assert run(Importer(), "users", tmp_path / "absent.csv").exit_code == 2


def test_everything_arrives_in_requests_of_a_hundred(tmp_path: Path) -> None:
    made, importer = users(tmp_path / "u.jsonl", 1034), Importer()

    done = run(importer, "users", tmp_path / "u.jsonl", "--workers", "4")

    assert done.exit_code == 0
    assert done.stdout == "users: 1034 created, 0 unchanged, 0 refused\n"
    assert sorted(importer.stored, key=lambda user: str(user["id"])) == made
    assert sorted(importer.batches) == [34] + [100] * 10
    assert 1 <= importer.most_at_once <= 4
    assert list(tmp_path.iterdir()) == [tmp_path / "u.jsonl"]
    again = run(importer, "users", tmp_path / "u.jsonl", "--json")
    assert json.loads(again.stdout) == {"kind": "users", "created": 0, "unchanged": 1034, "refused": 0}


def test_few_passwords_and_few_bytes_go_together() -> None:
    def record(**fields: Any) -> Record:
        return Record(1, Place(), {"id": "x", **fields})

    assert [len(batch) for batch in batches([record(password="12345678")] * 45 + [record()] * 70)] == [20, 20, 75]
    assert max(len(batch) for batch in batches([record(address="x" * 100_000)] * 9)) == 3


def test_refused_records_are_kept_with_their_reasons(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    path.write_text('{"id":"1"}\n{"id":"2","bad":1}\nnonsense\n{"id":"3"}\n')

    done = run(Importer(), "users", path)

    assert done.exit_code == 4
    assert done.stdout == "users: 2 created, 0 unchanged, 2 refused\n"
    assert "u.jsonl.rejects.jsonl" in done.stderr
    rejects = tmp_path / "u.jsonl.rejects.jsonl"
    assert rejects.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line) for line in rejects.read_text().splitlines()] == [
        {
            "line": 2,
            "error": "parameter_invalid",
            "error_description": "bad",
            "record": {"id": "2", "bad": 1},
        },
        {
            "line": 3,
            "error": "bad_request",
            "error_description": "The line is not a JSON object",
            "record": "nonsense",
        },
    ]
    path.write_text('{"id":"1"}\n')
    assert run(Importer(), "users", path).exit_code == 0
    assert not rejects.exists()


def test_records_that_found_the_platform_busy_are_sent_again(tmp_path: Path) -> None:
    users(tmp_path / "u.jsonl", 10)
    importer = Importer()
    importer.busy = {f"{3:012d}", f"{7:012d}"}

    done = run(importer, "users", tmp_path / "u.jsonl")

    assert done.stdout == "users: 10 created, 0 unchanged, 0 refused\n"
    assert importer.batches == [10, 2]


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
@pytest.mark.parametrize("survives", [1, 5, 17])
def test_an_import_that_was_cut_short_goes_on(tmp_path: Path, suffix: str, survives: int) -> None:
    path = tmp_path / f"u.{suffix}"
    made = users(tmp_path / "u.jsonl", 2000)
    made[150]["bad"] = made[1950]["bad"] = "x"
    if suffix == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["id", "displayName", "bad"])
            writer.writeheader()
            writer.writerows(made)
    else:
        path.write_text("".join(json.dumps(user) + "\n" for user in made))
    importer = Importer(dies_after=survives)

    first = run(importer, "users", path, "--workers", "3")
    importer.left = None
    before = len(importer.stored)
    second = run(importer, "users", path, "--workers", "3", "--json")

    assert first.exit_code == 1
    assert len(importer.stored) == 1998
    told = json.loads(second.stdout)
    assert told["created"] + told["unchanged"] == 1998
    assert told["refused"] == 2
    # Only batches that were in flight are sent twice.
    assert sum(importer.batches) <= 2000 + 6 * 100
    assert before >= 100 * survives - 2
    rejects = (tmp_path / f"u.{suffix}.rejects.jsonl").read_text().splitlines()
    assert [json.loads(line)["record"]["id"] for line in rejects] == [made[150]["id"], made[1950]["id"]]


def test_a_crash_between_rejects_and_progress_writes_none_twice(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    path.write_text('{"id":"1","bad":1}\n{"id":"2"}\n')
    with path.open("rb") as file:
        progress = Progress.begin(path, file, "users", URL, restart=False)
        progress.save()
        progress.reject([{"line": 1, "record": "written, and then the run was killed"}])

    assert run(Importer(), "users", path).exit_code == 4

    assert len((tmp_path / "u.jsonl.rejects.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("input", "the file was different"),
        ("kind", "as another kind"),
        ("url", "to another platform"),
        (None, "cannot be read"),
    ],
)
def test_a_progress_that_does_not_belong_here_is_not_gone_on_with(
    tmp_path: Path, change: str | None, says: str
) -> None:
    path, progress = tmp_path / "u.jsonl", tmp_path / "u.jsonl.progress.json"
    users(path, 300)
    assert run(Importer(dies_after=1), "users", path, "--workers", "1").exit_code == 1
    saved = json.loads(progress.read_text())
    progress.write_text(json.dumps({**saved, change: "x"}) if change else "{")

    done = run(Importer(), "users", path)

    assert done.exit_code == 1
    assert says in done.stderr
    assert run(Importer(), "users", path, "--restart").stdout == "users: 300 created, 0 unchanged, 0 refused\n"


def test_two_runs_on_one_file_do_not_meet(tmp_path: Path) -> None:
    users(tmp_path / "u.jsonl", 1)
    with (tmp_path / "u.jsonl").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        done = run(Importer(), "users", tmp_path / "u.jsonl")

    assert done.exit_code == 1
    assert "is being imported by another run" in done.stderr


def endless(count: int) -> Iterator[Record]:
    """Yield friendships one by one, so that they are never all in memory."""
    for n in range(count):
        value = {"user": f"{n:012d}", "friend": f"{n + 1:012d}"}
        yield Record(n + 1, Place(n * 60, n + 1), value)


def answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"friendships": [{"status": "created"}] * request.content.count(b'friend"')})


def peak(tmp_path: Path, count: int) -> int:
    """Return the peak memory, in bytes, of an import of `count` records."""
    progress = Progress(tmp_path / "p.json", tmp_path / "r.jsonl", {})
    client = Client(URL, "t", transport=httpx.MockTransport(answer))
    tracemalloc.start()
    try:
        for part in load(client, "friendships", endless(count), workers=8, stopping=threading.Event()):
            take_in(progress, part)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        assert progress.tally.created == count


@pytest.fixture
def often_collected() -> Iterator[None]:
    """Collect garbage as often as outside tests (tests/conftest.py collects less often)."""
    thresholds = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*thresholds)


def test_memory_does_not_grow_with_the_input(tmp_path: Path, often_collected: None) -> None:
    peak(tmp_path, 1_000)  # Import modules and fill caches.
    small, large = peak(tmp_path, 3_000), peak(tmp_path, 15_000)

    # 12,000 more records, each a dictionary of two strings, would take over 4 MB; the number in flight varies.
    assert large < small + 2_000_000
    assert large < 10_000_000
