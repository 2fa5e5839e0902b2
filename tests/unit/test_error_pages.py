"""The pages of docs/errors: one for each word that the server answers, with its statuses and descriptions."""

from __future__ import annotations

import ast
import inspect
import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from oauthlib.oauth2.rfc6749 import errors as oauthlib_errors
from oauthlib.oauth2.rfc6749.grant_types import authorization_code, refresh_token

from tests.kit.contract import Contract, document
from tests.kit.documents import DOCS, ROOT, SOURCES, refusals, words_raised

PAGES = {path.stem: path for path in sorted((DOCS / "errors").glob("*.md"))}
LINES = 60
REDIRECTED = {"access_denied", "invalid_request", "invalid_scope", "unsupported_response_type"}
"""The words of a redirect to an app (RFC 6749 §4.1.2.1)."""
VARIABLE = re.compile(
    r'…|\d+|"request"|oauth_(?:nonce|body_hash)|mixi_apps|[rw]_\w+|admin|gzip|NaN|module|If-Match|client|newer|HMAC-SHA'
)
"""The parts of the pages' descriptions that differ from answer to answer."""
each_page = pytest.mark.parametrize("word", PAGES)


def words_written() -> set[str]:
    """Return the constants that the code gives as `error`, in a call or in a dictionary."""
    found: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values: list[ast.expr] = []
            if isinstance(node, ast.keyword) and node.arg == "error":
                values = [node.value]
            elif isinstance(node, ast.Dict):
                named = zip(node.keys, node.values, strict=True)
                values = [value for key, value in named if isinstance(key, ast.Constant) and key.value == "error"]
            values = [part for value in values for part in ([value.body] if isinstance(value, ast.IfExp) else [value])]
            found |= {str(value.value) for value in values if isinstance(value, ast.Constant)}
    return found


def expected_statuses() -> dict[str, set[int]]:
    """Return the statuses of each word, by the classes, by openapi.yaml and by the gateways."""
    found: dict[str, set[int]] = {word: {302} for word in REDIRECTED}
    # Its place is an answer of JSON-RPC.
    found["timeout"] = {200}
    for refusal in refusals():
        found.setdefault(refusal.error, set()).add(refusal.status)
    contract = Contract.ours()
    answers = [(status, each) for op in contract.operations() for status, each in op.declared["responses"].items()]
    for status, answer in answers:
        for medium in contract.resolved(answer).get("content", {}).values():
            error = contract.resolved(medium.get("schema", {})).get("properties", {}).get("error", {})
            words = error.get("enum", [error["const"]] if "const" in error else [])
            for word in words if status.isdigit() else ():
                found.setdefault(word, set()).add(int(status))
    gateway = yaml.safe_load((ROOT / "infra" / "gateway.yaml").read_text(encoding="utf-8"))
    for answer in gateway.values():
        if "status" in answer:
            found.setdefault(answer["error"], set()).add(answer["status"])
    return found


def text_of(word: str) -> str:
    """Return the text of a page."""
    return PAGES[word].read_text(encoding="utf-8")


def statuses_of(text: str) -> tuple[str, set[int]]:
    """Return the word and the statuses in the first paragraph of a page."""
    found = re.search(r"^`(\w+)`[,、] ?(?:status|ステータス) ([\d, ]+)$", text, re.MULTILINE)
    assert found
    return found[1], {int(status) for status in found[2].split(", ")}


def descriptions_of(text: str) -> list[str]:
    """Return the descriptions in a page's table of causes."""
    return [each for row in re.findall(r"^\| (`.*?) \| ", text, re.MULTILINE) for each in re.findall("`([^`]+)`", row)][
        1:
    ]


@cache
def sources() -> str:
    """Return all texts that may be a description, without the quotes that divide them."""
    files = [path.read_text(encoding="utf-8") for path in SOURCES]
    files += [path.read_text(encoding="utf-8") for path in (ROOT / "infra").glob("*.yaml")]
    files += [inspect.getsource(each) for each in (oauthlib_errors, authorization_code, refresh_token)]
    return re.sub(r'["\']\s*\n\s*f?["\']', "", "\n".join(files))


def test_every_word_has_a_page_and_every_page_a_word() -> None:
    assert len(PAGES) > 30
    assert PAGES.keys() == words_raised() | {each.error for each in refusals()} | words_written()


def test_a_new_word_would_be_missed() -> None:
    assert {"access_denied", "timeout"} <= words_written()


@each_page
def test_the_statuses_are_those_of_the_code(word: str) -> None:
    assert statuses_of(text_of(word)) == (word, expected_statuses()[word])


@each_page
def test_the_descriptions_are_those_of_the_code(word: str) -> None:
    for description in descriptions_of(text_of(word)):
        for part in VARIABLE.split(description):
            assert part in sources(), (description, part)


@each_page
def test_it_has_the_form_of_all(word: str) -> None:
    text = text_of(word)
    assert text.startswith("# ")
    assert len(text.splitlines()) <= LINES
    headings = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert headings == ["Causes", "What to do", "Example", "Operations"]


@each_page
def test_the_example_has_a_description_of_the_page(word: str) -> None:
    text = text_of(word)
    example = re.search(r"^```json\n(.*)\n```$", text, re.MULTILINE)
    if example is None:
        assert word in REDIRECTED
        return
    answer = json.loads(example[1])
    said = answer["error"]["message"] if word == "timeout" else answer["error_description"]
    if word != "timeout":
        assert answer["error"] == word
    patterns = [re.escape(each).replace("…", ".*") for each in descriptions_of(text)]
    assert any(re.fullmatch(pattern, said) for pattern in patterns), said


@each_page
def test_the_japanese_page_says_the_same(word: str) -> None:
    japanese = DOCS / "ja" / "errors" / f"{word}.md"
    text = japanese.read_text(encoding="utf-8")
    assert text.startswith("<!-- original: ")
    assert statuses_of(text) == statuses_of(text_of(word))
    assert descriptions_of(text) == descriptions_of(text_of(word))
    examples = [re.findall(r"^```.*?^```", each, re.MULTILINE | re.DOTALL) for each in (text, text_of(word))]
    assert examples[0] == examples[1]


def test_all_words_of_the_contract_have_a_page() -> None:
    said = set()
    for schema in document()["components"]["schemas"].values():
        error = schema.get("properties", {}).get("error", {})
        if "error_description" in schema.get("properties", {}):
            said |= {*error.get("enum", []), *([error["const"]] if "const" in error else [])}
    assert len(said) > 25
    assert said <= PAGES.keys()


def test_each_link_leads_to_a_document() -> None:
    for path in (*PAGES.values(), *(DOCS / "ja" / "errors").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert Path(path.parent, target).exists(), f"{path.name}: {target}"
