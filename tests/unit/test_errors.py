"""Refusals contain the data of their error responses."""

from chalicelib.core.errors import (
    InsufficientScope,
    NotFound,
    PreconditionFailed,
    SignatureRefused,
    TokenRefused,
    TooFrequent,
    Unavailable,
)
from chalicelib.core.window import Rate

RATE = Rate(180, 0, 7)


def test_a_sentence_of_its_own_or_that_of_its_kind() -> None:
    assert (NotFound().description, str(NotFound())) == ("Not found", "Not found")
    assert (NotFound("No.").description, str(NotFound("No."))) == ("No.", "No.")


def test_the_state_of_what_was_asked_for() -> None:
    refusal = PreconditionFailed(etag='"5"', rate=RATE)
    assert (refusal.status, refusal.etag, refusal.rate) == (412, '"5"', RATE)


def test_when_to_come_again() -> None:
    assert (Unavailable().retry_after, Unavailable().description) == (1, "The service is busy")
    refusal = TooFrequent("Later.", retry_after=7, rate=RATE)
    assert (refusal.retry_after, refusal.description, refusal.rate) == (7, "Later.", RATE)


def test_why_a_token_or_a_signature_does_not_hold() -> None:
    token = TokenRefused("invalid_token", "No.")
    assert (token.error, token.description, token.status) == ("invalid_token", "No.", 401)
    assert TokenRefused("invalid_request", "No.", status=400).status == 400
    scope = InsufficientScope("r_profile")
    assert (scope.status, scope.scope) == (403, "r_profile")
    assert scope.description == "The access token does not have the scope r_profile"
    signature = SignatureRefused("nonce_used", "No.")
    assert (signature.error, signature.description, signature.status, signature.details) == (
        "nonce_used",
        "No.",
        401,
        {},
    )
