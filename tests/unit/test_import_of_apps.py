"""The records of apps in an import: secrets and suspensions."""

from typing import Any

import pytest

from chalicelib.core.bulk_import import read_new_app
from chalicelib.core.codecs.directory_json import app_record
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.directory import App

ID = "6d1f0c2ab4e79853"
BOTH = {"secret": "a" * 16, "oldSecret": "b" * 16, "oldSecretUntil": 5}


@pytest.mark.parametrize("secret", [True, False])
def test_a_record_is_read_as_it_is_written(secret: bool) -> None:
    app = App(
        ID,
        "Engawa",
        secret="a" * 40,
        icon_url="https://game.example/i.png",
        developer="星",
        created=3,
        suspended=7,
        suspension_reason="why",
        secret_used=9,
        old_secret="b" * 40,
        old_secret_until=5,
        old_secret_used=8,
    )
    record = app_record(app, secret=secret)

    read = App(**read_new_app(record))
    assert (read.secret, read.old_secret) == ((app.secret, app.old_secret) if secret else (None, None))
    assert app_record(read, secret=secret) == record
    assert (read.suspended, read.suspension_reason, read.developer) == (7, "why", "星")
    assert not {"secretUsed", "oldSecretUsed"} & record.keys()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"oldSecret": "b" * 16}, "oldSecret needs"),
        ({"oldSecret": "b" * 16, "oldSecretUntil": 5}, "oldSecret needs"),
        ({"oldSecretUntil": 5}, "oldSecret needs"),
        ({"secret": "a" * 16, "oldSecretUntil": 5}, "oldSecret needs"),
        (BOTH | {"oldSecretUntil": 0}, "oldSecretUntil must be"),
        (BOTH | {"oldSecretUntil": True}, "oldSecretUntil must be"),
        (BOTH | {"oldSecret": "b" * 15}, "oldSecret must be"),
        (BOTH | {"oldSecret": "b" * 256}, "oldSecret must be"),
        (BOTH | {"confidential": False}, "A public app has no secret"),
        ({"suspended": "now"}, "suspended must be"),
        ({"suspended": 1, "suspensionReason": "x" * 501}, "suspensionReason is too long"),
        ({"suspensionReason": "why"}, "suspensionReason needs suspended"),
        ({"iconUrl": "http://game.example/"}, "iconUrl must be"),
    ],
)
def test_a_wrong_record_is_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ParameterInvalid, match=says):
        read_new_app({"id": ID, "name": "Quest"} | more)


def test_the_last_values_that_are_allowed() -> None:
    more = BOTH | {"oldSecret": "b" * 255, "oldSecretUntil": 1, "suspended": 1, "suspensionReason": "x" * 500}
    assert App(**read_new_app({"id": ID, "name": "Quest"} | more)).old_secret_until == 1
    nothing = {"suspended": None, "suspensionReason": "", "oldSecret": None, "oldSecretUntil": None}
    assert App(**read_new_app({"id": ID, "name": "Quest"} | nothing)) == App(ID, "Quest")
