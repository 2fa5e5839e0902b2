"""A search for known vulnerabilities of the installed packages: `make audit`, which runs pip-audit and `npm audit`.

It first checks the packages that run in Lambda, and the tools' only if that check got an answer. pip-audit succeeds
with "No known vulnerabilities found" even if it could check nothing at all. This module names the packages that were
not checked, in lines "not audited", with `--strict` also by the exit status 3. A known vulnerability is the status 1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra.lock import pinned

ROOT = Path(__file__).resolve().parent.parent
AUDITOR = ROOT / ".local" / "audit-venv" / "bin" / "pip-audit"
LAMBDA = ROOT / "requirements.txt"
ENVIRONMENTS = (".venv", ".local/emulator-venv")
"""The environments of tools that may meet data of users, relative to the root."""
OTHER_TOOLS = (".local/*-venv", ".local/*-node")
"""The environments of all other tools. What they have is reported only."""
OF_PYTHON = frozenset({"pip", "setuptools"})
"""Packages that Python itself puts into an environment. Reported only, since a Python update is the fix."""
WEAK, NOT_AUDITED = 1, 3
_SHOWN = 40


@dataclass
class Found:
    """The result of a check: the number of packages, the vulnerable ones by name, and those that were not checked.

    `why` is a reason for the last. `aside` holds the vulnerable packages that are only reported.
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


def not_asked(names: Sequence[str], why: str) -> Found:
    """Return the result for packages that could not be checked."""
    return Found(packages=len(names), skipped=list(names), why=why)


def read(output: str, errors: str, names: Sequence[str]) -> Found:
    """Return the result in pip-audit's JSON output. Without one, no package of `names` was checked."""
    try:
        dependencies = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return not_asked(names, (errors.strip().splitlines() or ["pip-audit printed nothing"])[-1])
    found = Found(packages=len(dependencies))
    for each in dependencies:
        if "skip_reason" in each:
            found.skipped.append(each["name"])
            found.why = found.why or each["skip_reason"]
        elif each["vulns"]:
            into = found.aside if each["name"] in OF_PYTHON else found.weak
            into[f"{each['name']} {each['version']}"] = [_weakness(vulnerability) for vulnerability in each["vulns"]]
    return found


def read_npm(output: str, names: Sequence[str]) -> Found:
    """Return the result in the JSON output of `npm audit`. Without one, no package of `names` was checked."""
    try:
        weak = json.loads(output)["vulnerabilities"]
    except (ValueError, KeyError, TypeError):
        return not_asked(names, "npm audit got no answer")
    return Found(len(names), aside={f"{name} {each['range']}": [each["severity"]] for name, each in weak.items()})


def told(what: str, found: Found) -> Iterable[str]:
    """Yield the lines that report a result."""
    for name, weaknesses in found.weak.items():
        yield f"WEAK: {what}: {name}: {'; '.join(weaknesses)}"
    for name, weaknesses in found.aside.items():
        yield f"weak, reported only: {what}: {name}: {'; '.join(weaknesses)}"
    if found.skipped:
        more = ", …" if len(found.skipped) > _SHOWN else ""
        names = ", ".join(found.skipped[:_SHOWN]) + more
        yield f"not audited: {what}: {len(found.skipped)} of {found.packages} packages: {names} ({found.why})"
    if found.answered:
        weak = len(found.weak) + len(found.aside)
        yield f"audited: {what}: {found.packages - len(found.skipped)} packages, {weak} with known weaknesses"


def status(every: Iterable[Found], *, strict: bool) -> int:
    """Return the exit status."""
    results = list(every)
    if any(found.weak for found in results):
        return WEAK
    return NOT_AUDITED if strict and any(found.skipped for found in results) else 0


def ask(options: Sequence[str], names: Sequence[str]) -> Found:
    """Run pip-audit with these options, which select the packages `names`, and return its result."""
    common = ["--format=json", "--desc=off", "--aliases=on", "--progress-spinner=off", "--timeout=10"]
    cache = f"--cache-dir={ROOT / '.local' / 'audit-cache'}"
    done = subprocess.run([AUDITOR, *common, cache, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    return read(done.stdout, done.stderr, names)


def ask_npm(folder: Path, names: Sequence[str]) -> Found:
    """Run `npm audit` in a folder and return its result."""
    try:
        done = subprocess.run(["npm", "audit", "--json"], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return not_asked(names, "there is no npm")
    return read_npm(done.stdout, names)


def check(place: Path, answering: bool) -> Found:
    """Return the result for the packages in an environment of Python or npm; nothing is asked unless `answering`."""
    folders = [*place.glob("lib/python3*/site-packages"), *place.glob("node_modules")]
    python = [each.name.partition("-")[0] for folder in folders for each in folder.glob("*.dist-info")]
    npm = [name for folder in folders for each in folder.glob("**/package.json") if (name := _npm_name(each))]
    names = sorted({*python, *npm})
    if not answering:
        return not_asked(names, "not asked, since there was no answer about what runs in Lambda")
    found = ask_npm(place, names) if npm else ask([f"--path={folder}" for folder in folders], names)
    if place.relative_to(ROOT).as_posix() not in ENVIRONMENTS:
        found.aside, found.weak = found.weak | found.aside, {}
    return found


def main(words: Sequence[str]) -> int:
    """Check the packages and print the results; return the exit status."""
    if not AUDITOR.exists():
        print("not audited: pip-audit is not installed, so nothing was asked (make audit installs it)")
        return NOT_AUDITED if "--strict" in words else 0
    names = sorted(pinned(LAMBDA.read_text(encoding="utf-8")))
    first = ask(["--no-deps", "--disable-pip", f"--requirement={LAMBDA}"], names)
    results = {"what runs in Lambda": first}
    every = [*ENVIRONMENTS, *(path.relative_to(ROOT).as_posix() for each in OTHER_TOOLS for path in ROOT.glob(each))]
    for name in dict.fromkeys(each for each in every if (ROOT / each).is_dir()):
        results[name] = check(ROOT / name, first.answered)
    for what, found in results.items():
        print("\n".join(told(what, found)))
    return status(results.values(), strict="--strict" in words)


def _npm_name(path: Path) -> str:
    """Return `@types/node` for …/node_modules/@types/node/package.json; empty if the file is not that of a package."""
    name = path.parent.as_posix().rpartition("/node_modules/")[2]
    return name if name.count("/") == name.count("@") else ""


def _weakness(vulnerability: dict[str, list[str]]) -> str:
    fixed = ", ".join(vulnerability.get("fix_versions") or ["nowhere yet"])
    names = ", ".join([str(vulnerability["id"]), *vulnerability.get("aliases", [])])
    return f"{names} (fixed in {fixed})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
