"""The service models in the zip: whole for the operations in use, and small."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from chalicelib.store.aws.botocore_session import OPERATIONS
from infra import bundle, models
from infra.refusals import Refused


def whole(service: str) -> dict[str, Any]:
    model: dict[str, Any] = Loader().load_service_model(service, "service-2")
    return model


def names(shape: Shape | None, seen: dict[str, str]) -> dict[str, str]:
    """Return the names of all shapes that a shape leads to, with their types."""
    if shape is None or shape.name in seen:
        return seen
    seen[shape.name] = shape.type_name
    described: Any = shape
    inner = {"structure": lambda: described.members.values(), "list": lambda: [described.member],
             "map": lambda: [described.key, described.value]}.get(shape.type_name, list)  # fmt: skip
    for each in inner():
        names(each, seen)
    return seen


@pytest.mark.parametrize("service", OPERATIONS)
def test_each_operation_has_all_shapes_that_it_had(service: str) -> None:
    before = ServiceModel(whole(service), service)
    after = ServiceModel(models.trimmed(service, whole(service), OPERATIONS[service]), service)

    assert set(after.operation_names) == OPERATIONS[service]
    for name in OPERATIONS[service]:
        ours, theirs = after.operation_model(name), before.operation_model(name)
        assert names(ours.input_shape, {}) == names(theirs.input_shape, {})
        assert names(ours.output_shape, {}) == names(theirs.output_shape, {})
        assert [each.name for each in ours.error_shapes] == [each.name for each in theirs.error_shapes]
        assert ours.http == theirs.http
    assert after.metadata == before.metadata


def test_an_operation_that_botocore_lacks_is_refused() -> None:
    with pytest.raises(Refused, match=r"model of dynamodb has no operation Forget\."):
        models.trimmed("dynamodb", whole("dynamodb"), frozenset({"GetItem", "Forget"}))


def test_the_files_are_small_and_have_the_endpoints_of_the_services(tmp_path: Path) -> None:
    models.write(tmp_path, bundle.SERVICES)

    files = {path.name: path for path in (tmp_path / models.FOLDER).rglob("*.json")}
    assert sum(path.stat().st_size for path in (tmp_path / models.FOLDER).rglob("*.json")) < 60_000
    partitions = json.loads(files["endpoints.json"].read_text())["partitions"]
    assert partitions[0]["services"].keys() == bundle.SERVICES
    assert [each["partition"] for each in partitions] == [
        each["partition"] for each in Loader().load_data("endpoints")["partitions"]
    ]
