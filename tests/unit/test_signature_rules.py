"""The parameters of a signed request, apart from its signature: the last good and first refused value of each."""

from __future__ import annotations

import pytest

from chalicelib.core.errors import SignatureRefused
from chalicelib.core.oauth import OPERATOR
from chalicelib.core.people import FIELDS
from chalicelib.core.signatures import SCOPES, SignedRequest, check_body, read

NOW, HANA, KEN, KEY = 1_800_000_000, "k3v9x2mtq7ra", "a8d1p0zzk4wn", "6d1f0c2ab4e79853"
GIVEN = {
    "oauth_consumer_key": KEY,
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": str(NOW),
    "oauth_nonce": "n",
    "oauth_signature": "s",
    "xoauth_requestor_id": HANA,
}
SIGNED = SignedRequest(KEY, HANA, HANA, NOW, "n", "s", None)


def signed(**changed: str | None) -> SignedRequest:
    """Return the request that is read with some parameters changed; None: absent."""
    return read([(name, value) for name, value in (GIVEN | changed).items() if value is not None], NOW)


def told(refusal: SignatureRefused) -> tuple[int, str, str, dict[str, str]]:
    return refusal.status, refusal.error, refusal.description, refusal.details


def test_a_signed_request_is_read() -> None:
    assert signed() == signed(oauth_version="1.0", oauth_token="", more="x") == SIGNED
    assert signed(oauth_body_hash="h").body_hash == "h"
    assert signed(xoauth_requestor_id=f"mixi.jp:{HANA}").requestor == HANA
    assert signed(opensocial_owner_id="") == SIGNED
    for owner in (KEN, f"mixi.jp:{KEN}"):
        assert (signed(opensocial_owner_id=owner).requestor, signed(opensocial_owner_id=owner).owner) == (HANA, KEN)
    assert signed(oauth_nonce="n" * 255).nonce == "n" * 255
    for timestamp in (NOW - 300, NOW + 300):
        assert signed(oauth_timestamp=str(timestamp)).timestamp == timestamp
    assert signed(oauth_timestamp=f"00{NOW}").timestamp == NOW


CLOCK = "The oauth_timestamp is more than 300 seconds from this server's clock"
WINDOW = {"oauth_acceptable_timestamps": f"{NOW - 300}-{NOW + 300}"}
WHOLE = "The oauth_timestamp must be whole seconds since 1970"


@pytest.mark.parametrize(
    ("changed", "status", "problem", "said", "details"),
    [
        (
            {"oauth_nonce": "", "xoauth_requestor_id": None},
            400,
            "parameter_absent",
            "Missing: oauth_nonce, xoauth_requestor_id",
            {"oauth_parameters_absent": "oauth_nonce&xoauth_requestor_id"},
        ),
        (
            {"oauth_version": "1.1"},
            400,
            "version_rejected",
            "The oauth_version must be 1.0",
            {"oauth_acceptable_versions": "1.0-1.0"},
        ),
        (
            {"oauth_signature_method": "PLAINTEXT"},
            400,
            "signature_method_rejected",
            "The signature method must be HMAC-SHA1",
            {},
        ),
        ({"oauth_token": "t"}, 401, "token_rejected", "The app signs for itself: it must not send an oauth_token", {}),
        ({"oauth_timestamp": str(NOW - 301)}, 401, "timestamp_refused", CLOCK, WINDOW),
        ({"oauth_timestamp": str(NOW + 301)}, 401, "timestamp_refused", CLOCK, WINDOW),
        ({"oauth_timestamp": "9" * 12}, 401, "timestamp_refused", CLOCK, WINDOW),
        *(
            ({name: value}, 400, "parameter_rejected", said, {"oauth_parameters_rejected": name})
            for name, value, said in (
                ("oauth_timestamp", f"000{NOW}", WHOLE),
                ("oauth_timestamp", "-1", WHOLE),
                ("oauth_timestamp", "１", WHOLE),
                ("oauth_nonce", "n" * 256, "The oauth_nonce is too long (max=255)"),
                ("xoauth_requestor_id", "hana", "xoauth_requestor_id must be the id of a user"),
                ("opensocial_owner_id", "ken", "opensocial_owner_id must be the id of a user"),
            )
        ),
    ],
)
def test_what_does_not_hold(
    changed: dict[str, str | None], status: int, problem: str, said: str, details: dict[str, str]
) -> None:
    with pytest.raises(SignatureRefused) as caught:
        signed(**changed)
    assert told(caught.value) == (status, problem, said, details)


@pytest.mark.parametrize(
    ("names", "rejected"),
    [
        (["oauth_nonce", "xoauth_requestor_id", "oauth_nonce"], "oauth_nonce"),
        (
            ["oauth_nonce", "oauth_body_hash", "xoauth_requestor_id"] * 2,
            "oauth_body_hash&oauth_nonce&xoauth_requestor_id",
        ),
        (["opensocial_owner_id"] * 2, "opensocial_owner_id"),
        (["oauth_version", "oauth_version"], "oauth_parameters"),
    ],
)
def test_a_parameter_that_stands_twice(names: list[str], rejected: str) -> None:
    with pytest.raises(SignatureRefused) as caught:
        read([(name, "x") for name in names], NOW)
    details = {"oauth_parameters_rejected": rejected}
    assert told(caught.value) == (400, "parameter_rejected", "A parameter appears twice", details)


def test_other_parameters_may_stand_twice() -> None:
    assert read([*GIVEN.items(), ("fields", "a"), ("fields", "b")], NOW) == SIGNED


# The body

HASHED = signed(oauth_body_hash="h")


def test_a_body_is_what_is_signed() -> None:
    check_body(SIGNED, "h", form=True, needed=True)
    check_body(SIGNED, "h", form=False, needed=False)
    check_body(HASHED, "h", form=False, needed=True)


@pytest.mark.parametrize(
    ("request_", "form", "status", "problem", "said"),
    [
        (HASHED, True, 400, "rejected", "A form-encoded body must not have an oauth_body_hash"),
        (signed(oauth_body_hash="H"), False, 401, "rejected", "The oauth_body_hash does not match the body"),
        (SIGNED, False, 400, "absent", "Missing: oauth_body_hash"),
    ],
)
def test_a_body_that_is_not(request_: SignedRequest, form: bool, status: int, problem: str, said: str) -> None:
    with pytest.raises(SignatureRefused) as caught:
        check_body(request_, "h", form=form, needed=True)
    details = {f"oauth_parameters_{problem}": "oauth_body_hash"}
    assert told(caught.value) == (status, f"parameter_{problem}", said, details)


def test_a_signature_opens_what_any_scope_of_a_user_opens_and_never_the_operator_s() -> None:
    assert {"mixi_apps2", "r_profile", *(field.scope for field in FIELDS.values() if field.scope)} <= SCOPES
    assert OPERATOR not in SCOPES
