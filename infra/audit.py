"""A search for known vulnerabilities of the installed packages: `make audit`, which runs pip-audit.

It first checks the packages that run in Lambda. It checks the tools' environments only if that check got an answer.
pip-audit succeeds with "No known vulnerabilities found" even if it could check nothing at all. This module reports that
case with a line "not audited" and, with `--strict`, the exit status 3. A known vulnerability is the exit status 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AUDITOR = ROOT / ".local" / "audit-venv" / "bin" / "pip-audit"
LAMBDA = ROOT / "requirements.txt"
ENVIRONMENTS = (".venv", ".local/emulator-venv")
"""The tools' environments, relative to the root."""
OF_PYTHON = frozenset({"pip", "setuptools"})
"""Packages that Python itself puts into an environment. Reported only, since a Python update is the fix."""
WEAK, NOT_AUDITED = 1, 3
_SHOWN = 8


@dataclass
class Found:
    """The result of a check: the number of packages, the vulnerable ones by name, and those that were not checked.

    `why` is a reason for the last; if the check itself failed, there are no names. `aside` holds the vulnerable
    packages that are Python's own.
    """

    packages: int = 0
    weak: dict[str, list[str]] = field(default_factory=dict)
    aside: dict[str, list[str]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    why: str = ""

    @property
    def answered(self) -> bool:
        """Whether at least one package was checked."""
        return len(self.skipped) < self.packages


def read(output: str, errors: str) -> Found:
    """Return the result in pip-audit's JSON output; without one, `why` is the last line of `errors`."""
    try:
        dependencies = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Found(why=(errors.strip().splitlines() or ["pip-audit told nothing"])[-1])
    found = Found(packages=len(dependencies))
    for each in dependencies:
        if "skip_reason" in each:
            found.skipped.append(each["name"])
            found.why = found.why or each["skip_reason"]
        elif each["vulns"]:
            into = found.aside if each["name"] in OF_PYTHON else found.weak
            into[f"{each['name']} {each['version']}"] = [_weakness(vulnerability) for vulnerability in each["vulns"]]
    return found


def told(what: str, found: Found) -> Iterable[str]:
    """Yield the lines that report a result."""
    for name, weaknesses in found.weak.items():
        yield f"WEAK: {what}: {name}: {'; '.join(weaknesses)}"
    for name, weaknesses in found.aside.items():
        yield f"weak, in Python itself: {what}: {name}: {'; '.join(weaknesses)}"
    if not found.answered:
        yield f"not audited: {what}: no answer ({found.why})"
        return
    if found.skipped:
        more = ", …" if len(found.skipped) > _SHOWN else ""
        names = ", ".join(found.skipped[:_SHOWN]) + more
        yield f"not audited: {what}: {len(found.skipped)} of {found.packages} packages: {names} ({found.why})"
    yield f"audited: {what}: {found.packages - len(found.skipped)} packages, {len(found.weak)} with known weaknesses"


def status(every: Iterable[Found], *, strict: bool) -> int:
    """Return the exit status."""
    results = list(every)
    if any(found.weak for found in results):
        return WEAK
    incomplete = any(found.skipped or not found.answered for found in results)
    return NOT_AUDITED if strict and incomplete else 0


def ask(options: Sequence[str]) -> Found:
    """Run pip-audit with these options and return its result."""
    common = ["--format=json", "--desc=off", "--aliases=on", "--progress-spinner=off", "--timeout=10"]
    cache = f"--cache-dir={ROOT / '.local' / 'audit-cache'}"
    done = subprocess.run([AUDITOR, *common, cache, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    return read(done.stdout, done.stderr)


def main(words: Sequence[str]) -> int:
    """Check the packages and print the results; return the exit status."""
    if not AUDITOR.exists():
        print("not audited: nothing: pip-audit is not installed (make audit installs it)")
        return NOT_AUDITED if "--strict" in words else 0
    results = {"what runs in Lambda": ask(["--no-deps", "--disable-pip", f"--requirement={LAMBDA}"])}
    if results["what runs in Lambda"].answered:
        for name in ENVIRONMENTS:
            for packages in (ROOT / name).glob("lib/python3*/site-packages"):
                results[name] = ask([f"--path={packages}"])
    for what, found in results.items():
        print("\n".join(told(what, found)))
    return status(results.values(), strict="--strict" in words)


def _weakness(vulnerability: dict[str, list[str]]) -> str:
    fixed = ", ".join(vulnerability.get("fix_versions") or ["nowhere yet"])
    names = ", ".join([str(vulnerability["id"]), *vulnerability.get("aliases", [])])
    return f"{names} (fixed in {fixed})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
