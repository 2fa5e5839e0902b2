"""`WWW-Authenticate` in the two dialects: the form that old clients parse, and RFC 6750."""

import pytest

from chalicelib.core.errors import InsufficientScope, PermissionDenied, TokenRefused
from chalicelib.web.error_answers import answer_refusal
from chalicelib.web.token_dialect import TokenDialect


@pytest.mark.parametrize(
    ("refusal", "oauth", "bearer"),
    [
        (
            TokenRefused("expired_token", "The access token has expired"),
            "OAuth error='expired_token'",
            'Bearer error="invalid_token", error_description="The access token has expired"',
        ),
        (
            TokenRefused("invalid_token", "Not valid"),
            "OAuth error='invalid_token'",
            'Bearer error="invalid_token", error_description="Not valid"',
        ),
        (
            TokenRefused("invalid_request", "Two", status=400),
            "OAuth error='invalid_request'",
            'Bearer error="invalid_request", error_description="Two"',
        ),
        (
            InsufficientScope("mixi_apps2"),
            "OAuth error='insufficient_scope',scope='mixi_apps2'",
            'Bearer error="insufficient_scope", '
            'error_description="The access token does not have the scope mixi_apps2", scope="mixi_apps2"',
        ),
    ],
)
def test_a_refused_token_is_told_in_the_dialect_that_the_request_spoke(refusal, oauth, bearer):
    assert answer_refusal(refusal, TokenDialect.OAUTH).headers["WWW-Authenticate"] == oauth
    assert answer_refusal(refusal, TokenDialect.BEARER).headers["WWW-Authenticate"] == bearer


def test_other_refusals_ask_for_no_other_token():
    assert "WWW-Authenticate" not in answer_refusal(PermissionDenied(), TokenDialect.OAUTH).headers
