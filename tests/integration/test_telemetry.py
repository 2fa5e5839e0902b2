"""The log line of each request and each run: fields, counts, and errors that can be found by their id."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar
from unittest.mock import Mock

import pytest
import yaml
from botocore.exceptions import ClientError
from chalice.local import LambdaContext

from chalicelib.api.scheduled import SEND
from chalicelib.core.errors import Unavailable
from chalicelib.core.events import EventKind
from chalicelib.core.model.directory import App
from chalicelib.store.aws.failures import TransactionConflict
from chalicelib.store.events.sending import EventSending
from chalicelib.web import logs
from chalicelib.web.telemetry import REQUEST_ID, RunFailed
from infra import combine
from local.gateway import Request
from tests.kit.alarms import pattern
from tests.kit.log_lines import Line, Log, documented_fields, logged
from tests.kit.page_api import FEEDS, populated, send
from tests.kit.rpc_calls import item
from tests.kit.worlds import APP, HANA, KEN, ME, SCHEDULED, World, befriended, sweep

pytestmark = pytest.mark.moto

METRICS = (
    "Requests",
    "ClientErrors",
    "ServerErrors",
    "QuotaRefusals",
    "RateRefusals",
    "Retries",
    "LateEvents",
    "DisabledEndpoints",
)
_OF_ONE_LINE = {"timestamp", "request_id", "invocation_id", "ms", "cold_start"}
APPDATA = "/2/apps/appdata/{user}/{group}"


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Return a world with friends and metrics."""
    return make_world(befriended, ENGAWA_METRICS="1")


@pytest.fixture
def log() -> Iterator[Log]:
    with logged() as made:
        yield made


class Context:
    """The part of Lambda's context that the app uses."""

    aws_request_id: str | None = None

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def metrics(line: Line) -> dict[str, int]:
    """Return the metrics of a line, as CloudWatch reads them."""
    [told] = line["_aws"]["CloudWatchMetrics"]
    assert told["Namespace"] == "Engawa"
    assert told["Dimensions"] == [["stage", "route"], ["stage"]]
    names = [each["Name"] for each in told["Metrics"]]
    assert {each["Unit"] for each in told["Metrics"]} == {"Count"}
    assert set(names) == set(METRICS) & line.keys()
    return {name: line[name] for name in names}


def only(lines: list[Line]) -> Line:
    [line] = lines
    return line


def test_a_request_is_one_line_that_says_what_it_was_and_took(world: World, log: Log) -> None:
    answer = world.send("POST", ME, {"level": "5"})

    line = only(log.lines)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert (line["message"], line["level"], line["stage"]) == ("request", "INFO", "local")
    assert (line["route"], line["status"], line["app"]) == (f"POST {APPDATA}", 200, APP)
    assert (line["calls"], line["retries"], line["cold_start"]) == (2, 0, True)
    assert line["ms"] > 0
    assert re.fullmatch("[0-9a-f]{16}", line["viewer"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["timestamp"])
    assert "error" not in line
    assert metrics(line) == {"Requests": 1}
    world.send("GET", ME)
    assert "cold_start" not in log.lines[-1]


def test_without_metrics_a_line_has_the_same_counts_and_nothing_for_cloudwatch(
    make_world: Callable[..., World], log: Log
) -> None:
    plain = make_world(befriended)
    counting = make_world(ENGAWA_METRICS="1")
    for world in (plain, counting):
        world.send("GET", ME)
        world.send("GET", ME, user=None)

    without, with_metrics = (
        [{key: value for key, value in line.items() if key not in _OF_ONE_LINE} for line in lines]
        for lines in (log.lines[:2], log.lines[2:])
    )
    assert [line.pop("_aws")["CloudWatchMetrics"][0]["Namespace"] for line in with_metrics] == ["Engawa"] * 2
    assert without == with_metrics
    assert without[1] | {"Requests": 1, "ClientErrors": 1, "stage": "local", "route": f"GET {APPDATA}"} == without[1]


def test_the_viewer_is_the_same_pseudonym_in_every_line_and_nobody_s_id(world: World, log: Log) -> None:
    for user in (HANA, KEN, HANA):
        world.send("GET", ME, user=user)
    world.send("GET", FEEDS, token=world.token(None, "any"))

    hana, ken, again, app = (line.get("viewer") for line in log.lines)
    assert hana == again != ken
    assert app is None
    assert not {HANA, KEN} & {hana, ken}
    assert hana == world.platform.keys.pseudonym(HANA)


def test_capacity_is_what_dynamodb_says_it_took(world: World, log: Log) -> None:
    world.dynamodb.meta.events.register(
        "provide-client-params.dynamodb", lambda params, **_: {**params, "ReturnConsumedCapacity": "TOTAL"}
    )

    def took(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        parsed["ConsumedCapacity"] = {"GetItem": {"CapacityUnits": 1.5}, "PutItem": {"CapacityUnits": 3}}[model.name]

    world.dynamodb.meta.events.register("after-call.dynamodb", took)
    world.send("POST", ME, {"level": "5"})

    assert (only(log.lines)["rru"], only(log.lines)["wru"]) == (1.5, 3)


def test_a_refusal_is_counted_by_its_kind(make_world: Callable[..., World], log: Log) -> None:
    world = make_world(ENGAWA_METRICS="1", ENGAWA_RATE_WRITES="2", ENGAWA_QUOTA_BYTES="10")
    world.populate(HANA)
    world.platform.appdata.install(APP, HANA)

    for body in ({"k": "small"}, {"k": "x" * 11}, {"k": "v"}, {"k": "v"}):
        world.send("POST", ME, body)
    world.send("GET", ME, user=None)

    assert [(line["status"], line.get("error"), metrics(line)) for line in log.lines] == [
        (200, None, {"Requests": 1}),
        (400, "parameter_invalid", {"Requests": 1, "ClientErrors": 1, "QuotaRefusals": 1}),
        (200, None, {"Requests": 1}),
        (503, "service_unavailable", {"Requests": 1, "RateRefusals": 1}),
        (401, "invalid_request", {"Requests": 1, "ClientErrors": 1}),
    ]


def test_refusals_in_a_batch_are_counted_though_the_batch_succeeds(make_world: Callable[..., World], log: Log) -> None:
    world = make_world(ENGAWA_METRICS="1", ENGAWA_RATE_WRITES="1", ENGAWA_QUOTA_BYTES="10")
    world.populate(HANA)
    world.platform.appdata.install(APP, HANA)
    batch = [item("appdata.update", turn, data={"k": value}) for turn, value in enumerate(("x" * 11, "v", "v"))]

    assert world.send("POST", "/rpc", batch).status == 200

    line = only(log.lines)
    assert (line["status"], line["error"]) == (200, "service_unavailable")
    assert metrics(line) == {"Requests": 1, "QuotaRefusals": 1, "RateRefusals": 1}


def test_what_is_tried_again_is_counted(world: World, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    put, failures = (
        world.platform.appdata._ledgers._dynamo.put,
        [TransactionConflict("busy"), TransactionConflict("busy")],
    )

    def contested(*arguments: Any) -> None:
        if failures:
            raise failures.pop()
        put(*arguments)

    monkeypatch.setattr(world.platform.appdata._ledgers._dynamo, "put", contested)
    assert world.send("POST", ME, {"level": "5"}).status == 200

    assert metrics(only(log.lines)) == {"Requests": 1, "Retries": 2}


def test_what_the_sdk_sends_again_is_counted_too(world: World, log: Log) -> None:
    def resent(parsed: dict[str, Any], **_: Any) -> None:
        parsed["ResponseMetadata"]["RetryAttempts"] = 1

    world.dynamodb.meta.events.register("after-call.dynamodb.GetItem", resent)
    world.send("GET", ME)

    assert metrics(only(log.lines)) == {"Requests": 1, "Retries": 1}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", ME, 401), ("GET", "/no/such/path", 404), ("LOCK", ME, 405), ("GET", "/connect_authorize.pl", 400)],
)
def test_every_answer_carries_an_id_and_the_body_of_an_error_stays(
    world: World, method: str, path: str, status: int
) -> None:
    answer = world.send(method, path, user=None)

    assert answer.status == status
    assert re.fullmatch("[0-9a-f-]{36}", answer.headers["x-request-id"])
    if "json" in answer.headers["content-type"]:
        assert answer.json.keys() == {"error", "error_description"}


def test_a_page_tells_its_error_too(world: World, log: Log) -> None:
    assert world.send("GET", "/connect_authorize.pl", user=None, client_id="nobody").status == 400

    assert (only(log.lines)["route"], only(log.lines)["error"]) == ("GET /connect_authorize.pl", "bad_request")


def test_an_error_that_nobody_expected_is_found_by_its_id_without_what_its_text_says(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s3cr3t"

    def fail(*_: object) -> None:
        try:
            raise KeyError(secret)
        except KeyError as inside:
            error = RuntimeError(secret)
            error.add_note(secret)
            raise error from inside

    monkeypatch.setattr(world.platform.appdata, "read", fail)
    answer = world.send("GET", ME)

    assert answer.error == (500, "internal_error", "Internal error")
    unhandled, request = log.lines
    assert unhandled["request_id"] == request["request_id"] == answer.headers["x-request-id"]
    assert (unhandled["level"], unhandled["exception_name"]) == ("ERROR", "RuntimeError")
    assert re.search(r"in fail\n.*\nKeyError\n\n.*in fail\n.*\nRuntimeError$", unhandled["exception"], re.DOTALL)
    assert answer.headers["x-request-id"] in unhandled["message"]
    assert secret not in log.stream.getvalue()
    assert metrics(request) == {"Requests": 1, "ServerErrors": 1}


class Unreadable(Exception):
    """An exception whose answer of AWS has another form than the one that is expected."""

    response: ClassVar[Any] = {"Error": None}


def unwritable(name: str) -> None:
    """Log a record that cannot be written, in one of several ways."""
    secret, log = "s3cr3t", logging.getLogger("a.library")
    match name:
        case "arguments that do not fit":
            log.error("%d bytes", secret)
        case "what has no text":
            log.error("odd", extra={"odd": Mock(__str__=Mock(side_effect=RuntimeError(secret)))})
        case "what UTF-8 cannot have":
            log.error(f"{secret} \ud800")
        case _:
            try:
                raise Unreadable(secret) from KeyError(secret)
            except Unreadable:
                log.exception("odd")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("arguments that do not fit", "TypeError"),
        ("what has no text", "RuntimeError"),
        ("what UTF-8 cannot have", "UnicodeEncodeError"),
        ("an exception that cannot be described", "AttributeError"),
    ],
)
def test_of_a_record_that_cannot_be_written_the_place_is_logged_and_nothing_else(
    capfd: pytest.CaptureFixture[str], name: str, kind: str
) -> None:
    with io.TextIOWrapper(io.BytesIO(), encoding="utf-8") as stream:
        with logs.started(stream):
            unwritable(name)
        written = stream.buffer.getvalue().decode()

    line = json.loads(written)
    assert re.fullmatch(r"a\.library:\d+", line.pop("location"))
    assert line == {"level": "ERROR", "message": "a record that cannot be logged", "exception_name": kind}
    assert "s3cr3t" not in written + "".join(capfd.readouterr())


def test_a_log_that_cannot_be_written_fails_no_request(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    with logs.started(stream):
        stream.close()
        assert world.send("GET", ME).status == 200

    assert "".join(capfd.readouterr()) == ""


@pytest.mark.parametrize(
    ("code", "told"),
    [("AccessDeniedException", "ClientError: AccessDeniedException: role x"), ("Else", "ClientError: Else")],
)
def test_of_a_refusal_of_aws_stands_what_whoever_mends_it_needs(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    def fail(*_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "role x"}}, "GetItem")

    monkeypatch.setattr(world.platform.appdata, "read", fail)
    world.send("GET", ME)

    assert log.lines[0]["exception"].endswith(f"\n{told}")


def test_what_fails_outside_of_every_route_is_an_error_like_any_other(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.web.cors._declared", {}.__getitem__)

    answer = world.send("GET", ME)

    assert answer.error == (500, "internal_error", "Internal error")
    assert log.lines[0]["request_id"] == answer.headers["x-request-id"]


def test_a_run_is_one_line_and_counted_by_its_function(make_world: Callable[..., World], log: Log) -> None:
    world = make_world(populated, ENGAWA_METRICS="1")
    uri = send(world, "POST", FEEDS, {"title": "title"}).json["contentUri"]
    send(world, "DELETE", FEEDS, contentUri=uri)

    sweep(world)
    world.clean()

    swept, cleaned = log.of("run")
    assert (swept["route"], swept["status"], cleaned["route"], cleaned["status"]) == ("sweep", 200, "clean", 200)
    assert swept["calls"] > 0 < cleaned["calls"]
    assert metrics(swept) == metrics(cleaned) == {"Requests": 1}
    assert cleaned["request_id"] == cleaned["invocation_id"]


def test_a_run_that_fails_is_logged_and_tells_lambda_no_more_than_that(
    world: World, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: float) -> int:
        raise KeyError("s3cr3t")

    monkeypatch.setattr(world.platform.appdata, "sweep", fail)
    with pytest.raises(RunFailed) as failed:
        sweep(world)

    assert (str(failed.value), failed.value.__suppress_context__) == ("sweep failed: KeyError", True)
    error, run = log.lines
    assert error["exception_name"] == run["error"] == "KeyError"
    assert metrics(run) == {"Requests": 1, "ServerErrors": 1}


def test_a_method_that_only_a_client_knows_is_no_name_of_a_metric(world: World, log: Log) -> None:
    event = world.gateway._event(Request("GET", ME), ME, APPDATA, {"user": "@me", "group": "@self"})
    event["httpMethod"] = event["requestContext"]["httpMethod"] = "BREW"

    assert world.app(event, LambdaContext("engawa", 512, 29_000))["statusCode"] == 405

    assert only(log.lines)["route"] == f"other {APPDATA}"


def test_an_id_is_made_of_what_there_is(world: World) -> None:
    event = world.gateway._event(Request("GET", ME), ME, APPDATA, {"user": "@me", "group": "@self"})
    del event["requestContext"]["requestId"]

    of_lambda, nameless = Context(), Context()
    of_lambda.aws_request_id = "of-lambda"

    for context, made in ((of_lambda, "of-lambda"), (nameless, "unknown")):
        answer = world.app(event, context)
        assert (answer["statusCode"], answer["headers"][REQUEST_ID]) == (401, made)


def send_late_to_a_dead_endpoint(world: World) -> None:
    """Run the function that sends events. One has waited for an hour, and its endpoint answers 410."""
    here = world.platform
    here.event_sending = EventSending(here.event_log, here.endpoints, lambda url, body, headers: 410, world.clock)
    here.endpoints.create(APP, "https://quest.example/events", [EventKind.INSTALLED])
    app = here.apps.get(APP)
    assert app
    world.populate(KEN)
    here.user_data.install(app, KEN)
    world.clock.now += 3_600_000
    world.app.handler_map[SEND](SCHEDULED, LambdaContext(SEND, 512, 60_000))


def test_the_document_has_every_field_and_no_other(
    make_world: Callable[..., World], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-2-3;Sampled=1")
    world = make_world(ENGAWA_METRICS="1", ENGAWA_RATE_WRITES="1", ENGAWA_QUOTA_BYTES="3")
    world.populate(HANA)
    world.platform.apps.create(App(APP, "Quest"))
    world.platform.appdata.install(APP, HANA)
    for body in ({"k": "long"}, {"k": "v"}, {"k": "v"}):
        world.send("POST", ME, body)
    world.dynamodb.meta.events.register(
        "after-call.dynamodb.GetItem", lambda parsed, **_: parsed["ResponseMetadata"].update(RetryAttempts=1)
    )
    world.send("GET", ME)
    monkeypatch.setattr(world.platform.appdata, "read", {}.__getitem__)
    world.send("GET", ME)
    sweep(world)
    send_late_to_a_dead_endpoint(world)

    seen: dict[str, set[str]] = {}
    for line in log.lines:
        kind = {"request": "requests", "run": "runs"}.get(line["message"], "the rest")
        for name in line:
            seen.setdefault(name, set()).add(kind)
    documented = documented_fields()
    assert seen.keys() == documented.keys()
    for name, kinds in seen.items():
        allowed = {"all": {"requests", "runs", "the rest"}, "errors": {"the rest"}}.get(
            documented[name], set(documented[name].split(", "))
        )
        assert kinds <= allowed, name


def test_alarms_and_dashboard_look_at_metrics_that_there_are() -> None:
    watch = (combine.INFRA / "watch.yaml").read_text(encoding="utf-8")
    alarmed = set(re.findall(r"Namespace: Engawa\n +MetricName: (\w+)", watch))
    searched = set(re.findall(r'\{Engawa,stage,route\} MetricName=\\"(\w+)\\"', watch))
    [shown] = re.findall(r'\["Engawa", "\w+", "stage", .*?\]\s*\]', watch, re.DOTALL)

    filtered = set(re.findall(r"MetricNamespace: Engawa\n +MetricName: (\w+)", watch))

    assert filtered == {"ErrorAnswers", "UnhandledErrors"}
    assert alarmed == {"Requests", "QuotaRefusals", "RateRefusals", "LateEvents"} | filtered
    assert searched == {"ClientErrors", "ServerErrors"}
    assert set(re.findall(r'"([A-Z]\w+)", (?:"stage"|"\.")', shown)) == {"QuotaRefusals", "RateRefusals", "Retries"}
    assert alarmed - filtered | searched <= set(METRICS)
    # They are made only with full monitoring, so nothing else may look at them.
    resources = yaml.safe_load(watch)["Resources"]
    looking = {
        name
        for name, each in resources.items()
        if any(f'"{metric}"' in json.dumps(each["Properties"]).replace('\\"', '"') for metric in METRICS)
    }
    assert looking == {"Refusals", "EventsLate", "Dashboard"}
    assert {resources[name]["Condition"] for name in looking} == {"HasFullMonitoring"}


def matching(log: Log, name: str) -> list[Line]:
    """Return the lines of which the metric filter makes a metric."""
    properties = combine.merge_template()["Resources"][name]["Properties"]
    matches = pattern(properties["FilterPattern"])
    [made] = properties["MetricTransformations"]
    # A field must be in the pattern to be a dimension.
    assert '($.stage = "*")' in properties["FilterPattern"]
    assert (made["MetricValue"], made["Dimensions"]) == ("1", [{"Key": "stage", "Value": "$.stage"}])
    found = [line for line in log.lines if matches(line)]
    assert all(line["stage"] for line in found)
    return found


@pytest.mark.parametrize("metrics", ["0", "1"])
def test_the_alarms_count_errors_of_ours_and_not_a_user_s_full_write_window(
    make_world: Callable[..., World], log: Log, monkeypatch: pytest.MonkeyPatch, metrics: str
) -> None:
    world = make_world(befriended, ENGAWA_METRICS=metrics, ENGAWA_RATE_WRITES="1")
    assert [world.send("POST", ME, {"k": "v"}).status for _ in range(3)] == [200, 503, 503]
    assert world.send("GET", ME, user=None).status == 401
    sweep(world)
    for name in ("ErrorAnswerLines", "UnhandledErrorLines"):
        assert matching(log, name) == []

    with monkeypatch.context() as patch:
        patch.setattr(world.platform.appdata, "read", Mock(side_effect=Unavailable()))
        assert world.send("GET", ME).status == 503
    monkeypatch.setattr(world.platform.appdata, "read", {}.__getitem__)
    assert world.send("GET", ME).status == 500
    assert [line["status"] for line in matching(log, "ErrorAnswerLines")] == [503, 500]
    assert [line["status"] for line in matching(log, "UnhandledErrorLines")] == [500]

    # An error inside a batch is one, too, and so is one of a function that no request reaches, for its own alarms only.
    monkeypatch.setattr(world.platform.appdata, "read_named", {}.__getitem__)
    assert world.send("POST", "/rpc", [item("appdata.get")]).status == 200
    monkeypatch.setattr(world.platform.appdata, "sweep", {}.__getitem__)
    with pytest.raises(RunFailed):
        sweep(world)
    assert [line["status"] for line in matching(log, "ErrorAnswerLines")] == [503, 500, 200]
    assert [line["status"] for line in matching(log, "UnhandledErrorLines")] == [500, 200]


def test_nothing_is_told_where_nobody_logs(world: World, caplog: pytest.LogCaptureFixture) -> None:
    assert world.send("GET", ME).headers["x-request-id"]
    assert world.send("GET", ME, user=None).status == 401
    assert not caplog.records
