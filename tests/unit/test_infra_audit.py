"""Installed packages are pinned, Lambda's have hashes, and a package that cannot be checked is not called good."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra import audit, lock
from infra.bundle import HASHED

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
UNKNOWN = "Dependency not found on PyPI and could not be audited"


def found(*dependencies: dict[str, Any]) -> audit.Found:
    return audit.read(json.dumps({"dependencies": dependencies, "fixes": []}), "", ["a"])


def good(name: str) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": []}


def weak(name: str, *fixed: str) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": [{"id": "X-1", "aliases": ["Y-1"], "fix_versions": [*fixed]}]}


def skipped(name: str) -> dict[str, Any]:
    return {"name": name, "skip_reason": UNKNOWN}


def lines(result: audit.Found) -> list[str]:
    return list(audit.told("the tools", result))


def statuses(*results: audit.Found) -> tuple[int, int]:
    return audit.status(results, strict=False), audit.status(results, strict=True)


def test_what_was_asked_about_and_is_good() -> None:
    result = found(good("a"), good("b"))
    assert lines(result) == ["audited: the tools: 2 packages, 0 with known weaknesses"]
    assert statuses(result) == (0, 0)


def test_a_known_weakness_fails() -> None:
    result = found(good("a"), weak("b", "1.1"), weak("c"))
    assert lines(result) == [
        "WEAK: the tools: b 1.0: X-1, Y-1 (fixed in 1.1)",
        "WEAK: the tools: c 1.0: X-1, Y-1 (fixed in nowhere yet)",
        "audited: the tools: 3 packages, 2 with known weaknesses",
    ]
    assert statuses(found(good("a")), result) == (1, 1)


def test_what_python_has_brought_along_is_told_and_fails_nothing() -> None:
    result = found(good("a"), weak("pip", "99"))
    assert lines(result)[0] == "weak, reported only: the tools: pip 1.0: X-1, Y-1 (fixed in 99)"
    assert statuses(result) == (0, 0)


def test_what_nobody_could_be_asked_about_is_not_called_good() -> None:
    result = found(skipped("a"), skipped("b"))
    assert lines(result) == [f"not audited: the tools: 2 of 2 packages: a, b ({UNKNOWN})"]
    assert statuses(result) == (0, 3)


def test_packages_that_are_passed_over_are_named() -> None:
    result = found(good("a"), *(skipped(f"b{number}") for number in range(41)))
    names = ", ".join(f"b{number}" for number in range(40))
    assert lines(result) == [
        f"not audited: the tools: 41 of 42 packages: {names}, … ({UNKNOWN})",
        "audited: the tools: 1 packages, 0 with known weaknesses",
    ]
    assert statuses(result) == (0, 3)


@pytest.mark.parametrize("output", ["", "nonsense", "[]", "{}", "null"])
def test_an_asking_that_failed_is_told(output: str) -> None:
    result = audit.read(output, "Traceback …\nConnectionError: nobody there\n", ["a", "b"])
    assert lines(result) == ["not audited: the tools: 2 of 2 packages: a, b (ConnectionError: nobody there)"]
    assert statuses(result) == (0, 3)


def test_an_answer_of_npm_is_reported_and_fails_nothing() -> None:
    weak = {"ajv": {"range": "<6.12.3", "severity": "high", "via": []}}
    result = audit.read_npm(json.dumps({"vulnerabilities": weak}), ["ajv", "b"])
    assert lines(result) == [
        "weak, reported only: the tools: ajv <6.12.3: high",
        "audited: the tools: 2 packages, 1 with known weaknesses",
    ]
    assert statuses(result) == (0, 0)
    for output in ("", "[]", json.dumps({"message": "405 Method Not Allowed"})):
        result = audit.read_npm(output, ["ajv"])
        assert lines(result) == ["not audited: the tools: 1 of 1 packages: ajv (npm audit got no answer)"]


def test_without_pip_audit_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    monkeypatch.setattr(audit, "AUDITOR", tmp_path / "pip-audit")
    assert (audit.main([]), audit.main(["--strict"])) == (0, 3)
    assert capsys.readouterr().out.startswith("not audited: pip-audit is not installed, so nothing was asked")


def test_the_tools_are_asked_about_only_where_there_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    auditor, answer = tmp_path / "pip-audit", tmp_path / "answer.json"
    auditor.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncat {answer}\n')
    auditor.chmod(0o700)
    packages = tmp_path / ".venv" / "lib" / "python3.13" / "site-packages"
    (packages / "b-1.0.dist-info").mkdir(parents=True)
    other = tmp_path / ".local" / "load-venv" / "lib" / "python3.13" / "site-packages" / "c-1.0.dist-info"
    other.mkdir(parents=True)
    modules = tmp_path / ".local" / "clients-node" / "node_modules"
    for name in ("ajv", "@types/node", "ajv/dist"):
        (modules / name).mkdir(parents=True)
        (modules / name / "package.json").write_text("{}")
    monkeypatch.setattr(audit, "ask_npm", lambda folder, names: audit.Found(len(names)))
    monkeypatch.setattr(audit, "AUDITOR", auditor)
    monkeypatch.setattr(audit, "ROOT", tmp_path)

    answer.write_text(json.dumps({"dependencies": [skipped("a")]}))
    assert audit.main([]) == 0
    assert (tmp_path / "asked").read_text().count("\n") == 1
    unasked = "(not asked, since there was no answer about what runs in Lambda)"
    assert capsys.readouterr().out.splitlines() == [
        f"not audited: what runs in Lambda: 1 of 1 packages: a ({UNKNOWN})",
        f"not audited: .venv: 1 of 1 packages: b {unasked}",
        f"not audited: .local/load-venv: 1 of 1 packages: c {unasked}",
        f"not audited: .local/clients-node: 2 of 2 packages: @types/node, ajv {unasked}",
    ]
    answer.write_text(json.dumps({"dependencies": [good("a")]}))
    assert audit.main(["--strict"]) == 0

    asked = (tmp_path / "asked").read_text().splitlines()
    assert f"--requirement={ROOT / 'requirements.txt'}" in asked[1]
    assert f"--path={packages}" in asked[2]
    assert capsys.readouterr().out.splitlines() == [
        "audited: what runs in Lambda: 1 packages, 0 with known weaknesses",
        "audited: .venv: 1 packages, 0 with known weaknesses",
        "audited: .local/load-venv: 1 packages, 0 with known weaknesses",
        "audited: .local/clients-node: 2 packages, 0 with known weaknesses",
    ]

    # What is weak fails in an environment that may meet data of users, and nowhere else.
    answer.write_text(json.dumps({"dependencies": [weak("a", "1.1")]}))
    assert audit.check(tmp_path / ".venv", True).weak
    reported = audit.check(tmp_path / ".local" / "load-venv", True)
    assert (reported.weak, list(reported.aside)) == ({}, ["a 1.0"])


@pytest.mark.parametrize("written", lock.LOCKED)
def test_every_version_that_is_installed_is_locked_with_hashes(written: str) -> None:
    asked = (ROOT / lock.LOCKED[written][0]).read_text(encoding="utf-8")
    locked = (ROOT / written).read_text(encoding="utf-8")
    wanted = [line for line in asked.splitlines() if line and line[0] not in "# "]
    for line in wanted:
        assert line in ("-r ../requirements.txt", "-r local/requirements-serve.in") or re.fullmatch(
            r"[A-Za-z0-9._\[\],-]+==[0-9][\w.]*", line
        ), line
    assert lock.pinned(asked).items() <= lock.pinned(locked).items()
    for package in re.split(r"^(?=\w)", locked, flags=re.MULTILINE)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", package), package


def test_everything_that_make_installs_is_locked() -> None:
    named = re.findall(r"^\S.*: (\S*requirements\S*\.txt)(?: \|.*)?$", MAKEFILE, re.MULTILINE)
    assert {*named, HASHED.as_posix()} == {*lock.LOCKED}
    assert MAKEFILE.count("install $(PIP_OPTIONS) --require-hashes -r $<") == MAKEFILE.count("$(PIP_OPTIONS)") > 0


def test_what_serves_has_the_same_versions_in_both_environments() -> None:
    serve, develop = (
        lock.pinned((ROOT / name).read_text(encoding="utf-8"))
        for name in ("local/requirements-serve.txt", "requirements-dev.txt")
    )
    assert serve.items() <= develop.items()


def test_what_the_zip_takes_are_the_pinned_versions() -> None:
    hashed = (ROOT / HASHED).read_text(encoding="utf-8")
    assert lock.pinned(hashed) == lock.pinned((ROOT / "requirements.txt").read_text(encoding="utf-8"))
