"""The code beside each operation's text, in curl, JavaScript and Python."""

from __future__ import annotations

from typing import NamedTuple


class Snippet(NamedTuple):
    """A program that sends one request; its base URL is http://127.0.0.1:8000 and its token the word TOKEN."""

    language: str
    text: str


def of(operation_id: str) -> tuple[Snippet, ...]:
    """Return the programs of an operation, the `operationId` of openapi.yaml, in the order of the page."""
    return ()
