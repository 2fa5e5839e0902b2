"""The zip that Lambda runs: the app, and those parts of its libraries that it uses.

The libraries are the wheels of requirements.txt for Lambda's Python and processor, whatever this machine is. Each wheel
has one of the hashes that were recorded when its version was chosen (infra/lock.py). The zip contains boto3 although
Lambda provides it: AWS may change Lambda's version at any time, and the deployed version must be the tested one. Of
its 25 MB of data, the zip contains only the data of the services in use.
"""

from __future__ import annotations

import glob
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from infra import models
from infra.refusals import Refused
from infra.site import builder

ROOT = Path(__file__).resolve().parent.parent
HASHED = Path("infra", "requirements-lambda.txt")
PYTHON = "3.13"
MOST_BYTES = 16_000_000
SERVICES = frozenset({"dynamodb", "s3", "sqs", "secretsmanager", "sts"})
"""The services whose API descriptions stay in botocore; sts provides the credentials of a role."""
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# Lambda's image for Python 3.13 is Amazon Linux 2023, with glibc 2.34.
_PLATFORMS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")

_UNUSED = (
    # Only `boto3.resource` reads them.
    "boto3/data",
    "boto3/examples",
    "bin",
    # cffi's Python code and the C parser that it needs generate bindings. cryptography's bindings are generated already
    # and need only `_cffi_backend`.
    "cffi",
    "pycparser",
    # Zones by name, for systems that have none. We use UTC and offsets.
    "dateutil/zoneinfo",
    # For Python in browsers.
    "urllib3/contrib/emscripten",
    # HTTP and GraphQL routers of powertools, and its helpers for services: Chalice does the routing here.
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/batch",
    "aws_lambda_powertools/utilities/circuit_breaker",
    "aws_lambda_powertools/utilities/data_classes",
    "aws_lambda_powertools/utilities/data_masking",
    "aws_lambda_powertools/utilities/feature_flags",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parameters",
    "aws_lambda_powertools/utilities/parser",
    "aws_lambda_powertools/utilities/streaming",
    "aws_lambda_powertools/utilities/validation",
)
"""Folders that nothing here imports."""
_UNUSED_IMAGING = ("_avif", "_webp", "_imagingft", "_imagingmath", "_imagingmorph", "_imagingtk")
"""Extensions of Pillow that the app does not use. It uses `_imaging` for JPEG and PNG, and `_imagingcms` for the colour
profiles in them."""
_UNUSED_DRAWING = ("ImageDraw", "ImageFont", "ImageMath", "ImageMorph", "ImageText", "Pdf")
"""Modules of Pillow for drawing, text, calculation and PDF, by the beginnings of their names."""
_UNUSED_LIBRARIES = (
    "libavif",
    "libwebp",
    "libsharpyuv",
    "libfreetype",
    "libharfbuzz",
    "libpng16",
    "libbrotli",
)
"""Libraries that only those extensions link."""


def build(zip_path: Path, work: Path, architecture: str, version: str = PYTHON) -> None:
    """Download the libraries into `work` and write the zip to `zip_path`. Raises Refused.

    The same sources and the same interpreters produce the same bytes.
    """
    builder.refresh()
    libraries = work / f"libraries-{version}-{architecture}"
    _fetch(libraries, architecture, version)
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for source, name in (*_library_files(libraries), *_app_files()):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    models.write(tree, SERVICES)
    python = target_python(version)
    if python:
        compile_tree(python, tree)
    _write(zip_path, tree)
    size = zip_path.stat().st_size
    if size > MOST_BYTES:
        raise Refused(f"{zip_path} has {size:,} bytes; more than {MOST_BYTES:,} make slow cold starts.")


def keeps(name: str) -> bool:
    """Return whether the zip contains a file of the libraries; `name` is relative to their folder."""
    path = PurePosixPath(name)
    if any(part == "__pycache__" or part.endswith((".dist-info", ".libs-info")) for part in path.parts):
        return False
    if path.suffix in (".c", ".pyi", ".pyc") or path.name == "py.typed" or "tests" in path.parts:
        return False
    if any(path.is_relative_to(folder) for folder in _UNUSED):
        return False
    if path.is_relative_to("botocore/data") and len(path.parts) > 3:
        return path.parts[2] in SERVICES and not path.name.startswith("examples-")
    if path.parts[0] == "PIL" and path.name.startswith(_UNUSED_IMAGING) and path.suffix == ".so":
        return False
    if path.parts[0] == "PIL" and path.name.startswith(_UNUSED_DRAWING):
        return False
    return not (path.parts[0] == "pillow.libs" and path.name.startswith(_UNUSED_LIBRARIES))


def target_python(version: str = PYTHON) -> str | None:
    """Return an interpreter of Lambda's version on this machine, or None. Lambda can use its bytecode."""
    found = [sys.executable, shutil.which(f"python{version}")]
    found += sorted(glob.glob(str(Path(f"~/.pyenv/versions/{version}.*/bin/python{version}").expanduser())))
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    for python in filter(None, found):
        asked = subprocess.run([python, "-c", question], capture_output=True, text=True, check=False)
        if asked.stdout.strip() == version:
            return python
    return None


def compile_tree(python: str, tree: Path) -> None:
    """Write bytecode beside every module. Raises Refused.

    The folder is read-only in Lambda, so without bytecode each cold start would compile every module again. Python uses
    the bytecode without a check of the source or its time.
    """
    how = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(tree), "-p", "/var/task"]
    done = subprocess.run([python, "-m", "compileall", *how, str(tree)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{python} cannot compile the files for the zip: {done.stdout.strip() or done.stderr.strip()}")


def _fetch(libraries: Path, architecture: str, version: str) -> None:
    requirements = ROOT / HASHED
    marker, wanted = libraries / ".requirements", requirements.read_text(encoding="utf-8")
    if marker.exists() and marker.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(libraries, ignore_errors=True)
    platforms = [f"--platform={each}_{MACHINES[architecture]}" for each in _PLATFORMS]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    where = [
        "--require-hashes",
        "--no-deps",
        "--no-compile",
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={version}",
    ]
    command = [*pip, *where, *platforms, f"--target={libraries}", f"--requirement={requirements}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Refused(f"pip cannot fetch the libraries for Python {version} on {architecture}: {last}")
    marker.write_text(wanted, encoding="utf-8")


def _library_files(libraries: Path) -> Iterator[tuple[Path, str]]:
    for path in libraries.rglob("*"):
        name = path.relative_to(libraries).as_posix()
        if path.is_file() and not name.startswith(".") and keeps(name):
            yield path, name


def _app_files() -> Iterator[tuple[Path, str]]:
    """Yield the app's files and the two files of Chalice that run; Chalice's command line is left out."""
    import chalice

    framework = Path(chalice.__file__).parent
    yield from ((framework / name, f"chalice/{name}") for name in ("__init__.py", "app.py"))
    yield ROOT / "app.py", "app.py"
    for path in (ROOT / "chalicelib").rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and "__pycache__" not in name and not path.name.startswith("."):
            yield path, name


def _write(zip_path: Path, tree: Path) -> None:
    """Zip a folder so that the same files produce the same bytes."""
    zip_path.parent.mkdir(parents=True, exist_ok=True)
    fresh = zip_path.with_suffix(".new")
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for path in sorted(each for each in tree.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if ".so" in path.suffixes or ".so" in path.name else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, path.read_bytes())
    fresh.replace(zip_path)
