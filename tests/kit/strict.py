"""A pytest plugin that lets every AWS request of the tests fail that AWS would refuse, and the test with it.

A test that sends such a request on purpose does it in `refusing()`. As `python -m tests.kit.strict MODULE` it runs a
module in a process of its own under the same rules.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import pytest
from botocore.client import BaseClient
from botocore.validate import ParamValidator

from chalicelib.store.aws.client import Dynamo
from tests.kit import api_model_rules, aws_request_rules, dynamodb_rules
from tests.kit.dynamodb_expressions import BrokenRule

BROKEN = "AWS refuses a request"
"""The beginning of each message; the log of another process has it too."""
_broken: list[str] = []


def _report(operation: str, broken: BrokenRule) -> NoReturn:
    """Raise the error again, and let the running test fail even if the app catches it."""
    _broken.append(f"{BROKEN}, {operation}: {broken}")
    # The app's own log has no texts of errors, so that the test of another process would not see this one.
    print(_broken[-1], file=sys.stderr, flush=True)
    raise BrokenRule(_broken[-1]) from broken


@contextmanager
def strict() -> Iterator[None]:
    """Check every request to AWS inside the block, to DynamoDB in detail, also those to tests/kit/memory.py."""
    send, write = BaseClient._make_api_call, Dynamo._write  # type: ignore[attr-defined]

    def sending(client: Any, operation: str, request: Any) -> Any:
        service = client.meta.service_model
        try:
            api_model_rules.check(service, operation, request)
            if service.service_name == "dynamodb":
                dynamodb_rules.check(operation, request)
            aws_request_rules.check(service.service_name, operation, request)
        except BrokenRule as broken:
            _report(operation, broken)
        except (AttributeError, KeyError, TypeError):
            # botocore itself refuses parameters that are missing or of a wrong type, if it checks them.
            if not ParamValidator().validate(request, service.operation_model(operation).input_shape).has_errors():
                raise
        return send(client, operation, request)

    def writing(dynamo: Dynamo, operation: str, *parts: Any, **request: Any) -> Any:
        # Substitutes for a client do not go through botocore.
        if not isinstance(dynamo._client, BaseClient):
            name = "".join(map(str.title, operation.split("_")))
            try:
                dynamodb_rules.check(name, request)
            except BrokenRule as broken:
                _report(name, broken)
        return write(dynamo, operation, *parts, **request)

    with ExitStack() as patches:
        patches.enter_context(patch.object(BaseClient, "_make_api_call", sending))
        patches.enter_context(patch.object(Dynamo, "_write", writing))
        yield


@contextmanager
def refusing() -> Iterator[None]:
    """Let the test go on after requests inside the block that AWS would refuse."""
    before = len(_broken)
    yield
    del _broken[before:]


def look_into(log: Path) -> None:
    """Assert that a process under the rules logged no request that AWS would refuse."""
    lines = log.read_text(errors="replace").splitlines()
    assert not any(BROKEN in line for line in lines), next(line for line in lines if BROKEN in line)


class Strict:
    """Makes all tests run under the rules."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Iterator[None]:
        with strict():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Iterator[None]:
        try:
            return (yield)
        finally:
            found = _broken[:]
            _broken.clear()
            if found:
                pytest.fail("\n".join(found), pytrace=False)


def main() -> None:
    """Run the module that the first argument names, with the other arguments."""
    del sys.argv[0]
    with strict():
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
