"""Dates are written in W3C-DTF with the deployment's offset, and in comment ids without separators."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.dates import compact, w3cdtf

MOMENT = 1_288_662_177_000


@pytest.mark.parametrize(
    ("offset", "text", "short"),
    [
        (540, "2010-11-02T10:42:57+09:00", "20101102104257"),
        (0, "2010-11-02T01:42:57+00:00", "20101102014257"),
        (-210, "2010-11-01T22:12:57-03:30", "20101101221257"),
        (840, "2010-11-02T15:42:57+14:00", "20101102154257"),
    ],
)
def test_one_moment_in_several_places(offset: int, text: str, short: str) -> None:
    assert w3cdtf(MOMENT, offset) == text
    assert compact(MOMENT, offset) == short


def test_parts_of_a_second_are_left_out_and_never_rounded_up() -> None:
    assert w3cdtf(MOMENT + 999, 540) == w3cdtf(MOMENT, 540)
    assert w3cdtf(MOMENT + 1_000, 540) == "2010-11-02T10:42:58+09:00"


@given(st.integers(0, 4_102_444_800_000), st.integers(-840, 840))
def test_what_is_written_is_that_second(milliseconds: int, offset: int) -> None:
    written = datetime.fromisoformat(w3cdtf(milliseconds, offset))

    assert written.timestamp() == milliseconds // 1_000
    assert compact(milliseconds, offset) == written.strftime("%Y%m%d%H%M%S")
    assert len(compact(milliseconds, offset)) == 14
