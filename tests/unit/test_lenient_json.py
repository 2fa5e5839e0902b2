"""JSON with commas after the last member of an object or list, as in old samples."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import BadRequest
from chalicelib.web.requests import json_text

TEXT = st.text(st.sampled_from(',}]{[":\\\n\t\u3000 a縁'), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
SPACE = st.text(st.sampled_from(" \t\r\n"), max_size=2)


@st.composite
def with_commas(draw: st.DrawFn, value: Any) -> str:
    """Return a value as JSON, with random spaces anywhere and random commas after last members."""
    space = draw(SPACE)
    if isinstance(value, list | dict) and value:
        shown = [draw(with_commas(each)) for each in value] if isinstance(value, list) else [
            f"{json.dumps(name)}:{draw(with_commas(each))}" for name, each in value.items()
        ]  # fmt: skip
        left, right = "[]" if isinstance(value, list) else "{}"
        comma = "," + draw(SPACE) if draw(st.booleans()) else ""
        return f"{space}{left}{(',' + space).join(shown)}{space}{comma}{right}"
    return space + json.dumps(value, ensure_ascii=draw(st.booleans()))


@given(VALUES.flatmap(lambda value: st.tuples(st.just(value), with_commas(value))))
def test_commas_after_last_members_change_nothing(pair):
    value, text = pair
    assert json_text(text, lenient=True) == value


@given(VALUES)
def test_what_is_json_is_read_as_it_is(value):
    text = json.dumps(value)
    assert json_text(text, lenient=True) == json_text(text.encode(), lenient=True) == json_text(text) == value


@given(st.text(st.sampled_from("[[]],,{} \n1"), max_size=12))
def test_nothing_else_becomes_json(text):
    """Accepted text has no empty member, and is JSON after each comma before a closing bracket is removed."""
    try:
        read = json_text(text, lenient=True)
    except BadRequest:
        return
    bare = "".join(text.split())
    assert not any(empty in bare for empty in ("[,", "{,", ",,"))
    assert json.dumps(read, separators=(",", ":")) == bare.replace(",]", "]").replace(",}", "}")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"a":1,}', {"a": 1}),
        ("[1,]", [1]),
        ('{"a":[1,2 , \n],"b":{"c":"",\t},\r\n}', {"a": [1, 2], "b": {"c": ""}}),
        ('{"a":",}",}', {"a": ",}"}),
        ('["\\\\",]', ["\\"]),
        ('["\\",]",]', ['",]']),
        ("[[],{},]", [[], {}]),
        ("\ufeff[1,]", [1]),
    ],
)
def test_one_comma_may_follow_the_last_member(text, read):
    assert json_text(text, lenient=True) == read
    with pytest.raises(BadRequest, match="not valid JSON"):
        json_text(text)


@pytest.mark.parametrize(
    "text",
    ["[,]", "{,}", "[ ,]", "{\n,}", "[1,,]", "[,1]", '{"a":1,,}', "[1,],", ",", "1,", '{"a":,}', "[1,\u3000]",
     "[1,\x0b]", '["a,]', '["a\\",]', "[1,}", '{"a"=1,}', "[1;]", "", '"a",'],
)  # fmt: skip
def test_other_commas_may_not(text):
    for raw in (text, text.encode()):
        with pytest.raises(BadRequest) as caught:
            json_text(raw, lenient=True)
        assert caught.value.description == "The body is not valid JSON"


def test_what_is_refused_else_is_refused_here_too():
    for text, said in (
        ('{"a":1,"a":2,}', "A name appears twice in one JSON object"),
        ("[NaN,]", "NaN is not JSON"),
        ("[" * 100_000, "The JSON is nested too deeply"),
        (b'["\xff",]', "The body is not UTF-8"),
    ):
        with pytest.raises(BadRequest) as caught:
            json_text(text, lenient=True)
        assert caught.value.description == said


@pytest.mark.parametrize("part", ['"\\', '"', ",", "[ ", "{", ", ", '"\\"', "\\", '"a', ",\n\n\n"])
def test_hostile_text_of_two_megabytes_costs_a_moment(part):
    text = "5" + part * (2_000_000 // len(part))
    began = time.process_time()
    with pytest.raises(BadRequest):
        json_text(text, lenient=True)
    assert time.process_time() - began < 10
