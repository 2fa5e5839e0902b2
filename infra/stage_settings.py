"""The operator's settings of a stage: engawa.toml, and the environment for one run.

`read` checks all of them without AWS, and names every mistake at once. engawa.example.toml describes the file.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

from chalicelib import settings as app_settings
from chalicelib.api.scheduled import CLEAN_SECONDS, SWEEP_SECONDS
from chalicelib.store.aws.deadline import CALL_SECONDS
from chalicelib.store.aws.iam_needs import API, CLEAN, SWEEP
from infra import bundle, combine, parameters, policies
from infra.parameters import shown
from infra.refusals import Refused

FILE = bundle.ROOT / "engawa.toml"
DEFAULT = "default"
KEYS = ("region", "front", "warm", "architecture", "deploy_bucket", "tracing", "parameters", "settings", "functions")
SIZES = ("memory", "timeout")
MEMORY = 128, 10_240
"""Lambda's bounds, in MB: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_MOST_SECONDS = 900
_GATEWAY_SECONDS = 29
"""API Gateway waits for the API so long; CloudFront waits a second longer (edge.yaml)."""
_API_MEMORY, _BYTES_A_PIXEL = 100, 8
"""What the API takes, in MB, without an image, and what decoding an image takes (docs/internals/architecture.md)."""
_MOST_VARIABLE_BYTES = 3_000
"""Lambda's limit is 4 KB for all environment variables of a function; those of the stack take less than 1 KB."""
_STAGE = re.compile("[a-z][a-z0-9]{1,15}")
_ALWAYS = ("dev", "prod")
_TAKEN = {
    "local": "local is the stage of make serve",
    "deploy": "the bucket engawa-deploy-… is that of the deployments",
}
_REGION = re.compile("[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
_BUCKET = re.compile(r"[a-z0-9]([a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_ONLY_LOCAL = (
    "ENGAWA_TOKEN_KEYS_FILE",
    "ENGAWA_SECRET_KEYS_FILE",
    "ENGAWA_LAUNCH_KEYS_FILE",
    "ENGAWA_FETCH_LOOPBACK",
    "ENGAWA_SAMPLE",
)
_REASONS = {
    "ENGAWA_ISSUER": "make deploy takes it from the parameters Domain and Issuer",
    "ENGAWA_METRICS": "make deploy takes it from the parameter Monitoring",
    "ENGAWA_PROXY_KEY": "the stack generates the key and keeps it in Secrets Manager",
}


@dataclass(frozen=True)
class AppSettings:
    """The settings that become part of a package, as far as they differ from .chalice/config.json."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the functions."""
    sizes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """`memory` in MB and `timeout` in seconds, by function."""
    tracing: bool = False


DEFAULTS = AppSettings()


@dataclass(frozen=True)
class StageSettings:
    """All settings of a stage, checked."""

    stage: str
    file: Path | None
    region: str | None
    front: str
    warm: str
    architecture: str
    deploy_bucket: str | None
    parameters: Mapping[str, str]
    """The parameters that are not left to the defaults of the templates."""
    app: AppSettings
    sources: Mapping[str, str]
    """The origin of each value that is no default, by its name in the file, such as `parameters.Domain`."""

    def lines(self, sizes: Mapping[str, Mapping[str, int]]) -> list[tuple[str, str, str]]:
        """Return name, value and origin of every setting; secrets are masked. `sizes`: those of the functions."""
        known: dict[str, str] = {
            "region": self.region or "as AWS_PROFILE has it",
            "front": self.front,
            "warm": self.warm,
            "architecture": self.architecture,
            "deploy_bucket": self.deploy_bucket or "engawa-deploy-<account>-<region>",
            "tracing": "true" if self.app.tracing else "false",
        }
        for name, said in parameters.declared(self.front).items():
            value = self.parameters.get(name, str(said.get("Default", "")))
            known[f"parameters.{name}"] = "****" if value and said.get("NoEcho") else value
        for name, default in settable().items():
            known[f"settings.{name}"] = self.app.variables.get(name, default)
        for function, size in sizes.items():
            known |= {f"functions.{function}.{name}": str(value) for name, value in size.items()}
        return [(name, value or '""', self.sources.get(name, DEFAULT)) for name, value in known.items()]


def checked_stage(stage: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the stage if it can be deployed. Raises Refused."""
    file, tables = _file(environment)
    _refuse([*_wrong_tables(file, tables), *_no_stage(stage, file, tables)])
    return stage


def read(
    stage: str,
    chosen: Mapping[str, str] | None = None,
    front: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> StageSettings:
    """Return the settings of a stage. Raises Refused, with a sentence for each mistake.

    The environment's FRONT, WARM, ARCH, DEPLOY_BUCKET and PARAMETERS take precedence over the file, `chosen` and
    `front` over both.
    """
    file, tables = _file(environment)
    mistakes = _wrong_tables(file, tables)
    if unknown := _no_stage(stage, file, tables):
        _refuse([*mistakes, *unknown])
    table = tables.get(stage, {})
    return _Reading(stage, file, table if isinstance(table, dict) else {}, environment, mistakes).read(
        chosen or {}, front
    )


@cache
def settable() -> dict[str, str]:
    """Return the app's settings that an operator may set on AWS, each with its default ("" for none)."""
    asked = _Asked(_needed("dev"))
    app_settings.read(asked)
    return {name: default for name, default in sorted(asked.defaults.items()) if name not in _set_by_deploy()}


@cache
def _set_by_deploy() -> dict[str, str]:
    """Return the app's settings that an operator cannot set on AWS, each with the reason."""
    variables = _resources()["APIHandler"]["Properties"]["Environment"]["Variables"]
    reasons = {name: _REASONS.get(name, "make deploy sets it itself") for name in variables}
    return reasons | dict.fromkeys(_ONLY_LOCAL, "it is for the stage local alone")


@cache
def _resources() -> dict[str, Any]:
    resources: dict[str, Any] = combine.merge_template()["Resources"]
    return resources


class _Asked(dict[str, str]):
    """An environment that records which settings the app's reader looks up, and their defaults."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.defaults: dict[str, str] = {}

    def get(self, name: str, default: Any = None) -> Any:
        self.defaults[name] = self.defaults.get(name) or default or ""
        return super().get(name, default)


def _needed(stage: str) -> dict[str, str]:
    """Return values for the settings that the app needs, and that a deployment sets."""
    return {
        "ENGAWA_STAGE": stage,
        "ENGAWA_BUCKET": f"engawa-{stage}",
        "ENGAWA_ISSUER": "https://api.example.com",
        "ENGAWA_TOKEN_KEYS_SECRET": f"engawa-{stage}-token-keys",
        "ENGAWA_SECRET_KEYS_SECRET": f"engawa-{stage}-secret-keys",
    }


def _file(environment: Mapping[str, str]) -> tuple[Path | None, dict[str, Any]]:
    """Return the path of the file and its tables; None if there is no file. Raises Refused."""
    named = environment.get("ENGAWA_CONFIG")
    path = Path(named).expanduser() if named else FILE
    if not named and not path.exists():
        return None, {}
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        by = " (ENGAWA_CONFIG)" if named else ""
        raise Refused(f"{path}{by} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Refused(f"{path} is not in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{path} is not in the format TOML: {error}.") from None


def _no_stage(stage: str, file: Path | None, tables: Mapping[str, Any]) -> list[str]:
    """Return the reason if there is no such stage. The file names the stages; without it there are dev and prod."""
    reason = ""
    if reserved := _never_a_stage(stage):
        reason = f"{reserved}."
    elif file is None and stage not in _ALWAYS:
        reason = (
            f"without engawa.toml there are dev and prod, as in make deploy STAGE=dev. A table [{stage}] in "
            f"engawa.toml makes it."
        )
    elif file is not None and stage not in tables:
        # A misspelt [pord] would otherwise deploy prod without its domain, which ends all access tokens.
        names, near = ", ".join(tables) or "no stage", _nearest(stage, tables) or "."
        reason = f"{file} has {names}{near} An empty table [{stage}] there makes it, with the defaults."
    return [f"There is no stage {stage!r}: {reason}"] if reason else []


def _wrong_tables(file: Path | None, tables: Mapping[str, Any]) -> list[str]:
    """Return the mistakes at the top of the file, where only stages can be."""
    mistakes = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            mistakes.append(f"{file}: {name} is in no table; put it below the name of a stage, such as [prod].")
        elif reason := _never_a_stage(name):
            mistakes.append(f"{file}: [{name}] cannot be a stage: {reason}.")
    return mistakes


def _never_a_stage(name: str) -> str | None:
    """Return the reason if no stage can have this name."""
    if name in _TAKEN or _STAGE.fullmatch(name):
        return _TAKEN.get(name)
    return "a stage has 2 to 16 of a-z and 0-9, and begins with a letter"


def _refuse(mistakes: list[str]) -> None:
    if mistakes:
        raise Refused("\n".join(mistakes))


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return the question for the most similar of the known names, or nothing."""
    by_lower = {each.lower(): each for each in known}
    found = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""


class _Reading:
    """One reading of a stage's table. It collects all mistakes before it refuses."""

    def __init__(
        self,
        stage: str,
        file: Path | None,
        table: dict[str, Any],
        environment: Mapping[str, str],
        mistakes: list[str],
    ) -> None:
        self._stage, self._file, self._table, self._environment = stage, file, table, environment
        self._mistakes = mistakes
        self._sources: dict[str, str] = {}

    def read(self, chosen: Mapping[str, str], front: str | None) -> StageSettings:
        self._check_keys(self._table, KEYS, f"[{self._stage}]")
        front = front or self._word("front", "FRONT", combine.REST, combine.FRONTS)
        warm = self._warm()
        architecture = self._word("architecture", "ARCH", "arm64", bundle.MACHINES)
        deploy_bucket = self._matching("deploy_bucket", "DEPLOY_BUCKET", _BUCKET, "the name of a bucket")
        region = self._region()
        tracing = self._table.get("tracing", False)
        if not isinstance(tracing, bool):
            self._wrong(f"{self._at('tracing')} must be true or false, not {shown(tracing)}.")
        elif "tracing" in self._table:
            self._sources["tracing"] = str(self._file)
        given = self._parameters(chosen, front if front in combine.FRONTS else combine.REST, warm)
        variables = self._variables()
        sizes = self._sizes()
        self._check_images(sizes, variables)
        _refuse(self._mistakes)
        if given.get("Issuer"):
            variables["ENGAWA_ISSUER"] = given["Issuer"]
        if given.get("Monitoring") == "full":
            variables["ENGAWA_METRICS"] = "1"
        app = AppSettings(variables, sizes, tracing)
        return StageSettings(
            self._stage, self._file, region, front, warm, architecture, deploy_bucket, given, app, self._sources
        )

    def _wrong(self, sentence: str) -> None:
        self._mistakes.append(sentence)

    def _at(self, key: str) -> str:
        """Return the words for a key of the file: `engawa.toml, [prod.parameters]: Domain`."""
        *tables, name = key.split(".")
        return f"{self._file}, [{'.'.join([self._stage, *tables])}]: {name}"

    def _check_keys(self, table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
        for name in table:
            if name not in known:
                near = _nearest(name, known) or f"; there are {', '.join(known)}."
                self._wrong(f"{self._file}, {where}: there is no {name}{near}")

    def _subtable(self, name: str, of: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return a table inside the stage's; empty if there is none or something else."""
        found = (self._table if of is None else of).get(name.rpartition(".")[2], {})
        if isinstance(found, dict):
            return found
        self._wrong(f"{self._at(name)} must be a table, [{self._stage}.{name}], not {shown(found)}.")
        return {}

    def _value(self, key: str, variable: str) -> tuple[Any, str] | None:
        """Return a value with the words that name it; None for the default. The environment takes precedence."""
        if given := self._environment.get(variable):
            self._sources[key] = f"environment ({variable})"
            return given, variable
        if key in self._table:
            self._sources[key] = str(self._file)
            return self._table[key], self._at(key)
        return None

    def _word(self, key: str, variable: str, default: str, allowed: Iterable[str]) -> str:
        value, name = self._value(key, variable) or (default, "")
        if not isinstance(value, str) or value not in allowed:
            self._wrong(f"{name} must be {' or '.join(allowed)}, not {shown(value)}.")
        return str(value)

    def _warm(self) -> str:
        value, name = self._value("warm", "WARM") or (combine.COLD, "")
        number = isinstance(value, int) and not isinstance(value, bool)
        said = str(value) if number or isinstance(value, str) else ""
        if said not in (combine.COLD, combine.SNAPSTART) and not re.fullmatch("[1-9][0-9]{0,4}", said):
            self._wrong(
                f"{name} must be {combine.COLD}, {combine.SNAPSTART} or a number of instances, not {shown(value)}."
            )
        return said

    def _matching(self, key: str, variable: str, pattern: re.Pattern[str], meaning: str) -> str | None:
        found = self._value(key, variable)
        if found and not (isinstance(found[0], str) and pattern.fullmatch(found[0])):
            self._wrong(f"{found[1]} must be {meaning}, not {shown(found[0])}.")
        return str(found[0]) if found else None

    def _region(self) -> str | None:
        """Return the region of the file, else the environment's.

        The file takes precedence: AWS_DEFAULT_REGION is of the whole shell, and not meant for one stage.
        """
        if "region" in self._table:
            return self._matching("region", "", _REGION, "a region, such as ap-northeast-1")
        if region := self._environment.get("AWS_DEFAULT_REGION"):
            self._sources["region"] = "environment (AWS_DEFAULT_REGION)"
        return region or None

    def _parameters(self, chosen: Mapping[str, str], front: str, warm: str) -> dict[str, str]:
        """Return the parameters; the environment's and `chosen` take precedence over the file, and that over ours."""
        try:
            of_run = parameters.chosen(self._environment.get("PARAMETERS", ""))
        except Refused as refused:
            of_run = {}
            self._wrong(str(refused))
        layers: list[tuple[str, Mapping[str, Any]]] = [
            (DEFAULT, parameters.DEFAULTS.get(self._stage, {})),
            (str(self._file), self._subtable("parameters")),
            ("environment (PARAMETERS)", of_run),
            ("command", chosen),
        ]
        declared = parameters.declared(front)
        behind = "" if front == combine.REST else f" with FRONT={front}"
        given: dict[str, str] = {}
        for source, values in layers:
            place = f"{self._file}, [{self._stage}.parameters]: " if source == str(self._file) else ""
            for name, value in values.items():
                if name not in declared:
                    near = _nearest(name, declared) or "; infra/*.yaml declares the parameters."
                    self._wrong(f"{place}There is no parameter {name!r} to set{behind}{near}")
                    continue
                try:
                    given[name] = parameters.text(name, value, declared[name])
                except ValueError as error:
                    self._wrong(f"{place}{error}")
                if source != DEFAULT:
                    self._sources[f"parameters.{name}"] = source
        self._mistakes += parameters.contradictions(given, front, warm)
        return given

    def _variables(self) -> dict[str, str]:
        """Return the app's settings, which the app's own reader checks."""
        given: dict[str, str] = {}
        for name, value in self._subtable("settings").items():
            at, known = self._at(f"settings.{name}"), settable()
            if reason := _set_by_deploy().get(name):
                self._wrong(f"{at} cannot be set here: {reason}.")
            elif name not in known:
                near = _nearest(name, known) or "; docs/operating/operations.md lists the settings."
                self._wrong(f"{self._file}, [{self._stage}.settings]: there is no {name}{near}")
            elif isinstance(value, bool) or not isinstance(value, (str, int)):
                self._wrong(f"{at} must be text in quotes or a whole number, not {shown(value)}.")
            else:
                given[name] = str(value)
                self._sources[f"settings.{name}"] = str(self._file)
        self._check_by_app(given)
        size = sum(len(f"{name}{value}".encode()) for name, value in given.items())
        if size > _MOST_VARIABLE_BYTES:
            self._wrong(
                f"{self._file}, [{self._stage}.settings]: names and values have {size} bytes together; Lambda has room "
                f"for {_MOST_VARIABLE_BYTES}."
            )
        return given

    def _check_by_app(self, given: Mapping[str, str]) -> None:
        """Have the app read the settings, again without each that it refuses, since it names one mistake at a time."""
        left = dict(given)
        while True:
            try:
                app_settings.read(_needed(self._stage) | left)
                return
            except app_settings.WrongSetting as wrong:
                self._wrong(f"{self._file}, [{self._stage}.settings]: {wrong}.")
                named = [name for name in left if name in str(wrong)]
                if not named:
                    return
                for name in named:
                    del left[name]

    def _sizes(self) -> dict[str, dict[str, int]]:
        """Return memory and timeout of the functions, as far as the file has them."""
        hidden = _resources()["Cleaning"]["Properties"]["VisibilityTimeout"]
        bounds = dict.fromkeys(policies.FUNCTIONS, (1, _MOST_SECONDS)) | {
            # With less time, the API answers without a call to AWS.
            API: (ceil(CALL_SECONDS) + 1, _GATEWAY_SECONDS),
            # They stop by their own clock, 10 seconds before.
            SWEEP: (SWEEP_SECONDS + 10, _MOST_SECONDS),
            # AWS asks for a queue that hides a message six times as long.
            CLEAN: (CLEAN_SECONDS + 10, hidden // 6),
        }
        functions = self._subtable("functions")
        self._check_keys(functions, tuple(bounds), f"[{self._stage}.functions]")
        sizes: dict[str, dict[str, int]] = {}
        for function in (each for each in bounds if each in functions):
            size = self._subtable(f"functions.{function}", functions)
            self._check_keys(size, SIZES, f"[{self._stage}.functions.{function}]")
            for name, (least, most) in {"memory": MEMORY, "timeout": bounds[function]}.items():
                if name not in size:
                    continue
                value, key = size[name], f"functions.{function}.{name}"
                if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                    unit = "MB" if name == "memory" else "seconds"
                    self._wrong(
                        f"{self._at(key)} must be a whole number of {unit}, {least} to {most}, not {shown(value)}."
                    )
                    continue
                sizes.setdefault(function, {})[name] = value
                self._sources[key] = str(self._file)
        return sizes

    def _check_images(self, sizes: Mapping[str, Mapping[str, int]], variables: Mapping[str, str]) -> None:
        """Refuse a memory of the API in which the largest image has no room."""
        pixels = variables.get("ENGAWA_IMAGE_PIXELS", settable()["ENGAWA_IMAGE_PIXELS"])
        memory = sizes.get(API, {}).get("memory")
        least = _API_MEMORY + ceil(int(pixels) * _BYTES_A_PIXEL / 2**20) if pixels.isdecimal() else 0
        if memory is not None and memory < least:
            self._wrong(
                f"{self._at(f'functions.{API}.memory')} must be {least} or more, not {memory}, since an image may have "
                f"{pixels} pixels (ENGAWA_IMAGE_PIXELS)."
            )
