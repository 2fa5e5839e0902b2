"""What all deeds of faces share: what is asked, by whom, what was before, and how the answer is told."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from chalicelib.web import json_answers
from local.in_process import APP, HANA, KEN, Reply
from tests.integration.contents import PAGE, PICTURE, URI
from tests.integration.deeds import noise
from tests.integration.faces import BACK, PUBLIC, PUBLIC_BACK, Faces, told
from tests.integration.signing import SECRET
from tests.integration.suffering import Ground, Ids

VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SMALL = {"level": "5", "name": "花"}
LARGE = SMALL | {"map": noise(4_000, 1)}


@dataclass(frozen=True)
class Deed:
    """One request. `steps`: it is no one transaction, and what is left of it is done when asked again."""

    name: str
    act: Callable[[Faces, Ids], Reply | str]
    before: Callable[[Faces, Ids], Any] = lambda stage, ids: None
    steps: bool = False
    cold: bool = False

    def outcome(self, stage: Faces, ids: Ids) -> str:
        """What whoever asks is told."""
        answer = self.act(stage, ids)
        return answer if isinstance(answer, str) else told(answer)


def prepare(ground: Ground, deed: Deed) -> Ids:
    """HANA and KEN are friends and have the app, HANA has granted it something; a feed with all that hangs on it."""
    saved, ids = furnished(ground)
    ground.restore(saved)
    deed.before(ground.rivals, ids)
    return ids


@cache
def furnished(ground: Ground) -> tuple[Any, Ids]:
    """What was before all deeds, and ids of it."""
    stage: Any = ground.rivals.populate()
    here = stage.platform
    here.friends_and_installs.befriend(HANA, KEN)
    here.appdata.install(APP, HANA, LARGE)
    here.appdata.install(APP, KEN, SMALL)
    here.pages.members.add_follower(PAGE, HANA)
    stage.post(renditions=PICTURE)
    ids = {"comment": stage.comment("of hers"), "favorite": stage.favorite()}
    ids["feed"] = here.feeds.get(PAGE, URI)[0].id
    stage.comment("of his", KEN)
    ids["code"] = code = consent(stage, APP)
    ids["public code"] = public = consent(stage, PUBLIC)
    ids["refresh"] = redeem(stage, code)
    ids["public refresh"] = redeem(stage, public, PUBLIC)
    ids["code"], ids["public code"] = consent(stage, APP), consent(stage, PUBLIC)
    ids["state"] = here.states.make(APP)
    ids["password"] = (here.users.credential(f"login-of-{HANA}") or ("", ""))[1]
    return ground.save(), ids


def patiently(act: Callable[[Faces, Ids], Reply]) -> Callable[[Faces, Ids], Reply]:
    """Who is told to come again later, for another reason than that the service is busy, does."""

    def acted(stage: Faces, ids: Ids) -> Reply:
        answer = act(stage, ids)
        while answer.status in (409, 429) and "retry-after" in answer.headers:
            stage.clock.now += 1000 * int(answer.headers["retry-after"])
            answer = act(stage, ids)
        return answer

    return acted


def uncounted(act: Callable[[Faces, Ids], Reply]) -> Callable[[Faces, Ids], str]:
    """How much has gone is for those who ask once."""
    return lambda stage, ids: re.sub(r":\d+", "", told(act(stage, ids)))


def unnumbered(act: Callable[[Faces, Ids], Reply]) -> Callable[[Faces, Ids], str]:
    """A number that was drawn in vain is nobody's."""
    return lambda stage, ids: re.sub(r"feeds/\d+|-\d{14}", "", told(act(stage, ids)))


def in_answers(act: Callable[[Faces, Ids], Reply]) -> Callable[[Faces, Ids], str]:
    """An answer too large for Lambda, and what is found where it leads."""

    def acted(stage: Faces, ids: Ids) -> str:
        with patch.object(json_answers, "MOST_BYTES", 100):
            answer = act(stage, ids)
        found = stage.cloud.bucket.objects.get(answer.headers.get("location", "").partition(".example/")[2])
        return told(answer, found)

    return acted


def consent(stage: Faces, app: str) -> str:
    """A code for what HANA allows an app."""
    answer = allow(stage, app, user=HANA)
    return answer.headers["location"].partition("code=")[2].partition("&")[0]


def allow(stage: Faces, app: str = APP, *, user: str | None = HANA, **more: str) -> Reply:
    """A step of the page where a user allows an app what it asks for."""
    asked = {"client_id": app, "response_type": "code", "scope": "r_profile", "redirect_uri": BACK}
    if app == PUBLIC:
        asked |= {"redirect_uri": PUBLIC_BACK, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    return stage.fill_in("/connect_authorize.pl", user, **asked | ({"decision": "allow"} if user else {}) | more)


def token(stage: Faces, app: str = APP, **form: str) -> Reply:
    """A request of the token endpoint."""
    own = {"client_id": app} | ({"client_secret": SECRET} if app == APP else {})
    return stage.form("/2/token", **own | form)


def redeem(stage: Faces, code: str, app: str = APP) -> str:
    """The refresh token for a code."""
    refresh: str = trade(stage, code, app).json["refresh_token"]
    return refresh


def trade(stage: Faces, code: str, app: str = APP) -> Reply:
    proof = {"code_verifier": VERIFIER, "redirect_uri": PUBLIC_BACK} if app == PUBLIC else {"redirect_uri": BACK}
    return token(stage, app, grant_type="authorization_code", code=code, **proof)
