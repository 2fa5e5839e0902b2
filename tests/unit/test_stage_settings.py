"""engawa.toml: what it may contain, what takes precedence over it, and the sentence for each mistake."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from chalicelib import bootstrap
from chalicelib import settings as app_settings
from infra import __main__ as command
from infra import combine, packaging, parameters, policies, stage_settings
from infra.deploy import Deployment, from_environment
from infra.refusals import Refused
from infra.stage_settings import AppSettings, StageSettings
from tests.kit.documents import cells

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "engawa.example.toml"
SECRET = "0123456789abcdefWXYZ"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engawa.toml"


def read(path: Path, text: str, stage: str = "prod", **environment: str) -> StageSettings:
    path.write_text(text, encoding="utf-8")
    return stage_settings.read(stage, environment={"ENGAWA_CONFIG": str(path), **environment})


def mistakes(path: Path, text: str, stage: str = "prod", **environment: str) -> list[str]:
    """Return the sentences about a file, without its path."""
    with pytest.raises(Refused) as refused:
        read(path, text, stage, **environment)
    return [line.removeprefix(f"{path}, ") for line in str(refused.value).split("\n")]


def origins(settings: StageSettings) -> dict[str, tuple[str, str]]:
    """Return the values that are shown, with their origins, by name."""
    sizes = packaging.sizes(settings.stage, settings.app)
    return {name: (value, source) for name, value, source in settings.lines(sizes)}


def uncommented() -> str:
    """Return the example with every key in effect."""
    return re.sub(r"^#(?=\S)", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)


# What the file may contain


def test_the_example_is_valid_as_it_is_and_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stage_settings, "FILE", tmp_path / "none.toml")
    for stage in ("dev", "prod"):
        example = stage_settings.read(stage, environment={"ENGAWA_CONFIG": str(EXAMPLE)})
        assert origins(example) == origins(stage_settings.read(stage, environment={}))


def test_the_example_names_every_key_that_there_is(path: Path) -> None:
    shown = origins(read(path, uncommented()))

    assert {name for name, (_, source) in shown.items() if source == stage_settings.DEFAULT} == set()
    assert {name.partition(".")[0] for name in shown} == set(stage_settings.KEYS)
    assert {name for name in shown if name.startswith("parameters.")} == {
        f"parameters.{name}" for name in parameters.declared(combine.REST)
    }
    assert {name for name in shown if name.startswith("functions.")} == {
        f"functions.{function}.{size}" for function in policies.FUNCTIONS for size in stage_settings.SIZES
    }
    assert read(path, uncommented(), "prod2").parameters["Issuer"] == "https://api.example.com"


def test_the_example_shows_defaults_as_defaults(path: Path) -> None:
    usual = origins(read(path, "[prod]"))
    examples = {"api.example.com", "Z0123456789ABCDEFGHIJ", "operator@example.com", "example-deployments"}
    examples |= {"ap-northeast-1", "ap-northeast-3", "http://api.mixi-platform.com", "https://images.example.com"}
    examples |= {"https://login.example.com", "https://login.example.com/jwks.json", "Plaza"}

    for name, (value, _) in origins(read(path, uncommented())).items():
        assert value in {usual[name][0], *examples}, name


def test_every_setting_of_the_app_can_be_set_or_has_a_reason_why_not() -> None:
    settable, refused = stage_settings.settable().keys(), stage_settings._set_by_deploy().keys()

    named = set(re.findall("ENGAWA_[A-Z_]*[A-Z]", Path(app_settings.__file__).read_text(encoding="utf-8")))
    pairs = {"ENGAWA_TOKEN_KEYS", "ENGAWA_SECRET_KEYS", "ENGAWA_LAUNCH_KEYS"}
    assert settable | refused == named - pairs
    assert not settable & refused
    assert {"ENGAWA_BUCKET", "ENGAWA_ISSUER", "ENGAWA_PROXY_KEY", "ENGAWA_TOKEN_KEYS_FILE"} < refused


def test_what_the_file_says_is_used(path: Path) -> None:
    made = read(
        path,
        """
        [prod]
        region = "us-west-2"
        front = "url"
        warm = 5
        architecture = "x86_64"
        deploy_bucket = "our.zips"
        tracing = true
        [prod.parameters]
        ApiConcurrency = 50
        PlainHttp = true
        AlarmEmail = "a@b.example"
        [prod.settings]
        ENGAWA_QUOTA_BYTES = 20_000_000
        ENGAWA_IMAGE_EDGES = "200,100,50"
        [prod.functions]
        api_handler = {memory = 2048}
        sweep.timeout = 120
        """,
    )

    assert (made.region, made.front, made.warm, made.architecture) == ("us-west-2", "url", "5", "x86_64")
    assert (made.deploy_bucket, made.file) == ("our.zips", path)
    assert made.parameters == {
        "Monitoring": "full",
        "MonthlyBudget": "100",
        "ApiConcurrency": "50",
        "PlainHttp": "yes",
        "AlarmEmail": "a@b.example",
    }
    assert made.app.tracing
    assert made.app.sizes == {"api_handler": {"memory": 2048}, "sweep": {"timeout": 120}}
    # For `chalice deploy`, whose template has no parameters, Monitoring=full becomes a variable.
    assert made.app.variables == {
        "ENGAWA_QUOTA_BYTES": "20000000",
        "ENGAWA_IMAGE_EDGES": "200,100,50",
        "ENGAWA_METRICS": "1",
    }
    assert packaging.sizes("prod", made.app) == {
        "api_handler": {"memory": 2048, "timeout": 29},
        "sweep": {"memory": 512, "timeout": 120},
        "clean": {"memory": 512, "timeout": 60},
        "canary": {"memory": 512, "timeout": 40},
        "send": {"memory": 512, "timeout": 60},
    }


def test_an_issuer_is_also_the_app_s(path: Path) -> None:
    made = read(path, '[dev.parameters]\nIssuer = "https://mixi.example"', "dev")

    config = packaging.configuration("dev", made.app)
    assert config["stages"]["dev"]["environment_variables"]["ENGAWA_ISSUER"] == "https://mixi.example"


SNIPPETS = [
    (document.name, text)
    for document in sorted((ROOT / "docs").rglob("*.md"))
    for text in re.findall(r"^ *```toml\n(.*?)^ *```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize(("document", "text"), SNIPPETS)
def test_what_the_documents_show_is_valid(path: Path, document: str, text: str) -> None:
    for stage in tomllib.loads(text):
        assert read(path, text, stage).parameters, document


def test_the_documents_show_the_file() -> None:
    assert [document for document, _ in SNIPPETS] == ["operations.md", "operations.md", "recovery.md", "recovery.md"]


def test_the_documents_have_every_key_and_parameter() -> None:
    operations = (ROOT / "docs" / "operating" / "operations.md").read_text(encoding="utf-8")
    first = {cell for row in cells(operations) for cell in re.findall("`([A-Za-z_]+)`", row[0])}

    assert {*stage_settings.KEYS, *parameters.declared(combine.REST)} <= first


# Precedence


def test_the_environment_of_one_run_takes_precedence(path: Path) -> None:
    text = """
        [dev]
        region = "us-west-2"
        front = "url"
        warm = "snapstart"
        architecture = "arm64"
        deploy_bucket = "ours"
        [dev.parameters]
        LogDays = 7
        PlainHttp = "yes"
        """
    made = read(
        path,
        text,
        "dev",
        FRONT="rest",
        WARM="cold",
        ARCH="x86_64",
        DEPLOY_BUCKET="theirs",
        PARAMETERS="LogDays=14 ApiConcurrency=9",
        AWS_DEFAULT_REGION="eu-west-1",
    )

    assert (
        origins(made).items()
        >= {
            "front": ("rest", "environment (FRONT)"),
            "warm": ("cold", "environment (WARM)"),
            "architecture": ("x86_64", "environment (ARCH)"),
            "deploy_bucket": ("theirs", "environment (DEPLOY_BUCKET)"),
            "parameters.LogDays": ("14", "environment (PARAMETERS)"),
            "parameters.PlainHttp": ("yes", str(path)),
            "parameters.Monitoring": ("basic", "default"),
            # The region of the shell is for no stage in particular.
            "region": ("us-west-2", str(path)),
        }.items()
    )


def test_an_empty_variable_is_none(path: Path) -> None:
    made = read(path, '[dev]\nwarm = "snapstart"', "dev", WARM="", FRONT="", ARCH="", PARAMETERS="")

    assert (made.warm, made.front, made.architecture) == ("snapstart", "rest", "arm64")


def test_the_file_takes_precedence_over_the_defaults_of_prod(path: Path) -> None:
    assert read(path, "[prod]").parameters == {"Monitoring": "full", "MonthlyBudget": "100"}
    assert read(path, "[prod.parameters]\nMonthlyBudget = 7").parameters["MonthlyBudget"] == "7"
    assert read(path, "[dev]", "dev").parameters == {"Rollout": "at-once"}
    assert read(path, "[other]", "other").parameters == {}


def test_without_a_region_in_the_file_the_environment_s_is_shown(path: Path) -> None:
    shown = origins(read(path, "[dev]", "dev", AWS_DEFAULT_REGION="eu-west-1"))

    assert shown["region"] == ("eu-west-1", "environment (AWS_DEFAULT_REGION)")


# Stages


def test_without_a_file_there_are_dev_and_prod(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stage_settings, "FILE", tmp_path / "engawa.toml")

    assert stage_settings.read("prod", environment={}).parameters == {"Monitoring": "full", "MonthlyBudget": "100"}
    assert stage_settings.read("dev", environment={"ENGAWA_CONFIG": ""}).file is None
    with pytest.raises(Refused, match=r"no stage 'prod2': without engawa.toml there are dev and prod.* \[prod2\] in"):
        stage_settings.read("prod2", environment={})

    (tmp_path / "engawa.toml").write_text("[prod2]")
    assert stage_settings.read("prod2", environment={}).file == tmp_path / "engawa.toml"


@pytest.mark.parametrize("stage", ["prod", "dev"])
def test_a_file_that_does_not_name_the_stage_is_no_reason_to_deploy_the_defaults(path: Path, stage: str) -> None:
    [said] = mistakes(path, "[pord.parameters]\nLogDays = 7", stage)

    near = "; did you mean pord?" if stage == "prod" else "."
    assert said == (
        f"There is no stage '{stage}': {path} has pord{near} An empty table [{stage}] there makes it, with the "
        f"defaults."
    )


@pytest.mark.parametrize("stage", ["ab", "a" + "1" * 15, "prod2"])
def test_a_stage_of_ones_own(path: Path, stage: str) -> None:
    assert read(path, f"[{stage}]", stage).stage == stage


@pytest.mark.parametrize("stage", ["a", "a" + "1" * 16, "1a", "Prod", "my-prod", "my_prod", "local", "deploy", ""])
def test_a_name_that_no_stage_can_have(path: Path, stage: str) -> None:
    at_the_top, asked = mistakes(path, f'["{stage}"]', stage)

    assert at_the_top.removeprefix(f"{path}: ").startswith(f"[{stage}] cannot be a stage: ")
    assert asked.startswith(f"There is no stage '{stage}': ")
    for_make_serve = "local is the stage of make serve" in asked
    assert for_make_serve == (stage == "local")


def test_a_key_above_all_tables_is_in_none(path: Path) -> None:
    said = mistakes(path, 'front = "url"\n[prod]')

    assert said == [f"{path}: front is in no table; put it below the name of a stage, such as [prod]."]


def test_the_mistakes_of_another_stage_wait(path: Path) -> None:
    assert read(path, "[dev]\n[prod]\nfrnt = 1", "dev").front == "rest"


# Files that cannot be read


def test_a_file_that_is_named_must_exist(path: Path) -> None:
    with pytest.raises(Refused, match=r"engawa.toml \(ENGAWA_CONFIG\) cannot be read: No such file or directory\."):
        stage_settings.read("prod", environment={"ENGAWA_CONFIG": str(path)})


def test_a_folder_is_no_file(path: Path) -> None:
    path.mkdir()
    with pytest.raises(Refused, match="cannot be read: Is a directory"):
        stage_settings.read("prod", environment={"ENGAWA_CONFIG": str(path)})


def test_a_file_in_the_home_directory_is_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(path.parent))
    path.write_text("[prod]")

    assert stage_settings.read("prod", environment={"ENGAWA_CONFIG": "~/engawa.toml"}).file == path


def test_a_byte_order_mark_is_skipped(path: Path) -> None:
    path.write_text("[prod]", encoding="utf-8-sig")

    assert stage_settings.read("prod", environment={"ENGAWA_CONFIG": str(path)}).file == path


def test_another_encoding_is_told(path: Path) -> None:
    path.write_bytes("[prod]\n# 縁側".encode("shift_jis"))
    with pytest.raises(Refused, match=r"engawa.toml is not in UTF-8\.$"):
        stage_settings.read("prod", environment={"ENGAWA_CONFIG": str(path)})


@pytest.mark.parametrize(
    ("text", "line"), [("[prod]\nfront = rest", 2), ("[prod]\n\n[prod]", 3), ("[prod]\nwarm = 1\nwarm = 2", 3)]
)
def test_a_mistake_in_the_format_is_told_with_its_line(path: Path, text: str, line: int) -> None:
    [said] = mistakes(path, text)

    assert said.startswith(f"{path} is not in the format TOML: ")
    assert f"(at line {line}, column" in said or said.endswith("(at end of document).")


# Wrong values


NUMBER = "must be a number, not"
KEYS = ", ".join(stage_settings.KEYS)
WRONG = [
    # Unknown names
    ("frnt = 1", "[prod]: there is no frnt; did you mean front?"),
    ("zzz = 1", f"[prod]: there is no zzz; there are {KEYS}."),
    ("parameters.domian = 'x'", "[prod.parameters]: There is no parameter 'domian' to set; did you mean Domain?"),
    ("parameters.Stage = 'x'", "[prod.parameters]: There is no parameter 'Stage' to set"),
    ("parameters.OwnDomain = 'x'", "[prod.parameters]: There is no parameter 'OwnDomain' to set"),
    ("parameters.ThrottleRates = 1", "did you mean ThrottleRate?"),
    ("settings.ENGAWA_QUOTA = 1", "[prod.settings]: there is no ENGAWA_QUOTA; did you mean ENGAWA_QUOTA_BYTES?"),
    ("settings.ZZZ = 1", "[prod.settings]: there is no ZZZ; docs/operating/operations.md lists the settings."),
    ("functions.api = {}", "[prod.functions]: there is no api; "),
    ("functions.sweep.memroy = 1", "[prod.functions.sweep]: there is no memroy; did you mean memory?"),
    # Words and types
    ("front = 'http'", "[prod]: front must be rest or url, not 'http'."),
    ("front = 1", "[prod]: front must be rest or url, not 1."),
    ("architecture = 'arm'", "[prod]: architecture must be arm64 or x86_64, not 'arm'."),
    ("warm = 'hot'", "[prod]: warm must be cold, snapstart or a number of instances, not 'hot'."),
    ("warm = 0", "[prod]: warm must be cold"),
    ("warm = -1", "[prod]: warm must be cold"),
    ("warm = 1.5", "[prod]: warm must be cold"),
    ("warm = true", "[prod]: warm must be cold"),
    ("tracing = 'yes'", "[prod]: tracing must be true or false, not 'yes'."),
    ("region = 'tokyo'", "[prod]: region must be a region, such as ap-northeast-1, not 'tokyo'."),
    ("region = 1", "[prod]: region must be a region"),
    ("deploy_bucket = 'Ours'", "[prod]: deploy_bucket must be the name of a bucket, not 'Ours'."),
    ("deploy_bucket = 'ab'", "[prod]: deploy_bucket must be the name of a bucket"),
    ("deploy_bucket = 'a..b'", "[prod]: deploy_bucket must be the name of a bucket"),
    ("parameters = 1", "[prod]: parameters must be a table, [prod.parameters], not 1."),
    ("settings = []", "[prod]: settings must be a table, [prod.settings], not []."),
    ("functions = 'x'", "[prod]: functions must be a table"),
    ("functions.clean = 512", "[prod.functions]: clean must be a table, [prod.functions.clean], not 512."),
    # Parameters, by the templates
    ("parameters.PlainHttp = 'maybe'", "[prod.parameters]: PlainHttp must be yes or no, not 'maybe'."),
    ("parameters.Monitoring = true", "[prod.parameters]: Monitoring must be text in quotes, not true."),
    ("parameters.LogDays = 8", "[prod.parameters]: LogDays must be 1 or 3 or 5"),
    ("parameters.LogDays = false", "[prod.parameters]: LogDays must be a number, not false."),
    ("parameters.MonthlyBudget = 'much'", f"[prod.parameters]: MonthlyBudget {NUMBER} 'much'."),
    ("parameters.MonthlyBudget = nan", f"[prod.parameters]: MonthlyBudget {NUMBER} nan."),
    ("parameters.MonthlyBudget = [1]", f"[prod.parameters]: MonthlyBudget {NUMBER} [1]."),
    ("parameters.MonthlyBudget = -1", "[prod.parameters]: MonthlyBudget must be 0 or more, not -1."),
    ("parameters.ThrottleRate = 0", "[prod.parameters]: ThrottleRate must be 1 or more, not 0."),
    ("parameters.WafRate = 2_000_000_001", "[prod.parameters]: WafRate must be 2000000000 or less, not 2000000001."),
    ("parameters.Domain = 5", "[prod.parameters]: Domain must be text in quotes, not 5."),
    ("parameters = {Domain = 'https://x.example', HostedZone = 'Z1'}", "[prod.parameters]: Domain cannot be 'https:"),
    ("parameters.HostedZone = 'z1'", "[prod.parameters]: HostedZone cannot be 'z1': it must match |Z[A-Z0-9]"),
    ("parameters.Certificate = 'arn:own'", "must match |arn:aws[a-z-]*:acm:us-east-1:"),
    ("parameters.Issuer = 'https://x.example/'", "[prod.parameters]: Issuer cannot be 'https://x.example/': it must"),
    ("parameters.AlarmEmail = 'operator'", "The e-mail address that gets the alarms"),
    ("parameters.OldProxyKey = 'short'", "[prod.parameters]: OldProxyKey cannot be this value: it must match |[!-~]"),
    ("parameters.OldProxyKey = 123456789", "[prod.parameters]: OldProxyKey must be text in quotes, not this value."),
    # The app's settings, by the app
    ("settings.ENGAWA_QUOTA_BYTES = 0", "ENGAWA_QUOTA_BYTES must be a whole number from 1 to 100000000, not '0'."),
    ("settings.ENGAWA_QUOTA_BYTES = 100_000_001", "ENGAWA_QUOTA_BYTES must be a whole number"),
    ("settings.ENGAWA_RATE_WRITES = 181", "[prod.settings]: ENGAWA_RATE_WRITES must be a whole number from 1 to 180"),
    ("settings.ENGAWA_BODY_HASH = 'yes'", "ENGAWA_BODY_HASH must be one of optional, required, not 'yes'."),
    (
        "settings.ENGAWA_OPENID_ISSUER = 'https://x'",
        "Set both of ENGAWA_OPENID_ISSUER and ENGAWA_OPENID_JWKS, or none.",
    ),
    ("settings.ENGAWA_UTC_OFFSET = true", "ENGAWA_UTC_OFFSET must be text in quotes or a whole number, not true."),
    ("settings.ENGAWA_IMAGE_EDGES = [180, 76, 40]", "ENGAWA_IMAGE_EDGES must be text in quotes or a whole number"),
    ("settings.ENGAWA_BUCKET = 'b'", "ENGAWA_BUCKET cannot be set here: make deploy sets it itself."),
    ("settings.ENGAWA_ISSUER = 'x'", "cannot be set here: make deploy takes it from the parameters Domain and Issuer."),
    ("settings.ENGAWA_METRICS = 1", "cannot be set here: make deploy takes it from the parameter Monitoring."),
    ("settings.ENGAWA_PROXY_KEY = 'x'", "the stack generates the key and keeps it in Secrets Manager."),
    ("settings.ENGAWA_FETCH_LOOPBACK = 1", "cannot be set here: it is for the stage local alone."),
    ("settings.ENGAWA_TOKEN_KEYS_FILE = 'x'", "cannot be set here: it is for the stage local alone."),
    # Sizes
    (
        "functions.clean.memory = 127",
        "[prod.functions.clean]: memory must be a whole number of MB, 128 to 10240, not 127.",
    ),
    ("functions.clean.memory = 10241", "memory must be a whole number of MB, 128 to 10240, not 10241."),
    ("functions.clean.memory = '512'", "memory must be a whole number of MB, 128 to 10240, not '512'."),
    ("functions.clean.memory = true", "memory must be a whole number of MB, 128 to 10240, not true."),
    ("functions.clean.memory = 512.0", "memory must be a whole number of MB, 128 to 10240, not 512.0."),
    ("functions.api_handler.timeout = 30", "timeout must be a whole number of seconds, 14 to 29, not 30."),
    ("functions.api_handler.timeout = 13", "timeout must be a whole number of seconds, 14 to 29, not 13."),
    ("functions.sweep.timeout = 49", "timeout must be a whole number of seconds, 50 to 900, not 49."),
    ("functions.sweep.timeout = 901", "timeout must be a whole number of seconds, 50 to 900, not 901."),
    ("functions.clean.timeout = 49", "timeout must be a whole number of seconds, 50 to 60, not 49."),
    ("functions.clean.timeout = 61", "timeout must be a whole number of seconds, 50 to 60, not 61."),
    # Combinations
    (
        "functions.api_handler.memory = 405",
        "memory must be 406 or more, not 405, since an image may have 40000000 pixels",
    ),
    (
        "functions.api_handler.memory = 710\nsettings.ENGAWA_IMAGE_PIXELS = 80_000_000",
        "memory must be 711 or more, not 710",
    ),
    ("parameters.Domain = 'x.example'", "Domain needs a Certificate, or a HostedZone in which a new one is validated."),
    ("front = 'url'", "FRONT=url needs ApiConcurrency"),
    (
        "front = 'url'\nparameters = {ApiConcurrency = 1, ThrottleRate = 5}",
        "parameter 'ThrottleRate' to set with FRONT=url",
    ),
    ("parameters.WafRate = 99", "WafRate must be 0, for no AWS WAF, or 100 or more, not 99."),
    ("warm = 5\nparameters.ApiConcurrency = 4", "WARM=5 keeps more instances than ApiConcurrency=4 reserves"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG, ids=[text for text, _ in WRONG])
def test_each_mistake_has_its_sentence(path: Path, text: str, sentence: str) -> None:
    [said] = mistakes(path, f"[prod]\n{text}")

    assert sentence in said
    assert said.endswith((".", "?"))


@pytest.mark.parametrize(
    "text",
    [
        "warm = 1",
        "warm = '5'",
        "warm = 4\nparameters.ApiConcurrency = 4",
        "deploy_bucket = 'abc'",
        "region = 'us-gov-west-1'",
        "front = 'url'\nparameters.ApiConcurrency = 1",
        "parameters.ThrottleRate = 1",
        "parameters.ThrottleRate = '1'",
        "parameters.MonthlyBudget = 0.5",
        "parameters.WafRate = 100",
        "parameters.WafRate = 2_000_000_000",
        "parameters.LogDays = 731",
        "parameters = {Domain = 'x.example', HostedZone = 'Z1'}",
        "parameters = {Domain = 'x.example', Certificate = 'arn:aws:acm:us-east-1:123456789012:certificate/x'}",
        # So that a domain can be taken away alone, when it moves to another stage.
        "parameters = {HostedZone = 'Z1'}",
        "settings.ENGAWA_QUOTA_BYTES = 1",
        "settings.ENGAWA_QUOTA_BYTES = 100_000_000",
        "settings = {ENGAWA_OPENID_ISSUER = 'https://x', ENGAWA_OPENID_JWKS = 'https://x/jwks'}",
        "functions.clean.memory = 128",
        "functions.clean.memory = 10240",
        "functions.api_handler.memory = 406",
        "functions.api_handler.memory = 711\nsettings.ENGAWA_IMAGE_PIXELS = 80_000_000",
        "functions.api_handler.timeout = 14",
        "functions.api_handler.timeout = 29",
        "functions.sweep.timeout = 50",
        "functions.sweep.timeout = 900",
        "functions.clean.timeout = 50",
        "functions.clean.timeout = 60",
    ],
)
def test_the_first_and_the_last_that_is_allowed(path: Path, text: str) -> None:
    assert read(path, f"[prod]\n{text}").stage == "prod"


def test_lambda_has_room_for_so_many_variables(path: Path) -> None:
    name = "ENGAWA_SIGNED_URLS"
    longest = "http://" + "x" * (3000 - len(name) - len("http://"))

    assert read(path, f'[prod.settings]\n{name} = "{longest}"')
    [said] = mistakes(path, f'[prod.settings]\n{name} = "{longest}x"')
    assert said.endswith("names and values have 3001 bytes together; Lambda has room for 3000.")


def test_the_environment_is_checked_likewise(path: Path) -> None:
    said = mistakes(
        path, "[prod]", FRONT="http", WARM="hot", ARCH="arm", DEPLOY_BUCKET="B", PARAMETERS="Domian=x LogDays=8"
    )

    assert said[:4] == [
        "FRONT must be rest or url, not 'http'.",
        "WARM must be cold, snapstart or a number of instances, not 'hot'.",
        "ARCH must be arm64 or x86_64, not 'arm'.",
        "DEPLOY_BUCKET must be the name of a bucket, not 'B'.",
    ]
    assert said[4] == "There is no parameter 'Domian' to set; did you mean Domain?"
    assert said[5].startswith("LogDays must be 1 or 3 or 5")


def test_all_mistakes_are_told_at_once(path: Path) -> None:
    said = mistakes(
        path,
        """
        top = 1
        [prod]
        frnt = "url"
        warm = "hot"
        [prod.parameters]
        PlainHttp = "maybe"
        Domain = "api.example.com"
        [prod.settings]
        ENGAWA_QUOTA_BYTES = 0
        ENGAWA_BODY_HASH = "yes"
        ENGAWA_BUCKET = "ours"
        [prod.functions]
        clean = {memory = 1, timeout = 1}
        """,
    )

    words = ("top", "frnt", "warm", "PlainHttp", "Domain", "BUCKET", "QUOTA", "HASH", "memory", "timeout")
    assert len(said) == len(words)
    for word in words:
        assert len([line for line in said if word in line]) == 1, word


def test_a_secret_is_in_no_sentence_and_not_shown(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in (f"parameters.OldProxyKey = '{SECRET} x'", f"settings.ENGAWA_PROXY_KEY = '{SECRET}'"):
        assert SECRET not in str(mistakes(path, f"[prod]\n{text}"))

    shown = origins(read(path, "[prod]", PARAMETERS=f"OldProxyKey={SECRET}"))

    assert shown["parameters.OldProxyKey"] == ("****", "environment (PARAMETERS)")
    assert SECRET not in str(shown)


# Before AWS is asked


class NoSession:
    """A session that fails if it is used, or made."""

    def __init__(self, **_: Any) -> None:
        raise AssertionError("AWS is asked")


@pytest.mark.parametrize(
    "words",
    [
        ["settings", "prod"],
        ["package", "prod"],
        ["deploy", "prod"],
        ["deploy-by-chalice", "prod"],
        ["destroy", "prod", "--yes"],
        ["rotate", "prod", "token-keys"],
        ["prune", "prod", "token-keys"],
        ["seal-anew", "prod"],
        ["restore", "prod", "dev"],
    ],
    ids=lambda words: words[0],
)
def test_a_mistake_is_told_before_aws_is_asked(
    path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boto3, "Session", NoSession)
    monkeypatch.setenv("ENGAWA_CONFIG", str(path))
    path.write_text("[prod]\nwarm = 'hot'\n[dev]")

    assert command.main(words) == 1

    said = capsys.readouterr()
    assert said.err == f"{path}, [prod]: warm must be cold, snapstart or a number of instances, not 'hot'.\n"
    assert said.out == ""


def test_the_settings_are_shown_without_aws(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boto3, "Session", NoSession)
    monkeypatch.setenv("ENGAWA_CONFIG", str(path))
    path.write_text("[prod2]\nwarm = 5\nfunctions.sweep.memory = 700")

    assert command.main(["settings", "prod2"]) == 0

    first, *lines = capsys.readouterr().out.splitlines()
    assert first == f"stage prod2, file: {path}"
    shown = [re.split("  +", line) for line in lines]
    assert ["warm", "5", str(path)] in shown
    assert ["functions.sweep.memory", "700", str(path)] in shown
    assert ["parameters.Domain", '""', "default"] in shown


def test_the_region_of_the_file_is_the_session_s(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text('[prod]\nregion = "us-west-2"')
    monkeypatch.setenv("ENGAWA_CONFIG", str(path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    assert Deployment("prod").region == "us-west-2"


@pytest.mark.parametrize(("target", "region"), [(None, "us-west-2"), ("prod2", "us-east-2")])
def test_a_restoration_takes_place_in_the_region_of_its_target(
    path: Path, monkeypatch: pytest.MonkeyPatch, target: str | None, region: str
) -> None:
    path.write_text('[prod]\nregion = "us-west-2"\n[prod2]\nregion = "us-east-2"')
    monkeypatch.setenv("ENGAWA_CONFIG", str(path))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    made = from_environment("prod", target)

    # Chalice and the app read the variable.
    assert (made.stage, made.region, os.environ["AWS_DEFAULT_REGION"]) == ("prod", region, region)


def test_the_mistakes_of_the_target_of_a_restoration_are_told_before_aws_is_asked(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boto3, "Session", NoSession)
    monkeypatch.setenv("ENGAWA_CONFIG", str(path))
    path.write_text("[prod]\n[prod2]\nwarm = 'hot'")

    assert command.main(["restore", "prod", "prod2"]) == 1
    assert "[prod2]: warm must be" in capsys.readouterr().err
    assert command.main(["restore", "prod", "prod3"]) == 1
    assert "There is no stage 'prod3'" in capsys.readouterr().err


def test_what_the_file_says_is_deployed(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[Any] = []

    def deploy(self: Deployment, *words: Any) -> dict[str, str]:
        given.extend([*words, self._deploy_bucket, self.front, self.parameters, self.region])
        return {"BaseUrl": "https://x.example"}

    path.write_text(
        '[prod2]\nregion = "us-west-2"\nfront = "url"\nwarm = 5\narchitecture = "x86_64"\ndeploy_bucket = "ours"\n'
        "parameters.ApiConcurrency = 9"
    )
    monkeypatch.setenv("ENGAWA_CONFIG", str(path))
    monkeypatch.setattr(Deployment, "deploy", deploy)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")

    assert command.main(["deploy", "prod2"]) == 0

    assert given == ["x86_64", "5", "ours", "url", {"ApiConcurrency": "9", "Stage": "prod2"}, "us-west-2"]
    assert capsys.readouterr().out.split() == ["BaseUrl", "https://x.example"]


def test_the_settings_of_the_app_become_part_of_the_package(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages: list[Any] = []

    def package(*words: Any) -> Path:
        packages.append(words)
        raise Refused("This is enough.")

    path.write_text("[prod2.settings]\nENGAWA_MAX_KEYS = 7")
    monkeypatch.setenv("ENGAWA_CONFIG", str(path))
    monkeypatch.setattr(packaging, "package", package)

    assert command.main(["package", "prod2"]) == 1
    with mock_aws():
        made = Deployment("prod2", boto3.Session("a", "b", region_name="us-west-2"))
        with pytest.raises(Refused, match="This is enough"):
            made.deploy("arm64", "cold")

    expected = ("prod2", "arm64", "cold", "rest", AppSettings({"ENGAWA_MAX_KEYS": "7"}))
    assert packages == [expected, expected]


@pytest.mark.parametrize("stage", ["dev", "prod2"])
def test_seal_anew_reads_the_settings_of_the_stage(path: Path, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    environments: list[dict[str, str]] = []

    def seal_anew() -> int:
        environments.append(dict(os.environ))
        return 3

    path.write_text("[dev]\nregion = 'us-west-2'\n[prod2]\nregion = 'us-west-2'")
    stores = SimpleNamespace(
        app_secrets=SimpleNamespace(seal_anew=seal_anew), endpoints=SimpleNamespace(seal_anew=lambda: 2)
    )
    monkeypatch.setattr(bootstrap, "platform", lambda: stores)

    with patch.dict(os.environ, {"ENGAWA_CONFIG": str(path)}):
        assert Deployment(stage, boto3.Session(region_name="us-west-2")).seal_anew() == 5

    assert environments[0]["ENGAWA_STAGE"] == stage
    assert environments[0]["ENGAWA_SECRET_KEYS_SECRET"] == f"engawa-{stage}-secret-keys"


def test_what_a_program_gives_takes_precedence_over_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("[prod.parameters]\nLogDays = 7\nApiConcurrency = 3")
    monkeypatch.setenv("ENGAWA_CONFIG", str(path))
    monkeypatch.setenv("PARAMETERS", "LogDays=14")
    monkeypatch.setenv("FRONT", "rest")

    made = Deployment("prod", boto3.Session(region_name="eu-west-1"), {"LogDays": "30"}, front=combine.URL)

    assert (made.front, made.parameters["LogDays"], made.parameters["ApiConcurrency"]) == ("url", "30", "3")


def test_git_ignores_the_file() -> None:
    asked = ["git", "check-ignore", "engawa.toml", "engawa.example.toml"]
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")

    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stdout.split() == ["engawa.toml"]


def test_make_shows_the_settings(path: Path) -> None:
    path.write_text("[prod2]")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert re.search(r"^settings package deploy destroy: ", makefile, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-m", "infra", "settings", "prod2"],
        cwd=ROOT,
        env={"ENGAWA_CONFIG": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"stage prod2, file: {path}\n")
