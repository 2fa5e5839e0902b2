"""The form with an app's settings, in the console: what it sends, what is wrong with it, and whether it is stale.

A form carries the version of the settings that it shows. If another operator has changed them meanwhile, it is shown
again with what is stored now.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.core.codecs.checks import is_visible
from chalicelib.core.codecs.directory_json import app_json, read_app
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.lookalike_names import looks_like
from chalicelib.core.model.directory import App
from chalicelib.core.oauth import OPERATOR, SERVED_SCOPES

Form = Mapping[str, str]

TEXT_FIELDS = ("name", "developer", "iconUrl", "homepageUrl", "privacyUrl", "startUrl", "startMethod", "dialect")
LINES = ("redirectUris", "origins")
"""Fields with one value a line."""
FIELDS = (*TEXT_FIELDS, *LINES, "scopes")
SCOPE = "scope."
"""The beginning of the names of the check boxes for scopes."""
NAME_TAKEN = "nameTaken"
"""Instead of a field: its name looks like the platform's."""


@dataclass
class AppForm:
    """The form: the JSON value of each field, and the names of those that are wrong."""

    values: dict[str, Any]
    wrong: set[str] = field(default_factory=set)
    fields: dict[str, Any] = field(default_factory=dict)
    """What is right, under the names of App's fields."""

    def lines(self, name: str) -> str:
        """Return the values of a field with one value a line."""
        return "\n".join(self.values[name])


def blank() -> AppForm:
    """Return the form of a new app."""
    return shown(App("", "", scopes=("mixi_apps2", "r_profile")))


def shown(app: App) -> AppForm:
    """Return the form with the settings of an app."""
    stored = app_json(app)
    return AppForm({name: stored[name] or ("" if name in TEXT_FIELDS else []) for name in FIELDS})


def sent(form: Form, platform: Iterable[str], known: App | None = None) -> AppForm:
    """Return the form as it was sent, for a new app or for the app `known`. `platform` are the platform's names."""
    values: dict[str, Any] = {name: form.get(name, "").strip() for name in TEXT_FIELDS}
    values |= {name: form.get(name, "").split() for name in LINES}
    values["scopes"] = [name.removeprefix(SCOPE) for name in form if name.startswith(SCOPE)]
    read = AppForm(values)
    for name, value in values.items():
        try:
            read.fields |= read_app({name: value}, new=False)
        except ParameterInvalid:
            read.wrong.add(name)
    title = read.fields.get("name")
    if title and not is_visible(title):
        read.wrong.add("name")
    if title and (known is None or known.name != title) and looks_like(title, platform):
        read.wrong.add(NAME_TAKEN)
    return read


def version_of(app: App) -> str:
    """Return the version of an app's settings: 16 digits that change with them."""
    stored = app_json(app)
    text = json.dumps({name: stored[name] for name in FIELDS}, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def changes(app: App, read: AppForm) -> dict[str, Any]:
    """Return the fields of a form that differ from those of an app; the order of scopes is no difference."""
    found = {name: value for name, value in read.fields.items() if getattr(app, name) != value}
    if set(found.get("scopes", ())) == set(app.scopes):
        found.pop("scopes", None)
    return found


def differences(app: App, read: AppForm) -> dict[str, str]:
    """Return the fields whose stored value is another than the one that was sent, with what is stored, as text."""
    stored = shown(app).values
    given = {name: _listed(value) for name, value in read.values.items()}
    if set(given["scopes"]) == set(stored["scopes"]):
        given["scopes"] = list(stored["scopes"])
    return {name: _text(stored[name]) for name in FIELDS if _listed(stored[name]) != given[name]}


def scope_choices(read: AppForm) -> list[str]:
    """Return the scopes to choose from: those with an API here, the operator's, and others that the app has already."""
    offered = (*SERVED_SCOPES, OPERATOR)
    return [*offered, *(each for each in read.values["scopes"] if each not in offered)]


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)
