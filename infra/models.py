"""The service models in the zip: only the operations that the app sends, so that a cold start reads a fiftieth.

botocore reads the whole model of a service, and the endpoints of all services, to create a client. The zip has copies
of these files that are cut down to what is used; chalicelib/store/aws/botocore_session.py has botocore read them first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

from chalicelib.store.aws.botocore_session import MODELS, OPERATIONS
from infra.refusals import Refused

FOLDER = MODELS.relative_to(Path(__file__).resolve().parent.parent)


def write(tree: Path, services: frozenset[str]) -> None:
    """Write the cut models, and the endpoints of `services`, into the tree of the zip. Raises Refused."""
    loader = Loader()
    for service, operations in OPERATIONS.items():
        version = loader.determine_latest_version(service, "service-2")
        model = trimmed(service, loader.load_service_model(service, "service-2", version), operations)
        _write(tree / FOLDER / service / version / "service-2.json", model)
    _write(tree / FOLDER / "endpoints.json", _endpoints(loader.load_data("endpoints"), services))


def trimmed(service: str, model: Mapping[str, Any], operations: frozenset[str]) -> dict[str, Any]:
    """Return a service model with these operations and the shapes that they use. Raises Refused if it lacks one."""
    if missing := operations - model["operations"].keys():
        raise Refused(f"botocore's model of {service} has no operation {', '.join(sorted(missing))}.")
    kept = {name: model["operations"][name] for name in sorted(operations)}
    shapes: dict[str, Any] = {}
    left = [*_shapes_in(kept)]
    while left:
        name = left.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            left += _shapes_in(shapes[name])
    cut: dict[str, Any] = _undocumented({**model, "operations": kept, "shapes": dict(sorted(shapes.items()))})
    return cut


def _shapes_in(described: Any) -> Iterator[str]:
    """Yield the names of the shapes that a part of a model refers to."""
    if isinstance(described, dict):
        if isinstance(described.get("shape"), str):
            yield described["shape"]
        described = list(described.values())
    if isinstance(described, list):
        for each in described:
            yield from _shapes_in(each)


def _undocumented(described: Any) -> Any:
    """Return a model without its texts. A member may be called `documentation`, too: its value is no text."""
    if isinstance(described, dict):
        return {
            name: _undocumented(value)
            for name, value in described.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_undocumented(each) for each in described] if isinstance(described, list) else described


def _endpoints(endpoints: Mapping[str, Any], services: frozenset[str]) -> dict[str, Any]:
    partitions = [
        {**each, "services": {name: value for name, value in each["services"].items() if name in services}}
        for each in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _write(path: Path, described: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(described, separators=(",", ":")), encoding="utf-8")
