"""The functions that Lambda calls: found by Chalice's names, and subscribed to the queue of their stage."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import app as entry
from chalicelib.api.scheduled import CANARY, CLEAN, CLEAN_SECONDS, SEND, SEND_SECONDS, SWEEP, SWEEP_SECONDS
from local import stack

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = json.loads((ROOT / ".chalice" / "config.json").read_text())
QUEUE_OF = "import app; print([source.queue for source in app.app.event_sources if hasattr(source, 'queue')])"


def test_every_function_is_where_lambda_looks_for_it() -> None:
    handlers = {source.name: source.handler_string for source in entry.app.event_sources}

    assert handlers.keys() == {SWEEP, CLEAN, CANARY, SEND}
    for name, handler in handlers.items():
        module, _, function = handler.rpartition(".")
        assert getattr(importlib.import_module(module), function) is entry.app.handler_map[name]


@pytest.mark.parametrize("stage", [None, "local", "dev", "prod"])
def test_the_queue_is_the_stage_s(stage: str | None) -> None:
    environment = CONFIG["stages"][stage]["environment_variables"] if stage else {}
    done = subprocess.run(
        [sys.executable, "-c", QUEUE_OF], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    name = f"engawa-{stage or 'local'}-cleaning"
    assert done.stdout.strip() == str([name])
    resources = yaml.safe_load(stack.TEMPLATE.read_text())["Resources"]
    template = resources["Cleaning"]["Properties"]["QueueName"]["Fn::Sub"]
    assert template.replace("${Stage}", stage or "local") == name


def test_work_ends_before_its_function_and_a_message_is_hidden_for_longer_than_five_of_them() -> None:
    [*stages] = CONFIG["stages"].values()
    timeouts = {CONFIG["lambda_timeout"]} | {
        function["lambda_timeout"]
        for settings in stages
        for name, function in settings.get("lambda_functions", {}).items()
        if name in (SWEEP, CLEAN, SEND) and "lambda_timeout" in function
    }
    resources = yaml.safe_load(stack.TEMPLATE.read_text())["Resources"]

    assert max(SWEEP_SECONDS, CLEAN_SECONDS, SEND_SECONDS) + 10 <= min(timeouts)
    assert resources["Cleaning"]["Properties"]["VisibilityTimeout"] >= 6 * max(timeouts)
