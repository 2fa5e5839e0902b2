"""The programs beside the operations' texts: their form. tests/system/test_snippets.py runs them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from infra.site import snippets
from infra.site.snippets import Request

PROGRAMS = [(operation, *snippet) for operation in snippets.operations() for snippet in snippets.of(operation)]
COLUMNS = 100
each_program = pytest.mark.parametrize(
    ("operation", "language", "text"), PROGRAMS, ids=[f"{name}-{language}" for name, language, _ in PROGRAMS]
)


def request(**fields: object) -> Request:
    """Return a request for JSON, with these fields."""
    plain: dict[str, object] = {
        "method": "POST",
        "path": "/path",
        "query": {},
        "headers": {},
        "media_type": "application/json",
        "body": {},
        "token": None,
        "signed": False,
        "for_browsers": False,
        "answer": "application/json",
    }
    return Request(**(plain | fields))  # type: ignore[arg-type]


@each_program
def test_no_line_is_too_long(operation: str, language: str, text: str) -> None:
    """An address is never broken."""
    for line in text.splitlines():
        assert len(line) <= COLUMNS or re.search(r"http://127\.0\.0\.1:8000\S{60}", line), line


@each_program
def test_each_word_to_replace_is_explained(operation: str, language: str, text: str) -> None:
    if language == "curl" or not snippets._written(operation, language):
        for word in ("TOKEN", *snippets.WORDS):
            assert not re.search(rf"\b{word}\b", text) or re.search(rf"^(#|//) {word}: ", text, re.MULTILINE), word


@pytest.mark.parametrize("text", ["a'b", 'a"b', "$HOME", "`id`", "a\\b", "a!b", "花 & <x>", "a\nb", ""])
def test_the_shell_reads_what_was_written(text: str) -> None:
    written = snippets._curl(request(body={"key": text}))
    words = shlex.split(written)
    assert json.loads(words[words.index("--data") + 1]) == {"key": text}


@pytest.mark.parametrize(
    "body", [{"a": None, "b": True, "c": [1, {"d-e": "f" * 90}], "g": {}, "h": []}, ["x'\"\\"], "花"]
)
def test_python_reads_what_was_written(body: object) -> None:
    assert eval(snippets._literal(body, snippets._PYTHON, "", 0)) == body
    assert json.loads(snippets._literal(body, snippets._JSON, "", 0)) == body


def test_a_post_with_a_query_keeps_its_body() -> None:
    written = snippets._curl(request(query={"contentUri": "http://a.example/?b=c&d"}, body={"comment": "é"}))
    assert "'http://127.0.0.1:8000/path?contentUri=http://a.example/%3Fb%3Dc%26d'" in written
    assert "--get" not in written


def test_a_written_program_comes_before_a_generated_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snippets, "PROGRAMS", tmp_path)
    (tmp_path / "readData.py").write_text("print('Python')\n", encoding="utf-8")
    curl, javascript, python = snippets.of("readData")
    assert (python.language, python.text) == ("python", "print('Python')")
    assert "fetch(" in javascript.text
    assert curl.text.startswith("# TOKEN: ")


def test_the_token_is_the_one_that_the_operation_takes() -> None:
    assert snippets.holder("readData") == ("user", ("mixi_apps2",))
    assert snippets.holder("readPage") == ("app", ())
    assert snippets.holder("listUsers") == ("operator", ("admin",))
    assert snippets.holder("getToken") is None
