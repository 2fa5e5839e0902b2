"""Settings: their defaults, and that each one that is missing or wrong is named."""

import pytest

from chalicelib.core.limits import Limits
from chalicelib.settings import Settings, WrongSetting, read

ENOUGH = {
    "ENGAWA_STAGE": "dev",
    "ENGAWA_BUCKET": "bucket",
    "ENGAWA_ISSUER": "https://api.example",
    "ENGAWA_TOKEN_KEYS_FILE": "/keys.json",
    "ENGAWA_SECRET_KEYS_FILE": "/secret-keys.json",
}
NUMBERS = [
    ("ENGAWA_QUOTA_BYTES", 1, 100_000_000),
    ("ENGAWA_MAX_KEYS", 1, 100_000),
    ("ENGAWA_FRIENDS_BYTES", 1, 100_000_000),
    ("ENGAWA_RATE_WRITES", 1, 180),
    ("ENGAWA_RATE_SECONDS", 1, 180),
]


def wrong(environment: dict[str, str]) -> str:
    with pytest.raises(WrongSetting) as caught:
        read(environment)
    return str(caught.value)


def test_what_is_not_set_is_the_original_s():
    assert read(ENOUGH) == Settings(
        "dev", "bucket", "https://api.example", "/keys.json", None, "/secret-keys.json", None, Limits()
    )
    assert read(ENOUGH).limits == Limits(99, 255, 65_535, 3_800_000, 10_000_000, 10_000, 180, 180_000, 20_000_000)


def test_every_limit_that_can_be_set_is_taken():
    values = ("1000", "20", "3000", "40", "50")
    told = {name: value for (name, _, _), value in zip(NUMBERS, values, strict=True)}
    limits = read(ENOUGH | told).limits
    assert (limits.quota_bytes, limits.keys, limits.friends_bytes, limits.writes) == (1000, 20, 3000, 40)
    assert limits.window_ms == 50_000


def test_tables_are_named_after_the_stage():
    assert read(ENOUGH).table("appdata") == "engawa-dev-appdata"


@pytest.mark.parametrize("name", ["ENGAWA_STAGE", "ENGAWA_BUCKET", "ENGAWA_ISSUER"])
def test_a_missing_setting_is_named(name):
    assert wrong({key: value for key, value in ENOUGH.items() if key != name}) == f"{name} is not set"
    assert wrong(ENOUGH | {name: ""}) == f"{name} is not set"


def test_the_token_keys_are_in_a_file_or_a_secret_and_not_in_both_or_neither():
    secret = ENOUGH | {"ENGAWA_TOKEN_KEYS_FILE": "", "ENGAWA_TOKEN_KEYS_SECRET": "keys"}
    assert read(secret).token_keys_secret == "keys"
    for told in (ENOUGH | {"ENGAWA_TOKEN_KEYS_SECRET": "keys"}, ENOUGH | {"ENGAWA_TOKEN_KEYS_FILE": ""}):
        assert wrong(told) == "Set one of ENGAWA_TOKEN_KEYS_FILE and ENGAWA_TOKEN_KEYS_SECRET"


@pytest.mark.parametrize("url", ["https://api.example/", "api.example", "ftp://api.example", "//api.example"])
def test_the_issuer_is_a_url_without_a_slash_at_its_end(url):
    told = wrong(ENOUGH | {"ENGAWA_ISSUER": url})
    assert told == f"ENGAWA_ISSUER must be an http(s) URL without a slash at its end, not {url!r}"


@pytest.mark.parametrize(("name", "least", "most"), NUMBERS)
def test_a_number_is_taken_within_its_bounds_and_named_outside(name, least, most):
    assert read(ENOUGH | {name: str(least)})
    assert read(ENOUGH | {name: str(most)})
    for text in (str(least - 1), str(most + 1), "-1", "1.5", "many", "", " 5", "1e3"):
        told = wrong(ENOUGH | {name: text})
        assert told == f"{name} must be a whole number from {least} to {most}, not {text!r}"
