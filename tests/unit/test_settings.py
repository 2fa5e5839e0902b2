"""Settings: their defaults, and errors that name each missing or wrong setting."""

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
        "dev",
        "bucket",
        "https://api.example",
        "/keys.json",
        None,
        "/secret-keys.json",
        None,
        Limits(),
        cleaning_queue="engawa-dev-cleaning",
        images_url="https://api.example/images",
    )
    assert read(ENOUGH).limits == Limits(99, 255, 65_535, 3_800_000, 10_000_000, 10_000, 180, 180_000, 20_000_000)


def test_every_limit_that_can_be_set_is_taken():
    values = ("1000", "20", "3000", "40", "50")
    told = {name: value for (name, _, _), value in zip(NUMBERS, values, strict=True)}
    limits = read(ENOUGH | told).limits
    assert (limits.quota_bytes, limits.keys, limits.friends_bytes, limits.writes) == (1000, 20, 3000, 40)
    assert limits.window_ms == 50_000


def test_a_proxy_s_key_is_long_and_is_never_told():
    own = "ENGAWA_PROXY_KEY"
    read_with_key = read(ENOUGH | {own: "k" * 16})
    assert read_with_key.proxy_keys == ("k" * 16,)
    assert "k" * 16 not in repr(read_with_key)
    assert read(ENOUGH | {own: ""}).proxy_keys == ()
    for bad in ("k" * 15, "k" * 257, "k" * 15 + " k", "鍵" * 16, "k" * 16 + " ", " " + "k" * 16):
        assert own in wrong(ENOUGH | {own: bad})
        assert bad not in wrong(ENOUGH | {own: bad})


def test_a_proxy_may_have_two_keys_while_its_key_changes():
    own = "ENGAWA_PROXY_KEY"
    assert read(ENOUGH | {own: "k" * 16 + " " + "j" * 256}).proxy_keys == ("k" * 16, "j" * 256)
    for bad in (" ".join(["k" * 16] * 3), "k" * 16 + "  " + "j" * 16, "k" * 16 + " " + "j" * 257):
        assert own in wrong(ENOUGH | {own: bad})


def test_the_queue_is_named_after_the_stage_or_by_its_setting():
    own = "ENGAWA_CLEANING_QUEUE"
    assert read(ENOUGH).cleaning_queue == "engawa-dev-cleaning"
    assert read(ENOUGH | {own: "Q-_9" * 20}).cleaning_queue == "Q-_9" * 20
    for bad in ("q" * 81, "https://sqs.example/q", "q.fifo", "q\n"):
        assert own in wrong(ENOUGH | {own: bad})


def test_tables_are_named_after_the_stage():
    assert read(ENOUGH).table("appdata") == "engawa-dev-appdata"


@pytest.mark.parametrize("name", ["ENGAWA_STAGE", "ENGAWA_BUCKET"])
def test_a_missing_setting_is_named(name):
    assert wrong({key: value for key, value in ENOUGH.items() if key != name}) == f"{name} is not set"
    assert wrong(ENOUGH | {name: ""}) == f"{name} is not set"


@pytest.mark.parametrize("over", [{"ENGAWA_STAGE": "local"}, {"ENGAWA_PROXIES": "1"}, {"ENGAWA_PROXY_KEY": "k" * 16}])
def test_the_issuer_may_be_missing_only_if_clients_call_api_gateway_itself(over):
    without = ENOUGH | {"ENGAWA_ISSUER": ""}
    assert wrong(without | over) == "ENGAWA_ISSUER is not set"
    assert (read(without).issuer, read(without).images_url) == ("", "")

    named = read(without).named("https://a.example/api")

    assert (named.issuer, named.images_url) == ("https://a.example/api", "https://a.example/api/images")
    elsewhere = read(without | {"ENGAWA_IMAGES_URL": "https://i.example"})
    assert elsewhere.named("https://a.example/api").images_url == "https://i.example"


def test_the_token_keys_are_in_a_file_or_a_secret_and_not_in_both_or_neither():
    secret = ENOUGH | {"ENGAWA_TOKEN_KEYS_FILE": "", "ENGAWA_TOKEN_KEYS_SECRET": "keys"}
    assert read(secret).token_keys_secret == "keys"
    for told in (ENOUGH | {"ENGAWA_TOKEN_KEYS_SECRET": "keys"}, ENOUGH | {"ENGAWA_TOKEN_KEYS_FILE": ""}):
        assert wrong(told) == "Set one of ENGAWA_TOKEN_KEYS_FILE and ENGAWA_TOKEN_KEYS_SECRET"


def test_the_launch_keys_are_in_a_file_or_a_secret_or_there_are_none():
    assert (read(ENOUGH).launch_keys_file, read(ENOUGH).launch_keys_secret) == (None, None)
    assert read(ENOUGH | {"ENGAWA_LAUNCH_KEYS_FILE": "/launch.json"}).launch_keys_file == "/launch.json"
    assert read(ENOUGH | {"ENGAWA_LAUNCH_KEYS_SECRET": "launch"}).launch_keys_secret == "launch"
    both = {"ENGAWA_LAUNCH_KEYS_FILE": "/launch.json", "ENGAWA_LAUNCH_KEYS_SECRET": "launch"}
    assert wrong(ENOUGH | both) == "Set one of ENGAWA_LAUNCH_KEYS_FILE and ENGAWA_LAUNCH_KEYS_SECRET"


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


def test_how_large_an_image_may_be_and_how_large_its_renditions_are():
    bounds = read(ENOUGH).image_bounds
    assert (bounds.bytes, bounds.pixels, bounds.edges) == (5_000_000, 40_000_000, (180, 76, 40))
    for name, attribute, most in (
        ("ENGAWA_IMAGE_BYTES", "bytes", 20_000_000),
        ("ENGAWA_IMAGE_PIXELS", "pixels", 80_000_000),
    ):
        for number in (1, most):
            assert getattr(read(ENOUGH | {name: str(number)}).image_bounds, attribute) == number
        for text in ("0", str(most + 1), "many"):
            assert wrong(ENOUGH | {name: text}) == f"{name} must be a whole number from 1 to {most}, not {text!r}"


def test_the_longest_edge_on_web_pages():
    assert read(ENOUGH).image_bounds.wide_edge == 1_200
    for edge in (320, 2_048):
        assert read(ENOUGH | {"ENGAWA_IMAGE_WIDE_EDGE": str(edge)}).image_bounds.wide_edge == edge
    for text in ("319", "2049", "wide"):
        told = wrong(ENOUGH | {"ENGAWA_IMAGE_WIDE_EDGE": text})
        assert told == f"ENGAWA_IMAGE_WIDE_EDGE must be a whole number from 320 to 2048, not {text!r}"


def test_the_edges_of_renditions_go_down():
    for text, edges in (("1024,2,1", (1024, 2, 1)), ("9,9,9", (9, 9, 9))):
        assert read(ENOUGH | {"ENGAWA_IMAGE_EDGES": text}).image_bounds.edges == edges
    for text in ("1025,2,1", "3,2,0", "2,3,1", "3,1,2", "3,2", "4,3,2,1", "a,b,c", "3, 2, 1", "3,2,-1", "3,2,1\n"):
        told = wrong(ENOUGH | {"ENGAWA_IMAGE_EDGES": text})
        assert told == f"ENGAWA_IMAGE_EDGES must be three whole numbers from 1024 down to 1, not {text!r}"


def test_images_are_served_below_the_issuer_or_where_the_setting_says():
    assert read(ENOUGH).images_url == "https://api.example/images"
    assert read(ENOUGH | {"ENGAWA_IMAGES_URL": "https://img.example"}).images_url == "https://img.example"
    for url in ("https://img.example/", "img.example"):
        assert "ENGAWA_IMAGES_URL" in wrong(ENOUGH | {"ENGAWA_IMAGES_URL": url})


def test_loopback_addresses_are_fetched_from_on_the_local_stage_alone():
    asked = {"ENGAWA_FETCH_LOOPBACK": "1"}
    assert read(ENOUGH).fetch_loopback is False
    assert read(ENOUGH | asked | {"ENGAWA_STAGE": "local"}).fetch_loopback is True
    assert read(ENOUGH | {"ENGAWA_STAGE": "local"}).fetch_loopback is False
    assert wrong(ENOUGH | asked) == "ENGAWA_FETCH_LOOPBACK is for the stage local alone"
    assert "ENGAWA_FETCH_LOOPBACK" in wrong(ENOUGH | {"ENGAWA_STAGE": "local", "ENGAWA_FETCH_LOOPBACK": "yes"})


def test_the_sample_is_on_the_local_stage_alone():
    asked = {"ENGAWA_SAMPLE": "1"}
    assert read(ENOUGH).sample is False
    assert read(ENOUGH | asked | {"ENGAWA_STAGE": "local"}).sample is True
    assert wrong(ENOUGH | asked) == "ENGAWA_SAMPLE is for the stage local alone"


def test_the_name_of_the_platform():
    assert read(ENOUGH).name == ""
    assert read(ENOUGH | {"ENGAWA_NAME": " 広場 <Plaza> "}).name == "広場 <Plaza>"
    assert read(ENOUGH | {"ENGAWA_NAME": 40 * "名"}).name == 40 * "名"
    for name in (41 * "名", "a\nb", "a\u202eb"):
        assert wrong(ENOUGH | {"ENGAWA_NAME": name}).startswith("ENGAWA_NAME must be at most 40 printable characters")


def test_what_the_platform_is():
    assert read(ENOUGH).about == {}
    assert read(ENOUGH | {"ENGAWA_ABOUT_JA": " 広場です。 \n\n ようこそ "}).about == {"ja": "広場です。\nようこそ"}
    both = {"ENGAWA_ABOUT_JA": 1000 * "名", "ENGAWA_ABOUT_EN": "A <b>square</b>"}
    assert read(ENOUGH | both).about == {"ja": 1000 * "名", "en": "A <b>square</b>"}
    for text in (1001 * "a", "a\u202eb", "a\tb"):
        told = "ENGAWA_ABOUT_EN must be at most 1,000 printable characters and line breaks"
        assert wrong(ENOUGH | {"ENGAWA_ABOUT_EN": text}) == told


def test_further_urls_that_old_clients_sign():
    name = "ENGAWA_SIGNED_URLS"
    assert read(ENOUGH).signed_urls == ()
    assert read(ENOUGH | {name: "http://old.example, https://older.example/x,"}).signed_urls == (
        "http://old.example",
        "https://older.example/x",
    )
    for bad in ("old.example", "https://old.example/", "https://old.example,ftp://x"):
        assert name in wrong(ENOUGH | {name: bad})


def test_whether_a_signed_body_needs_its_hash():
    name = "ENGAWA_BODY_HASH"
    assert [read(ENOUGH | {name: told}).body_hash for told in ("optional", "required")] == [False, True]
    assert not read(ENOUGH).body_hash
    assert name in wrong(ENOUGH | {name: "yes"})


@pytest.mark.parametrize("commit", ["", "unknown", "1f0c7d0b3a5e", "1f0c7d0b3a5e-changed"])
def test_a_commit_is_known_or_unknown(commit: str) -> None:
    assert read(ENOUGH | {"ENGAWA_COMMIT": commit}).commit == (commit or "unknown")


@pytest.mark.parametrize("commit", ["1f0c7d0", "1F0C7D0B3A5E", "1f0c7d0b3a5e-dirty", "1f0c7d0b3a5e\n", "<script>"])
def test_a_commit_that_health_could_not_show_is_refused(commit: str) -> None:
    assert wrong(ENOUGH | {"ENGAWA_COMMIT": commit}).startswith("ENGAWA_COMMIT must be the first 12 digits of a commit")


def test_how_long_the_action_log_is_kept() -> None:
    name = "ENGAWA_LOG_DAYS"
    assert read(ENOUGH).log_days == 365
    assert [read(ENOUGH | {name: text}).log_days for text in ("1", "3650")] == [1, 3650]
    for text in ("0", "3651", "a year"):
        assert wrong(ENOUGH | {name: text}) == f"{name} must be a whole number from 1 to 3650, not {text!r}"
