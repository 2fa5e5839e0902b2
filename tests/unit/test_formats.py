"""The format of items: what is written, what is read, and the change that a migration makes."""

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import OtherFormat
from chalicelib.store.aws import formats
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import ABSENT, Placeholders
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.items import Item, typed
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.migration import STEPS, rewriting, upgraded
from tests.kit.format_world import FIXTURES, stored
from tests.kit.memory import Memory, changed

TABLE = "engawa-local-directory"
KEY = ("user#a", "#")
OLD: Item = {**typed(KEY), "n": {"S": "花"}}
NEW: Item = {**OLD, "_": {"N": "2"}}
NEWER: Item = {**OLD, "_": {"N": "3"}}


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def dynamo(memory: Memory) -> Dynamo:
    return Dynamo(memory, sleep=lambda seconds: None)  # type: ignore[arg-type]


def holds(memory: Memory) -> Item:
    (item,) = memory.items.values()
    return item


def test_the_two_newest_formats_are_read() -> None:
    assert {formats.NEWEST - 1, formats.NEWEST} == formats.READABLE
    assert [formats.format_of(item) for item in (OLD, NEW, NEWER)] == [1, 2, 3]


def test_no_attribute_of_format_1_has_the_number_s_name() -> None:
    tables = stored(FIXTURES / "format-1.json.xz")["tables"]
    assert not any(formats.ATTRIBUTE in item for items in tables.values() for item in items)


def test_there_is_a_step_from_each_format_to_the_next() -> None:
    assert STEPS.keys() == set(range(formats.FIRST, formats.NEWEST))


def test_a_put_writes_the_newest_format(memory: Memory, dynamo: Dynamo) -> None:
    dynamo.put(TABLE, OLD)
    assert holds(memory) == NEW
    write = Transaction()
    write.put("user", TABLE, NEWER)
    dynamo.commit(write)
    assert holds(memory) == NEW
    assert OLD.keys() == {"pk", "sk", "n"}, "the caller's item stays as it is"


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(("before", "after"), [(None, "2"), (OLD, "2"), (NEW, "2"), (NEWER, "3")])
def test_an_update_numbers_only_what_has_no_number(
    memory: Memory, dynamo: Dynamo, before: Item | None, after: str, together: bool
) -> None:
    if before:
        memory.put_item(TableName=TABLE, Item=before)
    if together:
        write = Transaction()
        write.update("user", TABLE, KEY, Update(adds={"friends": 1}))
        dynamo.commit(write)
    else:
        dynamo.update(TABLE, KEY, Update(adds={"friends": 1}))
    assert holds(memory) == {**(before or typed(KEY)), "friends": {"N": "1"}, "_": {"N": after}}


def get(dynamo: Dynamo) -> Any:
    return dynamo.get(TABLE, KEY, consistent=True)


READS = {
    "get": get,
    "batch get": lambda dynamo: dynamo.batch_get([(TABLE, KEY)], consistent=False),
    "query": lambda dynamo: list(dynamo.query(TABLE, KEY[0], consistent=False)),
    "update with its result": lambda dynamo: dynamo.updated(TABLE, KEY, Update({"a": 1})),
    "failed condition": lambda dynamo: dynamo.put(TABLE, OLD, ABSENT),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
@pytest.mark.parametrize("item", [OLD, NEW], ids=["before", "newest"])
def test_both_formats_are_read(memory: Memory, dynamo: Dynamo, read: Any, item: Item) -> None:
    memory.put_item(TableName=TABLE, Item=item)
    try:
        assert read(dynamo)
    except Lost as lost:
        assert lost.item == item  # noqa: PT017 (only one of the reads raises it)


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_a_newer_format_is_not_misread(
    memory: Memory, dynamo: Dynamo, read: Any, caplog: pytest.LogCaptureFixture
) -> None:
    memory.put_item(TableName=TABLE, Item=NEWER)
    with caplog.at_level(logging.ERROR), pytest.raises(OtherFormat) as refused:
        read(dynamo)
    assert (refused.value.status, refused.value.retry_after) == (503, 5)
    assert refused.value.description == "The data were stored by a newer version of the service"
    assert "an item has format 3, but this version reads only [1, 2]" in caplog.text


def test_a_format_before_the_last_two_is_not_misread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_READABLE_NUMBERS", {"2", "3"})
    with pytest.raises(OtherFormat, match="older version"):
        formats.check([NEW, OLD])


def test_parts_of_items_are_not_checked(memory: Memory, dynamo: Dynamo) -> None:
    memory.put_item(TableName=TABLE, Item={**NEWER, "list": {"S": "users#1"}})
    assert list(dynamo.query(TABLE, KEY[0], consistent=False, only="pk, sk")) == [typed(KEY)]
    assert [item["pk"] for item in dynamo.listed(TABLE, "users#1")] == [{"S": "user#a"}]


def test_format_2_only_adds_the_number() -> None:
    assert upgraded("directory", OLD) == NEW
    assert upgraded("directory", NEW) == NEW
    change, condition = rewriting(OLD, NEW)
    assert (change.sets, change.removes) == ({"_": {"N": "2"}}, [])
    assert condition.expression(Placeholders()) == "attribute_exists(#0) AND attribute_not_exists(#1)"


values = st.fixed_dictionaries({"S": st.text("xy", max_size=2)})


@given(st.dictionaries(st.sampled_from("abc"), values), st.dictionaries(st.sampled_from("abcd"), values))
def test_the_change_makes_the_new_item_of_the_old_one_alone(old: Item, new: Item) -> None:
    """A step may add, change and remove attributes; a rival's change of one of these is not overwritten."""
    before, after = typed(KEY) | old, formats.numbered(typed(KEY) | new)
    memory = Memory()
    dynamo = Dynamo(memory)  # type: ignore[arg-type]
    change, condition = rewriting(before, after)
    with pytest.raises(Lost):
        dynamo.update(TABLE, KEY, change, condition)  # It was deleted: nothing returns.
    assert not memory.items
    memory.put_item(TableName=TABLE, Item=before)
    dynamo.update(TABLE, KEY, change, condition)
    assert holds(memory) == after
    with pytest.raises(Lost):
        dynamo.update(TABLE, KEY, change, condition)  # It has the newest number.
    for name in {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}:
        rival = before | {name: {"S": "of a rival"}}
        memory.put_item(TableName=TABLE, Item=rival)
        with pytest.raises(Lost):
            dynamo.update(TABLE, KEY, change, condition)
        assert holds(memory) == rival


def test_the_memory_s_if_not_exists_is_dynamodb_s() -> None:
    update = Update({"a": 1}).parameters(None)
    assert changed(dict(OLD), update)["_"] == {"N": "2"}
    assert changed(dict(NEWER), update)["_"] == {"N": "3"}
