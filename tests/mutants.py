"""Mutation testing of chalicelib/core: `make mutate`, or `make mutate ARGS="window paging"` for some of its modules.

mutmut changes one thing at a time and runs the unit tests that execute it (pyproject.toml lists the test files). A
mutant that no test detects is listed in mutants.toml with the reason. The exit status is 1 if an unlisted mutant
survives, or if a listed mutant does not.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

ROOT = Path(__file__).resolve().parents[1]
CORE = Path("chalicelib/core")
MUTANTS = ROOT / "mutants"
EXPLAINED = Path(__file__).with_suffix(".toml")
SECONDS = 3600
"""The time limit of mutmut."""


def explained() -> Counter[str]:
    """Return the survivors that have a reason, as `told` writes them."""
    reasons = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))["survive"]
    return Counter(mutant for reason in reasons for mutant in reason["mutants"])


def run(modules: list[str]) -> None:
    """Create the mutants anew and test those of `modules`, or all if it is empty."""
    shutil.rmtree(MUTANTS, ignore_errors=True)
    paths = [path for name in modules for path in CORE.rglob(f"{name}.py")]
    patterns = [f"{'.'.join(path.with_suffix('').parts)}.*" for path in paths]
    command = [str(Path(sys.executable).with_name("mutmut")), "run", *patterns]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS)
    if ran.returncode:
        sys.exit(ran.stdout.decode(errors="replace")[-4_000:])


def told(mutant: str) -> str:
    """Return a mutant as `module.function: the changed line`; its number would change with every change above it."""
    module, _, function = mutant.rpartition(".")
    name = re.sub(r"^x_?|__mutmut_\d+$", "", function).replace("ǁ", ".").lstrip(".")
    source = Path(module.replace(".", "/")).with_suffix(".py")
    added = [line[1:].strip() for line in get_diff_for_mutant(mutant, path=source).splitlines() if line[:1] == "+"]
    return f"{source.stem}.{name}: {' '.join(added[1:])}"


def main(modules: list[str]) -> int:
    """Run mutmut, print the results by module and the differences from mutants.toml, and return the exit status."""
    os.chdir(ROOT)
    run(modules)
    survivors: Counter[str] = Counter()
    made = killed = 0
    print(f"{'module':20}{'mutants':>10}{'killed':>10}{'survived':>10}")
    for path in sorted((MUTANTS / CORE).rglob("*.meta")):
        module = path.name.partition(".")[0]
        results = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        if results and (not modules or module in modules):
            alive = [name for name, code in results.items() if status_by_exit_code[code] not in ("killed", "timeout")]
            print(f"{module:20}{len(results):>10}{len(results) - len(alive):>10}{len(alive):>10}")
            made, killed = made + len(results), killed + len(results) - len(alive)
            survivors.update(map(told, alive))
    print(f"{'total':20}{made:>10}{killed:>10}{made - killed:>10}")
    known = Counter(each for each in explained().elements() if not modules or each.partition(".")[0] in modules)
    for title, mutants in (("Survived, not listed", survivors - known), ("Listed, no survivor", known - survivors)):
        for mutant in sorted(mutants.elements()):
            print(f"{title}: {mutant}")
    return 0 if survivors == known else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
