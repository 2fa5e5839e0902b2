"""The tests' Lambda runtime, with functions that succeed, fail, exit, time out or return too much."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.lambda_runtime import EventTooLarge, Function, FunctionError, TimedOut, lay_out
from local.runtime_api import MAX_PAYLOAD
from tests.kit.deployed import zipped
from tests.kit.emulated import python_version

# A test function for behaviour that the app never shows.
TRIAL = """
import json, os, time
def handler(event, context):
    if event == "raise":
        raise KeyError("secret detail")
    if event == "exit":
        os._exit(3)
    if event == "sleep":
        time.sleep(60)
    if isinstance(event, dict) and "fill" in event:
        return "x" * (event["fill"] - 2)
    import importlib.util
    return {"pid": os.getpid(), "left": context.get_remaining_time_in_millis(), "id": context.aws_request_id,
            "found": [name for name in ("pytest", "boto3", "awslambdaric") if importlib.util.find_spec(name)]}
"""


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Function]:
    """Return a function that raises, exits, sleeps or fills its response as its event says."""
    code = lay_out(tmp_path)
    code.mkdir()
    (code / "trial.py").write_text(TRIAL)
    function = Function("trial.handler", code, {"AWS_DEFAULT_REGION": "ap-northeast-1"})
    yield function
    function.stop()


def test_a_process_serves_many_events_with_nothing_of_the_tests_libraries(trial: Function) -> None:
    first, second = trial.invoke({}), trial.invoke({})

    assert first["pid"] == second["pid"]
    assert first["id"] != second["id"]
    assert 0 < first["left"] <= 29_000
    assert first["found"] == ["awslambdaric"]


@pytest.mark.parametrize(
    ("event", "why"), [("raise", "KeyError"), ("exit", "Runtime exited"), ("sleep", "timed out after 1 seconds")]
)
def test_a_function_that_fails_is_started_again(trial: Function, event: str, why: str) -> None:
    in_time = trial.seconds
    if event == "sleep":
        trial.seconds = 1
    with pytest.raises(TimedOut if event == "sleep" else FunctionError, match=why):
        trial.invoke(event)
    trial.seconds = in_time

    assert trial.invoke({})["pid"]


def test_lambda_s_bounds(trial: Function) -> None:
    frame = len(json.dumps({"pad": ""}, separators=(",", ":")))
    assert trial.invoke({"pad": "x" * (MAX_PAYLOAD - frame)})["pid"]
    with pytest.raises(EventTooLarge):
        trial.invoke({"pad": "x" * (MAX_PAYLOAD - frame + 1)})
    assert len(trial.invoke({"fill": MAX_PAYLOAD})) == MAX_PAYLOAD - 2
    with pytest.raises(FunctionError, match="ResponseSizeTooLarge"):
        trial.invoke({"fill": MAX_PAYLOAD + 1})


def test_the_zip_is_within_lambda_s_quotas() -> None:
    path = zipped(python_version())
    with zipfile.ZipFile(path) as made:
        unpacked = sum(entry.file_size for entry in made.infolist())

    assert path.stat().st_size <= 50 * 1024 * 1024
    assert 10_000_000 < unpacked <= 250 * 1024 * 1024
