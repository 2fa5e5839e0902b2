"""opensocial.js without a browser: its requests and results (tests/javascript), its types and its size."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from deno import find_deno_bin

from chalicelib.web.scripts import script

JAVASCRIPT = Path(__file__).resolve().parents[1] / "javascript"
MOST_BYTES = 12 * 1024
SCRIPTS = ["opensocial.js", "opensocial.mjs", "opensocial.d.ts"]
# Print every class, function and constant that exists at run time, as an expression that TypeScript must know.
LISTING = """
import { gadgets, mixi, opensocial, osapi } from "./opensocial.mjs";
const plain = (value) => typeof value === "object" && value !== null;
const walk = (path, value) => {
  if (typeof value === "string") console.log(`${path} satisfies ${JSON.stringify(value)};`);
  else console.log(`${path};`);
  if (plain(value)) for (const name of Object.keys(value)) walk(`${path}.${name}`, value[name]);
  if (typeof value !== "function" || !/^class /.test(value)) return;
  for (const name of Object.keys(value)) walk(`${path}.${name}`, value[name]);
  for (const name of Object.getOwnPropertyNames(value.prototype)) console.log(`${path}.prototype.${name};`);
};
for (const [name, value] of Object.entries({ gadgets, mixi, opensocial, osapi })) walk(name, value);
"""


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """Return a directory with the scripts as served, and the tests in JavaScript."""
    for name in SCRIPTS:
        (tmp_path / name).write_text(script(name).text, encoding="utf-8")
    for path in JAVASCRIPT.iterdir():
        shutil.copy(path, tmp_path)
    (tmp_path / "deno.json").write_text('{"compilerOptions": {"lib": ["dom", "es2022"], "strict": true}}')
    return tmp_path


def deno(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run deno in a directory, with nothing from the network and nothing stored elsewhere."""
    environment = {"DENO_DIR": str(directory / ".deno"), "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    return subprocess.run(
        [find_deno_bin(), *arguments],
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_what_it_sends_and_makes_of_answers(workshop: Path) -> None:
    done = deno(workshop, "test", "--no-check", "--no-remote", "--no-npm", "opensocial.test.js")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed | 0 failed" in done.stdout


def test_types_take_what_is_right_and_refuse_what_is_wrong(workshop: Path) -> None:
    done = deno(workshop, "check", "--no-remote", "--no-npm", "types.ts")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_use_would_be_noticed(workshop: Path) -> None:
    text = (workshop / "types.ts").read_text(encoding="utf-8")
    (workshop / "wrong.ts").write_text(text.replace("// @ts-expect-error values are strings\n", "", 1))
    done = deno(workshop, "check", "--no-remote", "--no-npm", "wrong.ts")
    assert done.returncode == 1
    assert "'number' is not assignable to parameter of type 'string'" in done.stderr


def test_everything_there_is_has_a_type(workshop: Path) -> None:
    (workshop / "listing.js").write_text(LISTING)
    listed = deno(workshop, "run", "--no-check", "--no-remote", "--no-npm", "listing.js")
    assert listed.returncode == 0, listed.stderr
    lines = listed.stdout.splitlines()
    assert len(lines) > 150
    assert 'opensocial.DataRequest.SortOrder.NAME satisfies "name";' in lines
    assert "opensocial.Person.prototype.isOwner;" in lines
    assert "opensocial.DataRequest.prototype.newFetchActivitiesRequest;" in lines
    assert 'mixi.Request.FilterType.JOINED_ONLY satisfies "JOINED_ONLY";' in lines
    header = '// @ts-types="./opensocial.d.ts"\nimport { gadgets, mixi, opensocial, osapi } from "./opensocial.mjs";\n'
    (workshop / "listed.ts").write_text(header + listed.stdout)
    done = deno(workshop, "check", "--no-remote", "--no-npm", "listed.ts")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_small(name: str) -> None:
    assert len(gzip.compress(script(name).text.encode(), 6)) <= MOST_BYTES


def test_an_entity_tag_is_of_one_text() -> None:
    assert len({script(name).etag for name in SCRIPTS}) == len(SCRIPTS)
    with pytest.raises(KeyError):
        script("another.js")
