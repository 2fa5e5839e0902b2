"""The zip contains only what runs, and the build reports a zip that is too large."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import bundle
from infra.refusals import Refused


@pytest.mark.parametrize(
    "name",
    [
        "boto3/session.py",
        "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
        "botocore/data/s3/2006-03-01/endpoint-rule-set-1.json.gz",
        "botocore/data/endpoints.json",
        "botocore/data/partitions.json",
        "botocore/cacert.pem",
        "PIL/_imaging.cpython-313-aarch64-linux-gnu.so",
        "PIL/_imagingcms.cpython-313-aarch64-linux-gnu.so",
        "pillow.libs/liblcms2-88eaba2f.so.2.0.19",
        "pillow.libs/libjpeg-80045241.so.62.4.0",
        "pillow.libs/libtiff-0c352bdc.so.6.3.0",
        "_cffi_backend.cpython-313-aarch64-linux-gnu.so",
        "aws_lambda_powertools/utilities/idempotency/base.py",
        "six.py",
        "PIL/ImageFile.py",
        "PIL/ImageOps.py",
        "PIL/PngImagePlugin.py",
        "dateutil/tz/tz.py",
        "urllib3/contrib/__init__.py",
    ],
)
def test_what_runs_is_kept(name: str) -> None:
    assert bundle.keeps(name)


@pytest.mark.parametrize(
    "name",
    [
        "boto3/data/s3/2006-03-01/resources-1.json",
        "botocore/data/ec2/2016-11-15/service-2.json.gz",
        "botocore/data/dynamodb/2012-08-10/examples-1.json.gz",
        "boto3-1.44.5.dist-info/METADATA",
        "jwt/__pycache__/api_jwt.cpython-311.pyc",
        "jwt/py.typed",
        "jwt/api_jwt.pyi",
        "pycparser/c_parser.py",
        "cffi/api.py",
        "PIL/_avif.cpython-313-aarch64-linux-gnu.so",
        "PIL/_imagingmath.cpython-313-aarch64-linux-gnu.so",
        "PIL/ImageFont.py",
        "PIL/PdfParser.py",
        "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz",
        "urllib3/contrib/emscripten/fetch.py",
        "aws_lambda_powertools/utilities/parser/models/s3.py",
        "pillow.libs/libavif-ba04b566.so.16.4.2",
        "bin/jp.py",
    ],
)
def test_what_does_not_run_is_left_out(name: str) -> None:
    assert not bundle.keeps(name)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a build directory with two libraries: one that is kept and one that is not."""

    def fetch(libraries: Path, architecture: str, version: str) -> None:
        for name in ("six.py", "pycparser/c_parser.py"):
            (libraries / name).parent.mkdir(parents=True, exist_ok=True)
            (libraries / name).write_text("x = 1\n")

    monkeypatch.setattr(bundle, "_fetch", fetch)
    return tmp_path


def test_the_app_and_its_libraries_are_in_it_and_nothing_of_this_side(work: Path) -> None:
    bundle.build(work / "made.zip", work, "arm64")

    with zipfile.ZipFile(work / "made.zip") as made:
        names = [name for name in made.namelist() if "__pycache__" not in name]
    assert {"app.py", "six.py", "chalice/app.py", "chalicelib/settings.py", "chalicelib/web/templates/base.html"} <= {
        *names
    }
    assert {name.split("/")[0] for name in names} == {"app.py", "six.py", "chalice", "chalicelib"}
    assert len([name for name in names if name.startswith("chalice/")]) == 2


def test_the_same_sources_make_the_same_bytes(work: Path) -> None:
    bundle.build(work / "one.zip", work, "arm64")
    bundle.build(work / "two.zip", work, "arm64")

    assert (work / "one.zip").read_bytes() == (work / "two.zip").read_bytes()


def test_bytecode_is_believed_without_a_look_at_the_source(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("x = 'compiled'\n")

    bundle.compile_tree(sys.executable, tmp_path)

    (tmp_path / "one.py").write_text("x = 'written since'\n")
    done = subprocess.run(
        [sys.executable, "-c", "import one; print(one.x)"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "compiled\n"


def test_a_module_that_cannot_be_compiled_stops_it(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("x =\n")

    with pytest.raises(Refused, match="cannot compile"):
        bundle.compile_tree(sys.executable, tmp_path)


def test_a_zip_that_is_too_large_is_refused(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle.build(work / "made.zip", work, "arm64")
    size = (work / "made.zip").stat().st_size

    monkeypatch.setattr(bundle, "MOST_BYTES", size)
    bundle.build(work / "made.zip", work, "arm64")
    monkeypatch.setattr(bundle, "MOST_BYTES", size - 1)
    with pytest.raises(Refused, match=f"{size:,} bytes"):
        bundle.build(work / "made.zip", work, "arm64")


def take(folder: Path, monkeypatch: pytest.MonkeyPatch, requirements: str) -> None:
    """Make the build use these requirements, with libraries from a folder."""
    (folder / bundle.HASHED).parent.mkdir(exist_ok=True)
    (folder / bundle.HASHED).write_text(requirements)
    monkeypatch.setattr(bundle, "ROOT", folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def test_a_library_is_the_file_that_was_chosen_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "example-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("example.py", "x = 1\n")
        made.writestr("example-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr("example-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: example\nVersion: 1\n")
        made.writestr("example-1.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()

    take(tmp_path, monkeypatch, f"example==1 --hash=sha256:{digest[::-1]}\n")
    with pytest.raises(Refused, match="pip cannot fetch the libraries"):
        bundle._fetch(tmp_path / "libraries", "arm64", "3.13")
    take(tmp_path, monkeypatch, f"example==1 --hash=sha256:{digest}\n")
    bundle._fetch(tmp_path / "libraries", "arm64", "3.13")

    assert (tmp_path / "libraries" / "example.py").exists()


def test_libraries_that_cannot_be_had_are_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take(tmp_path, monkeypatch, f"engawa-no-such-library==1 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(Refused, match=r"pip cannot fetch the libraries for Python 3\.13 on arm64: .*no-such-library"):
        bundle.build(tmp_path / "made.zip", tmp_path, "arm64")

    assert not (tmp_path / "made.zip").exists()
