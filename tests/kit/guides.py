"""The examples of the documents: commands that print what the document says, files, and servers of the reader.

A `console` block has commands and their output, in which `...` stands for any text. A block whose first line is a
comment with a file name is that file, in the folder that `home` is. An `sh` block is a command that runs until the end.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.ports import accepts
from tests.kit.documents import ROOT

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"(?:<!-- |// |# )([\w.-]+\.\w+)(?: -->)?\n")
_MARK = "--- next example ---"
_SECONDS = 120


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The name of the file that this block is."""
        named = _FILE_NAME.match(self.text)
        return named[1] if named else None


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a document."""
    return [Block(language, body) for language, body in _FENCE.findall(text)]


def examples(console: str) -> list[tuple[str, str]]:
    """Return the commands of a console block, each with the output that follows it."""
    found: list[tuple[str, str]] = []
    for line in console.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif line.startswith("> "):
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
        else:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def matches(expected: str, printed: str) -> bool:
    """Return whether the output is as in the document, in which `...` stands for any text."""
    pattern = ".*".join(map(re.escape, expected.strip().split("...")))
    return re.fullmatch(pattern, printed.strip().replace("\r\n", "\n"), re.DOTALL) is not None


class Shell:
    """One shell in the project's folder; variables and functions stay from one command to the next."""

    def __init__(self, errors: Path, environment: Mapping[str, str]) -> None:
        self._errors = errors
        with errors.open("wb") as log:
            self._bash = subprocess.Popen(
                ["bash"],
                cwd=ROOT,
                env=os.environ | environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def run(self, command: str) -> str:
        """Return what a command prints."""
        assert self._bash.stdin
        assert self._bash.stdout
        # The mark is on a line of its own even if the command prints no line end.
        self._bash.stdin.write(f"{command}\nprintf '\\n%s\\n' '{_MARK}'\n")
        self._bash.stdin.flush()
        watchdog = threading.Timer(_SECONDS, self._bash.kill)
        watchdog.start()
        lines = []
        try:
            while (line := self._bash.stdout.readline()) != f"{_MARK}\n":
                assert line, f"$ {command}\nThe shell ended, or took {_SECONDS} s.\n{self._errors.read_text()}"
                lines.append(line)
        finally:
            watchdog.cancel()
        return "".join(lines)

    def check(self, command: str, expected: str) -> str:
        """Return what a command prints, after asserting that it is what the document says."""
        printed = self.run(command)
        assert matches(expected, printed), f"$ {command}\n{printed}\n{self._errors.read_text()}"
        return printed

    def end(self) -> None:
        """End the shell."""
        self._bash.kill()
        self._bash.communicate()


@contextmanager
def shell(directory: Path, **environment: str) -> Iterator[Shell]:
    """Run a shell, which writes its errors into the directory."""
    opened = Shell(directory / "shell.log", environment)
    try:
        yield opened
    finally:
        opened.end()


@contextmanager
def server(command: str, port: int, directory: Path, **environment: str) -> Iterator[None]:
    """Run a command of the document that listens on a port of 127.0.0.1."""
    log = directory / "server.log"
    with log.open("ab") as output:
        # A group of its own, so that the end of the shell is the end of the server.
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 30
        while not accepts(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
