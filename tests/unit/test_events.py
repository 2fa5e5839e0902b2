"""The rules of events to apps: messages, signatures, and the schedule of attempts."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from chalicelib.core.events import (
    ATTEMPTS,
    CLAIMED,
    DEAD_MS,
    LIVES,
    Event,
    EventKind,
    claim,
    claimed,
    delay_ms,
    first_id,
    headers,
    is_event_id,
    is_success,
    new_event_id,
    new_signing_secret,
    number_in_life,
    time_in,
)

NOW = 1_800_000_000_123
APP = "6d1f0c2ab4e79853"


def event(**more: str) -> Event:
    return Event(new_event_id(NOW), APP, EventKind.INSTALLED, "user/k3v9x2mtq7ra", 0, NOW, more)


def test_a_message_names_kind_time_and_ids():
    told = event(user="k3v9x2mtq7ra", contentUri="http://quest.example/縁側")
    assert json.loads(told.message) == {
        "type": "app.installed",
        "timestamp": "2027-01-15T08:00:00.123Z",
        "data": {
            "app": APP,
            "subject": "user/k3v9x2mtq7ra",
            "sequence": 0,
            "user": "k3v9x2mtq7ra",
            "contentUri": "http://quest.example/縁側",
        },
    }
    assert told.message == told.message


@pytest.mark.parametrize("known", [0, 1], ids=["newest secret", "secret before"])
def test_the_official_verifier_accepts_it_with_each_secret(known):
    told, keys = event(user="花"), [new_signing_secret(), new_signing_secret()]
    sent = headers(told.id, told.message, keys, int(time.time()))
    assert Webhook(keys[known]).verify(told.message, sent) == json.loads(told.message)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_the_official_verifier_refuses_what_was_changed(name):
    told, key, now = event(), new_signing_secret(), int(time.time())
    sent, body = headers(told.id, told.message, [key], now), told.message
    if name == "webhook-id":
        sent[name] = new_event_id(NOW)
    elif name == "webhook-timestamp":
        sent[name] = str(now - 1)
    elif name == "body":
        body += b" "
    else:
        key = new_signing_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(body, sent)


def test_an_old_attempt_is_refused_and_a_new_one_of_the_same_event_is_not():
    told, key, now = event(), new_signing_secret(), int(time.time())
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(told.message, headers(told.id, told.message, [key], now - 3_600))
    again = headers(told.id, told.message, [key], now)
    assert again["webhook-id"] == told.id
    Webhook(key).verify(told.message, again)


def test_ids_sort_by_time_and_hold_it():
    ids = [new_event_id(NOW + turn) for turn in range(100)]
    assert ids == sorted(ids)
    assert time_in(ids[7]) == NOW + 7
    assert new_event_id(NOW - 1) < first_id(NOW) < new_event_id(NOW)
    assert all(map(is_event_id, ids))


@pytest.mark.parametrize("text", ["", "0mywpiww0abcdef", "0MYWPIWW0ABCDEFG", "0mywpiww0abcdefgh", "0mywpiww0abcde#g"])
def test_a_text_that_is_no_id(text):
    assert not is_event_id(text)


def test_the_attempts_take_three_days():
    delays = [delay_ms(attempts, 0) for attempts in range(1, ATTEMPTS)]
    assert None not in delays
    assert delays == sorted(delays, key=lambda each: each or 0)
    assert 71 * 3_600_000 < sum(each or 0 for each in delays) <= 72 * 3_600_000
    assert delay_ms(ATTEMPTS, 0) is None


@given(st.lists(st.floats(0, 1), min_size=ATTEMPTS, max_size=ATTEMPTS))
def test_any_jitter_keeps_the_order_of_delays_and_the_three_days(chances):
    found = [delay_ms(attempts + 1, chance) for attempts, chance in enumerate(chances)]
    assert found.pop() is None
    delays = [delay or 0 for delay in found]
    longest = [delay_ms(attempts, 0) or 0 for attempts in range(1, ATTEMPTS)]
    for delay, most in zip(delays, longest, strict=True):
        assert 0.8 * most - 1 <= delay <= most
    # The first attempts may lie close together: a short failure ends soon.
    assert delays[0] >= 48_000
    assert 57 * 3_600_000 < sum(delays) <= DEAD_MS


@given(st.integers(1, ATTEMPTS - 1))
def test_attempts_that_failed_together_do_not_return_together(attempts):
    assert len({delay_ms(attempts, chance / 100) for chance in range(100)}) == 100


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        (set(EventKind), [1, 2, 3]),
        ({EventKind.INSTALLED, EventKind.ERASED}, [1, 2, 2]),
        ({EventKind.ERASED}, [1, 1, 1]),
        ({EventKind.UNINSTALLED, EventKind.FEED_POSTED}, [1, 1, 2]),
    ],
)
def test_a_number_counts_only_the_kinds_that_the_app_asked_for(asked, numbers):
    kinds = (EventKind.INSTALLED, EventKind.UNINSTALLED, EventKind.ERASED)
    assert [number_in_life(kind, asked) for kind in kinds] == numbers


@given(st.sets(st.sampled_from(EventKind)))
def test_the_numbers_of_the_asked_kinds_of_a_subject_have_no_gap(asked):
    for life in LIVES:
        told = [number_in_life(kind, asked) for kind in life if kind in asked]
        assert told == list(range(1, len(told) + 1))


@given(st.sets(st.sampled_from(EventKind)))
def test_a_claim_names_the_kinds_of_contents_and_data(asked):
    assert claimed(claim(asked)) == asked & CLAIMED
    assert EventKind.INSTALLED not in CLAIMED


def test_jitter_shortens_a_delay_by_a_fifth_at_most():
    assert [delay_ms(1, chance) for chance in (0, 0.5, 1)] == [60_000, 54_000, 48_000]


@pytest.mark.parametrize(("status", "good"), [(200, True), (204, True), (299, True), (301, False), (410, False)])
def test_only_2xx_is_a_success(status, good):
    assert is_success(status) is good
    assert not is_success(None)
