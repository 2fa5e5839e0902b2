"""JSON responses, and the handling of those that are too large for Lambda."""

import json

import pytest

from chalicelib.core.window import Rate
from chalicelib.web.json_answers import data_answer, json_answer, rate_headers, unchanged_answer

MOST = 5_500_000


class Shelf:
    """A store that keeps bodies and returns an address."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, str]] = []

    def keep(self, body: bytes, content_type: str) -> str:
        self.kept.append((body, content_type))
        return "http://elsewhere/1"


def carried(text: str) -> int:
    """Return the bytes that Lambda carries for a body: its JSON, encoded again as a string."""
    return len(json.dumps(json.dumps([text], ensure_ascii=False, separators=(",", ":")), ensure_ascii=False).encode())


def test_text_is_written_as_it_is_and_without_spaces():
    assert json_answer({"a": ["縁側", "b"]}).body == '{"a":["縁側","b"]}'


def test_nobody_but_who_asked_may_keep_an_answer():
    assert json_answer({}).headers == {
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.parametrize("character", ["x", '"', "縁", "\\", "\x00", "😀"])
def test_an_answer_stays_up_to_the_most_that_lambda_should_carry_and_goes_elsewhere_above(character):
    each, frame = carried(character * 2) - carried(character), carried("")
    longest = character * ((MOST - frame) // each)
    shelf = Shelf()
    answer = data_answer([longest], {"ETag": '"1"'}, shelf.keep)
    assert (answer.status_code, json.loads(answer.body), shelf.kept) == (200, [longest], [])

    answer = data_answer([longest + character], {"ETag": '"1"'}, shelf.keep)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "http://elsewhere/1"
    assert answer.headers["ETag"] == '"1"'
    assert json.loads(answer.body) == {"location": "http://elsewhere/1"}
    ((body, content_type),) = shelf.kept
    assert (json.loads(body), content_type) == ([longest + character], "application/json; charset=utf-8")


def test_a_304_has_the_tag_and_no_body():
    answer = unchanged_answer('"1"')
    assert (answer.status_code, answer.body, answer.headers["ETag"]) == (304, "", '"1"')


def test_rate_headers_are_there_where_the_rate_is_known():
    assert rate_headers(None) == {}
    assert rate_headers(Rate(180, 3, 17)) == {
        "X-RateLimit-Limit": "180",
        "X-RateLimit-Remaining": "3",
        "X-RateLimit-Reset": "17",
    }
