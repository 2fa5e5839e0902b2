"""The write window: the number of accepted writes in any span of its length never exceeds the limit."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.window import Rate, WriteWindow

LIMIT, SPAN = 180, 180_000
START = 1_800_000_000_000

limits = st.integers(1, 5)
spans = st.integers(1, 9_999)


def full(limit: int = LIMIT, gap: int = 100) -> WriteWindow:
    """Return a window with `limit` writes, the first at START, `gap` milliseconds apart."""
    return WriteWindow(tuple(START + gap * turn for turn in range(limit)))


@given(st.lists(st.integers(-3_000, 9_000), max_size=60), limits, spans)
def test_accepts_exactly_what_a_search_through_all_accepted_writes_would(steps, limit, span):
    """The clock may run backwards; a write then counts as made at the time of the newest one."""
    now, window, accepted = START, WriteWindow(), list[int]()
    for step in steps:
        now += step
        moment = max([now, *accepted])
        recent = [time for time in accepted if time > moment - span]
        assert window.admits(now, limit=limit, span=span) == (len(recent) < limit)
        if len(recent) < limit:
            window = window.with_write(now, span=span)
            accepted.append(moment)
    for first in accepted:
        assert sum(first <= time < first + span for time in accepted) <= limit


@given(st.lists(st.integers(-3_000, 9_000), max_size=40), limits, spans)
def test_times_never_run_backwards_and_never_spread_over_more_than_the_span(steps, limit, span):
    now, window = START, WriteWindow()
    for step in steps:
        now += step
        if window.admits(now, limit=limit, span=span):
            window = window.with_write(now, span=span)
        assert list(window.times) == sorted(window.times)
        assert not window.times or window.times[-1] - window.times[0] < span


@given(st.lists(st.integers(0, 9_000), min_size=1, max_size=30), limits, st.integers(1, 60).map(lambda s: s * 1000))
def test_after_the_told_seconds_a_refused_write_is_accepted(steps, limit, span):
    now, window = START, WriteWindow()
    for step in steps:
        now += step
        if window.admits(now, limit=limit, span=span):
            window = window.with_write(now, span=span)
            continue
        rate = window.rate(now, limit=limit, span=span)
        assert rate.remaining == 0
        assert 0 < rate.reset <= span // 1000
        assert window.admits(now + rate.reset * 1000, limit=limit, span=span)
        assert not window.admits(now + (rate.reset - 1) * 1000, limit=limit, span=span)


def test_the_last_allowed_write_passes_and_the_first_over_it_does_not():
    window = full(LIMIT - 1)
    now = window.times[-1]
    assert window.admits(now, limit=LIMIT, span=SPAN)
    assert not window.with_write(now, span=SPAN).admits(now, limit=LIMIT, span=SPAN)


def test_the_oldest_write_stops_counting_when_it_is_as_old_as_the_span_and_not_a_millisecond_before():
    window = full()
    assert not window.admits(START + SPAN - 1, limit=LIMIT, span=SPAN)
    assert window.admits(START + SPAN, limit=LIMIT, span=SPAN)


def test_only_one_write_passes_when_one_has_left():
    window = full().with_write(START + SPAN, span=SPAN)
    assert len(window.times) == LIMIT
    assert not window.admits(START + SPAN, limit=LIMIT, span=SPAN)


def test_a_started_second_of_waiting_is_told_as_a_whole_one():
    window = full()
    assert window.rate(START + SPAN - 1, limit=LIMIT, span=SPAN) == Rate(LIMIT, 0, 1)
    assert window.rate(START + SPAN - 1000, limit=LIMIT, span=SPAN) == Rate(LIMIT, 0, 1)
    assert window.rate(START + SPAN - 1001, limit=LIMIT, span=SPAN) == Rate(LIMIT, 0, 2)


def test_an_empty_window_has_everything_remaining_and_nothing_to_wait_for():
    assert WriteWindow().rate(START, limit=LIMIT, span=SPAN) == Rate(LIMIT, LIMIT, 0)
    assert full().rate(START + 2 * SPAN, limit=LIMIT, span=SPAN) == Rate(LIMIT, LIMIT, 0)


def test_reset_tells_when_one_more_write_will_remain():
    window = full(10, gap=1000)
    now = START + 20_000
    assert window.rate(now, limit=LIMIT, span=SPAN) == Rate(LIMIT, LIMIT - 10, 160)
    assert window.rate(now + 160_000, limit=LIMIT, span=SPAN).remaining == LIMIT - 9


def test_a_lowered_limit_waits_until_all_but_one_less_have_left():
    window = full(10, gap=1000)
    now = START + 20_000
    rate = window.rate(now, limit=3, span=SPAN)
    assert rate == Rate(3, 0, 167)
    assert window.admits(now + 167_000, limit=3, span=SPAN)
    assert not window.admits(now + 167_000 - 1, limit=3, span=SPAN)


def test_a_clock_that_lags_is_told_to_wait_by_its_own_time():
    window = full(LIMIT, gap=0)
    lagging = START - 5_000
    assert not window.admits(lagging, limit=LIMIT, span=SPAN)
    assert window.rate(lagging, limit=LIMIT, span=SPAN).reset == 185
    assert window.admits(lagging + 185_000, limit=LIMIT, span=SPAN)
