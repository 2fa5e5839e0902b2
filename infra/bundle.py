"""Makes the zip that Lambda runs: the app, and of its libraries what runs.

The libraries are the wheels of requirements.txt for Lambda's Python and processor, whatever this machine is, and each
has one of the hashes that were written down when its version was chosen (infra/lock.py). boto3 is among them though
Lambda has one: that one changes when AWS likes, and what is deployed shall be what was tested. Of its 25 MB of data
only those of the services in use go along.
"""

from __future__ import annotations

import glob
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from infra.refusals import Refused

ROOT = Path(__file__).resolve().parent.parent
HASHED = Path("infra", "requirements-lambda.txt")
PYTHON = "3.13"
MOST_BYTES = 15_000_000
SERVICES = frozenset({"dynamodb", "s3", "sqs", "secretsmanager", "sts"})
"""The services whose API descriptions botocore keeps; sts is where credentials of a role come from."""
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# Lambda's image for Python 3.13 is Amazon Linux 2023, with glibc 2.34.
_PLATFORMS = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")

_UNUSED = (
    # Only `boto3.resource` reads them.
    "boto3/data",
    "boto3/examples",
    "bin",
    # cffi's Python half, and the C parser it needs, make bindings; those of cryptography are made, and need
    # `_cffi_backend` alone.
    "cffi",
    "pycparser",
    # HTTP and GraphQL routers of powertools, and its helpers for services: Chalice routes here.
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
    # What X-Ray's SDK traces of other frameworks.
    "aws_xray_sdk/ext/aiohttp",
    "aws_xray_sdk/ext/django",
    "aws_xray_sdk/ext/flask",
    "aws_xray_sdk/ext/flask_sqlalchemy",
    "aws_xray_sdk/ext/sqlalchemy",
)
"""Folders that nothing here imports."""
_UNUSED_IMAGING = ("_avif", "_webp", "_imagingft", "_imagingtk")
"""Extensions of Pillow for what is neither read nor written here: `_imaging` is for JPEG and PNG, `_imagingcms` for the
colour profiles in them."""
_UNUSED_LIBRARIES = (
    "libavif",
    "libwebp",
    "libsharpyuv",
    "libfreetype",
    "libharfbuzz",
    "libpng16",
    "libbrotli",
)
"""What only those extensions link."""


def build(zip_path: Path, work: Path, architecture: str, version: str = PYTHON) -> None:
    """Write the zip to `zip_path`, with libraries fetched into `work`. Raises Refused.

    The same sources and the same interpreters give the same bytes.
    """
    libraries = work / f"libraries-{version}-{architecture}"
    _fetch(libraries, architecture, version)
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for source, name in (*_library_files(libraries), *_app_files()):
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    python = target_python(version)
    if python:
        compile_tree(python, tree)
    _write(zip_path, tree)
    size = zip_path.stat().st_size
    if size > MOST_BYTES:
        raise Refused(f"{zip_path} has {size:,} bytes; more than {MOST_BYTES:,} make slow cold starts.")


def keeps(name: str) -> bool:
    """Whether a file of the libraries, named from their folder, goes into the zip."""
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
    return not (path.parts[0] == "pillow.libs" and path.name.startswith(_UNUSED_LIBRARIES))


def target_python(version: str = PYTHON) -> str | None:
    """An interpreter of Lambda's version on this machine, if there is one: its bytecode is Lambda's."""
    found = [sys.executable, shutil.which(f"python{version}")]
    found += sorted(glob.glob(str(Path(f"~/.pyenv/versions/{version}.*/bin/python{version}").expanduser())))
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    for python in filter(None, found):
        asked = subprocess.run([python, "-c", question], capture_output=True, text=True, check=False)
        if asked.stdout.strip() == version:
            return python
    return None


def compile_tree(python: str, tree: Path) -> None:
    """Put bytecode beside every module. Lambda's disk is read-only there: else each cold start compiles all anew.

    It counts as it is, without a look at the source and its time. Raises Refused.
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
    """The app, and of Chalice the two files that it is at run time; its command line stays here."""
    import chalice

    framework = Path(chalice.__file__).parent
    yield from ((framework / name, f"chalice/{name}") for name in ("__init__.py", "app.py"))
    yield ROOT / "app.py", "app.py"
    for path in (ROOT / "chalicelib").rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        if path.is_file() and "__pycache__" not in name and not path.name.startswith("."):
            yield path, name


def _write(zip_path: Path, tree: Path) -> None:
    """Zip a folder so that the same files make the same bytes."""
    zip_path.parent.mkdir(parents=True, exist_ok=True)
    fresh = zip_path.with_suffix(".new")
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for path in sorted(each for each in tree.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if ".so" in path.suffixes or ".so" in path.name else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, path.read_bytes())
    fresh.replace(zip_path)
