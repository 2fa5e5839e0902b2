"""The files for `/docs` and `/openapi.json` are generated from openapi.yaml, complete, and part of the zip."""

from __future__ import annotations

import pytest

from infra import bundle, reference
from tests.kit.contract import Contract, document

PAGE = (reference.STATIC / "reference.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["openapi.json", "reference.html"])
def test_what_is_served_is_made_of_it(name: str) -> None:
    """`make reference` rewrites them."""
    assert (reference.STATIC / name).read_text(encoding="utf-8") == reference.files()[name]


def test_what_is_served_goes_into_the_zip() -> None:
    packed = {name for _, name in bundle._app_files()}
    assert packed >= {"chalicelib/web/static/openapi.json", "chalicelib/web/static/reference.html"}


def test_the_page_has_every_operation_and_schema_and_loads_nothing() -> None:
    for operation in Contract.ours().operations():
        if operation.method not in ("OPTIONS", "HEAD"):
            assert f'id="{operation.declared["operationId"]}"' in PAGE
            assert operation.path in PAGE
    for name in document()["components"]["schemas"]:
        assert f'id="schema-{name}"' in PAGE
    assert not [tag for tag in ("<script", "<link", "<img", "<iframe", "@import", "url(", "src=") if tag in PAGE]


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 255}, "string, 1 to 255 characters"),
        ({"type": "integer", "minimum": 0}, "integer, 0 or more"),
        ({"type": ["string", "null"], "maxLength": 1000}, "string or null, up to 1,000 characters"),
        ({"enum": ["ja", "en"]}, "<code>ja</code>, <code>en</code>"),
        ({"enum": ["", None]}, '<code>""</code>, <code>null</code>'),
        ({"const": "<b>"}, "<code>&lt;b&gt;</code>"),
        ({"$ref": "#/components/schemas/Day"}, '<a href="#schema-Day">Day</a>'),
        (
            {"type": "array", "items": {"$ref": "#/components/schemas/Day"}, "maxItems": 2},
            'list of <a href="#schema-Day">Day</a>, up to 2 entries',
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "map to string"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"allOf": [{"$ref": "#/components/schemas/Day"}]}, '<a href="#schema-Day">Day</a>'),
        ({"type": "integer", "default": 20}, "integer, default <code>20</code>"),
    ],
)
def test_a_value_is_told_in_a_few_words(schema: dict[str, object], told: str) -> None:
    assert str(reference.Reference(document()).kind(schema)) == told.replace('""', "&#34;&#34;")


def test_a_field_that_is_narrowed_is_told_once() -> None:
    rows = reference.Reference(document()).rows({"$ref": "#/components/schemas/RequestRefused"})
    assert list(rows) == ["error", "error_description"]
    needed, error = rows["error"]
    assert (needed, error["enum"][0], error["description"]) == (True, "bad_request", "A word for programs.")


def test_each_summary_is_a_short_title_of_its_own() -> None:
    """Titles of pages: an imperative without a full stop."""
    declared = [each.declared for each in Contract.ours().operations() if each.method not in ("OPTIONS", "HEAD")]
    titles = {each["operationId"]: each["summary"] for each in declared}.values()
    assert len(titles) == len(set(titles))
    assert not [title for title in titles if len(title) > 60 or title.endswith(".") or not title[0].isupper()]
