"""The files for `/docs` and `/openapi.json` are generated from openapi.yaml, complete, and part of the zip."""

from __future__ import annotations

import pytest

from infra import bundle, reference
from infra.site.languages import texts
from infra.site.schemas import Reference, Schemas
from tests.kit.contract import Contract, document


def test_what_is_served_is_made_of_it() -> None:
    """`make reference` rewrites it."""
    assert (reference.STATIC / "openapi.json").read_text(encoding="utf-8") == reference.files()["openapi.json"]


def test_what_is_served_goes_into_the_zip() -> None:
    packed = {name for _, name in bundle._app_files()}
    assert packed >= {"chalicelib/web/static/openapi.json", "chalicelib/web/static/docs/files.json.xz"}


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 255}, "string, 1 to 255 characters"),
        ({"type": "integer", "minimum": 0}, "integer, 0 or more"),
        ({"type": ["string", "null"], "maxLength": 1000}, "string or null, up to 1,000 characters"),
        ({"enum": ["ja", "en"]}, "`ja`, `en`"),
        ({"enum": ["", None]}, '`""`, `null`'),
        ({"const": "<b>"}, "`<b>`"),
        ({"$ref": "#/components/schemas/AppId"}, "string, `^[0-9a-f]{16}$`"),
        ({"type": "array", "items": {"type": "object"}, "maxItems": 2}, "list of object, up to 2 entries"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "map to string"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"allOf": [{"type": "string"}]}, "string"),
        ({"type": "string", "minLength": 8, "maxLength": 8}, "string, 8 characters"),
        ({"type": "integer", "default": 20}, "integer, default `20`"),
    ],
)
def test_a_value_is_told_in_a_few_words(schema: dict[str, object], told: str) -> None:
    assert Schemas(document(), lambda key: texts()[key]["en"]).kind(schema) == told


def test_a_field_that_is_narrowed_is_told_once() -> None:
    rows = Reference(document()).rows({"$ref": "#/components/schemas/RequestRefused"})
    assert list(rows) == ["error", "error_description"]
    needed, error = rows["error"]
    assert (needed, error["enum"][0], error["description"]) == (True, "bad_request", "A word for programs.")


def test_each_summary_is_a_short_title_of_its_own() -> None:
    """Titles of pages: an imperative without a full stop."""
    declared = [each.declared for each in Contract.ours().operations() if each.method not in ("OPTIONS", "HEAD")]
    titles = {each["operationId"]: each["summary"] for each in declared}.values()
    assert len(titles) == len(set(titles))
    assert not [title for title in titles if len(title) > 60 or title.endswith(".") or not title[0].isupper()]
