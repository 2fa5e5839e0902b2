"""The fields of a profile in forms: on a person's own page and in the console. Templates: `profile_fields.html`."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from chalicelib.api.visit import Visit
from chalicelib.core.codecs import checks
from chalicelib.core.codecs.directory_json import read_user, user_json
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.directory import BloodType, Gender, User

FIELDS = ("displayName", "profileUrl", "thumbnailUrl", "bloodType", "address", "birthday", "age", "gender")
"""The names of the fields, as in the operator's API. Each has the text `field_<name>`."""
LENGTHS = {
    "displayName": checks.NAME_CHARACTERS,
    "profileUrl": checks.URL_BYTES,
    "thumbnailUrl": checks.URL_BYTES,
    "address": checks.ADDRESS_CHARACTERS,
    "birthday": len("1990-04-01"),
    "age": len("150"),
    "login": checks.LOGIN_CHARACTERS,
}
"""The most characters that a browser takes for a field."""
_FAULTS = {
    "displayName": "wrong_display_name",
    "login": "wrong_login",
    "profileUrl": "wrong_url",
    "thumbnailUrl": "wrong_url",
    "birthday": "wrong_birthday",
    "age": "wrong_age",
    "address": "wrong_text",
}
"""The name of the text about a wrong value, for each field that has one."""


def values_of(user: User, names: tuple[str, ...] = FIELDS) -> dict[str, str]:
    """Return the fields of a person as forms show them; an absent value is an empty text."""
    told = user_json(user)
    return {name: "" if told[name] is None else str(told[name]) for name in names}


def read_profile(visit: Visit, texts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields of a form under the names in User, and what is wrong with them, by name and as texts.

    An empty text empties a field. Beside texts, `publication` and `visible` are taken as in the operator's API.
    """
    fields: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in texts.items():
        try:
            fields |= read_user({name: _typed(name, value)}, new=False)
        except ParameterInvalid:
            wrong[name] = visit.word(_FAULTS.get(name, "wrong_value"))
    if "displayName" in texts and not checks.is_visible(texts["displayName"]):
        wrong["displayName"] = visit.word(_FAULTS["displayName"])
    return fields, wrong


def choices(visit: Visit) -> dict[str, list[tuple[str, str]]]:
    """Return the values and texts of the fields that have a choice."""
    none = ("", visit.word("not_given"))
    return {
        "bloodType": [none, *((each.value, each.value) for each in BloodType)],
        "gender": [none, *((each.value, visit.word(f"gender_{each.value}")) for each in Gender)],
    }


def _typed(name: str, value: Any) -> Any:
    """Return a value as the operator's API takes it. Numbers may be in the wide digits of Japanese keyboards."""
    if name not in ("age", "birthday"):
        return value
    text = unicodedata.normalize("NFKC", value)
    return int(text) if name == "age" and text.isascii() and text.isdecimal() and len(text) < 10 else text
