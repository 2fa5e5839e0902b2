"""Checks of OAuth 2: the use of authorization codes; the world got its tokens by codes from the consent page."""

from __future__ import annotations

from tests.checks.site import Site, answered, challenged, refused, require
from tests.checks.world import REDIRECT, SCOPES, World


def test_refreshing_and_revoking(site: Site, world: World) -> None:
    given = world.tokens(grant_type="authorization_code", code=world.code(world.one), redirect_uri=REDIRECT)
    # Taken out of the response: a failed assertion shows its operands, and tokens must not be shown.
    scopes, kind, seconds = set(given["scope"].split()), given["token_type"], given["expires_in"]
    assert scopes == set(SCOPES)
    assert (kind, seconds) == ("Bearer", 900)
    refresh = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    again = site.post("/2/token", data={**world.credentials, **refresh})
    answered(again)
    require(again, again.headers["Cache-Control"] == "no-store", "Cache-Control: no-store")
    answered(site.post("/2/authorize/revoke", data={**world.credentials, "token": given["refresh_token"]}))
    refused(site.post("/2/token", data={**world.credentials, **refresh}), 400, "invalid_grant")
    # Revoking deletes the user's grant to the app.
    fresh = world.tokens(grant_type="authorization_code", code=world.code(world.one), redirect_uri=REDIRECT)
    world.one.token = fresh["access_token"]


def test_a_code_is_used_once(site: Site, world: World) -> None:
    form = {**world.credentials, "grant_type": "authorization_code", "redirect_uri": REDIRECT}
    form["code"] = world.code(world.other)
    answered(site.post("/2/token", data=form))
    refused(site.post("/2/token", data=form), 400, "invalid_grant")
    fresh = world.tokens(grant_type="authorization_code", code=world.code(world.other), redirect_uri=REDIRECT)
    world.other.token = fresh["access_token"]


def test_credentials_in_the_header_and_forms_of_parts(site: Site, world: World) -> None:
    basic = (world.credentials["client_id"], world.credentials["client_secret"])
    answered(site.post("/2/token", data={"grant_type": "client_credentials"}, auth=basic))
    form = {**world.credentials, "grant_type": "client_credentials"}
    answered(site.post("/2/token", files={name: (None, value) for name, value in form.items()}))


def test_a_wrong_secret(site: Site, world: World) -> None:
    form = {"grant_type": "client_credentials", "client_id": world.app, "client_secret": world.secret[::-1] + "x"}
    refused(site.post("/2/token", data=form), 401, "invalid_client")


def test_a_token_without_the_scope(site: Site, world: World) -> None:
    answer = site.get("/2/people/@me/@self?fields=gender", world.one.token)
    refused(answer, 403, "insufficient_scope")
    challenged(answer, "OAuth error='insufficient_scope',scope='r_profile_gender'")


def test_an_app_s_own_token_is_no_user_s(site: Site, world: World) -> None:
    # The first error is reported: an app's own token has no scope.
    refused(site.get("/2/apps/appdata/@me/@self", world.client_token()), 403, "insufficient_scope")
