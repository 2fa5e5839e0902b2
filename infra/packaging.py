"""The template that Chalice makes for our zip, with the last changes to it.

Chalice itself would make a zip for the Python that runs it, with all of boto3's data. It gets our finished zip instead.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from infra import bundle, combine, policies
from infra.refusals import Refused
from infra.site import upload
from infra.stage_settings import DEFAULTS, AppSettings

if TYPE_CHECKING:
    from chalice.cli.factory import CLIFactory
    from chalice.config import Config

ROOT = bundle.ROOT
BUILD = ROOT / "build"
CONFIG = ROOT / ".chalice" / "config.json"
_MODEL = "prod"
"""The stage of .chalice/config.json that others are made from."""
_SIZES = {"memory": "lambda_memory_size", "timeout": "lambda_timeout"}
"""Chalice's names for the sizes of a function."""


def configuration(stage: str, app: AppSettings = DEFAULTS) -> dict[str, Any]:
    """Return Chalice's configuration with the stage in it: that of .chalice/config.json, with the operator's settings.

    A stage that is not in the file is made from prod's. The policies are those that `write_policies` writes.
    """
    config: dict[str, Any] = json.loads(CONFIG.read_text(encoding="utf-8"))
    if stage not in config["stages"]:
        model = json.dumps(config["stages"][_MODEL])
        made = re.sub(rf"\b{_MODEL}\b", stage, model)
        config["stages"][stage] = json.loads(made)
    said = config["stages"][stage]
    said["environment_variables"] |= app.variables
    said["xray"] = app.tracing
    for name, function in said["lambda_functions"].items():
        function["iam_policy_file"] = str(_policy_file(stage, name))
        function |= {_SIZES[key]: value for key, value in app.sizes.get(name, {}).items()}
    return config


def sizes(stage: str, app: AppSettings) -> dict[str, dict[str, int]]:
    """Return memory and timeout of each function."""
    config = configuration(stage, app)
    functions = config["stages"][stage]["lambda_functions"]
    return {
        name: {key: function.get(chalice_key, config[chalice_key]) for key, chalice_key in _SIZES.items()}
        for name, function in functions.items()
    }


def write_policies(stage: str, traced: bool) -> None:
    """Write the IAM policy of each function of a stage."""
    for function, document in policies.of_stage(stage, traced=traced).items():
        path = _policy_file(stage, function)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(policies.written(document), encoding="utf-8")


def _policy_file(stage: str, function: str) -> Path:
    return BUILD / stage / "policies" / f"{function}.json"


def package(
    stage: str,
    architecture: str,
    warm: str = combine.COLD,
    front: str = combine.REST,
    app: AppSettings = DEFAULTS,
) -> Path:
    """Create deployment.zip and the templates in build/<stage>; return the folder.

    Needs no credentials. Raises Refused.
    """
    out = BUILD / stage
    out.mkdir(parents=True, exist_ok=True)
    merged = BUILD / "merge.yaml"
    merged.write_text(yaml.safe_dump(combine.merge_template(), sort_keys=False), encoding="utf-8")
    with chalice(stage, architecture, app) as (factory, config):
        packager = factory.create_app_packager(
            config, factory.create_package_options(), "cloudformation", "yaml", str(merged)
        )
        packager.package_app(config, str(out), stage)
    path = out / "sam.yaml"
    template = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        combine.finish(template, stage, warm, front)
        combine.show_pages(template, upload.folder())
    except ValueError as error:
        raise Refused(str(error)) from None
    path.write_text(yaml.safe_dump(template, sort_keys=False, allow_unicode=True, width=110), encoding="utf-8")
    others = ("global", combine.global_template()), ("edge_watch", combine.edge_watch_template())
    for name, made in (*others, ("copy", combine.copy_template())):
        (out / f"{name}.yaml").write_text(yaml.safe_dump(made, sort_keys=False), encoding="utf-8")
    return out


@contextmanager
def chalice(stage: str, architecture: str, app: AppSettings = DEFAULTS) -> Iterator[tuple[CLIFactory, Config]]:
    """Yield Chalice's factory and configuration of a stage, with our zip for Lambda's Python instead of its own."""
    from chalice.cli.factory import CLIFactory
    from chalice.config import Config
    from chalice.deploy.packager import LambdaDeploymentPackager

    made = BUILD / f"engawa-{architecture}.zip"
    bundle.build(made, BUILD, architecture)
    write_policies(stage, app.tracing)
    before = LambdaDeploymentPackager.create_deployment_package, Config.lambda_python_version
    environment = dict(os.environ)
    os.environ.setdefault("AWS_DEFAULT_REGION", os.environ.get("AWS_REGION") or "ap-northeast-1")
    LambdaDeploymentPackager.create_deployment_package = lambda *_: str(made)  # type: ignore[method-assign]
    Config.lambda_python_version = f"python{bundle.PYTHON}"  # type: ignore[method-assign, assignment]
    try:
        # Chalice sets the stage's variables there before it imports the app, which takes its queue's name from them.
        factory = CLIFactory(str(ROOT), environ=os.environ)
        factory.load_project_config = lambda: configuration(stage, app)  # type: ignore[method-assign]
        config = factory.create_config_obj(chalice_stage_name=stage)
        config.config_from_disk["stages"][stage]["lambda_architecture"] = architecture
        yield factory, config
    finally:
        LambdaDeploymentPackager.create_deployment_package = before[0]  # type: ignore[method-assign]
        Config.lambda_python_version = before[1]  # type: ignore[method-assign]
        os.environ.clear()
        os.environ.update(environment)
