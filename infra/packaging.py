"""The template that Chalice makes for our zip, with the last changes to it.

Chalice itself would make a zip for the Python that runs it, with all of boto3's data. It gets our finished zip instead.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from infra import bundle, combine
from infra.refusals import Refused

if TYPE_CHECKING:
    from chalice.cli.factory import CLIFactory
    from chalice.config import Config

ROOT = bundle.ROOT
BUILD = ROOT / "build"
CONFIG = ROOT / ".chalice" / "config.json"
LOCAL = "local"


def stages() -> dict[str, dict[str, Any]]:
    """Return the stages that can be deployed, by name, with their settings in .chalice/config.json."""
    known: dict[str, dict[str, Any]] = json.loads(CONFIG.read_text(encoding="utf-8"))["stages"]
    return {name: said for name, said in known.items() if name != LOCAL}


def checked_stage(stage: str) -> str:
    """Return the stage if it can be deployed. Raises Refused."""
    if stage not in stages():
        known = ", ".join(stages())
        raise Refused(f"There is no stage {stage!r}: .chalice/config.json has {known}, as in make deploy STAGE=dev.")
    return stage


def checked_front(front: str) -> str:
    """Return the front if there is such a one. Raises Refused."""
    if front not in combine.FRONTS:
        raise Refused(f"FRONT must be {' or '.join(combine.FRONTS)}, not {front!r}.")
    return front


def package(stage: str, architecture: str, warm: str = combine.COLD, front: str = combine.REST) -> Path:
    """Create deployment.zip, sam.yaml, global.yaml and copy.yaml in build/<stage>; return the folder.

    Needs no credentials. Raises Refused.
    """
    checked_stage(stage)
    checked_front(front)
    out = BUILD / stage
    out.mkdir(parents=True, exist_ok=True)
    merged = BUILD / "merge.yaml"
    merged.write_text(yaml.safe_dump(combine.merge_template(), sort_keys=False), encoding="utf-8")
    with chalice(stage, architecture) as (factory, config):
        packager = factory.create_app_packager(
            config, factory.create_package_options(), "cloudformation", "yaml", str(merged)
        )
        packager.package_app(config, str(out), stage)
    path = out / "sam.yaml"
    template = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        combine.finish(template, stage, warm, front)
    except ValueError as error:
        raise Refused(str(error)) from None
    path.write_text(yaml.safe_dump(template, sort_keys=False, allow_unicode=True, width=110), encoding="utf-8")
    (out / "global.yaml").write_text(yaml.safe_dump(combine.global_template(), sort_keys=False), encoding="utf-8")
    shutil.copyfile(combine.INFRA / "copy.yaml", out / "copy.yaml")
    return out


@contextmanager
def chalice(stage: str, architecture: str) -> Iterator[tuple[CLIFactory, Config]]:
    """Yield Chalice's factory and configuration of a stage, with our zip for Lambda's Python instead of its own."""
    checked_stage(stage)
    if architecture not in bundle.MACHINES:
        raise Refused(f"ARCH must be one of {', '.join(bundle.MACHINES)}, not {architecture!r}.")
    from chalice.cli.factory import CLIFactory
    from chalice.config import Config
    from chalice.deploy.packager import LambdaDeploymentPackager

    made = BUILD / f"engawa-{architecture}.zip"
    bundle.build(made, BUILD, architecture)
    before = LambdaDeploymentPackager.create_deployment_package, Config.lambda_python_version
    environment = dict(os.environ)
    os.environ.setdefault("AWS_DEFAULT_REGION", os.environ.get("AWS_REGION") or "ap-northeast-1")
    LambdaDeploymentPackager.create_deployment_package = lambda *_: str(made)  # type: ignore[method-assign]
    Config.lambda_python_version = f"python{bundle.PYTHON}"  # type: ignore[method-assign, assignment]
    try:
        # Chalice sets the stage's variables there before it imports the app, which takes its queue's name from them.
        factory = CLIFactory(str(ROOT), environ=os.environ)
        config = factory.create_config_obj(chalice_stage_name=stage)
        config.config_from_disk["stages"][stage]["lambda_architecture"] = architecture
        yield factory, config
    finally:
        LambdaDeploymentPackager.create_deployment_package = before[0]  # type: ignore[method-assign]
        Config.lambda_python_version = before[1]  # type: ignore[method-assign]
        os.environ.clear()
        os.environ.update(environment)
