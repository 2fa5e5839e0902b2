"""Fills the files of an emulator that does not run: a million items in a minute, which takes an hour by requests."""

import json
from collections.abc import Iterable
from pathlib import Path

from chalicelib.store.aws import formats
from chalicelib.store.aws.items import Item, key_of


def preload(directory: Path, table: str, items: Iterable[Item]) -> None:
    """Put items into a table of the emulator whose data are in `directory`, which has that table already."""
    path = directory / "emulator" / "state" / "dynamodb.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    (stored,) = (each for each in state["payload"]["tables"]["data"].values() if each["TableName"] == table)
    for item in map(formats.numbered, items):
        partition, name = key_of(item)
        stored["items"].setdefault(partition, {})[name] = item
    path.write_text(json.dumps(state), encoding="utf-8")
