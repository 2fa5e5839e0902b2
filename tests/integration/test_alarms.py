"""Every alarm rings, and soon enough, and is silent when all is well: for 10, 10,000 and 1,000,000 users.

The templates are those that are deployed, with both fronts and both values of Monitoring, and the one in us-east-1.
tests/kit/alarms.py evaluates them; no emulator does, neither moto nor the one of `make serve`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from bench import month
from infra import bundle, combine, packaging
from tests.kit.alarms import Alarm, Metric, in_alarm, math_value, metric, pattern
from tests.kit.aws_metrics import DOCUMENTED

STAGE = "prod"
FUNCTION = f"engawa-{STAGE}"
TABLES = ("appdata", "directory", "grants", "ephemeral", "records", "feeds", "comments", "favorites")
SIZES = (10, 10_000, 1_000_000)
BEFORE, AFTER = -60, 90
"""The minutes of a scene; what happens in it begins in minute 0."""
EVERY = 5
"""The minutes between runs of the sweep and of the canary. Events are sent every minute."""
NORMAL = 10_000
"""The requests among which one fails on a platform that is well."""


def of_lambda(name: str, function: str = "") -> Metric:
    return metric("AWS/Lambda", name, [{"Name": "FunctionName", "Value": f"{FUNCTION}{function}"}])


def own(name: str) -> Metric:
    return metric("Engawa", name, [{"Name": "stage", "Value": STAGE}])


def of_queue(name: str, queue: str) -> Metric:
    return metric("AWS/SQS", name, [{"Name": "QueueName", "Value": f"{FUNCTION}-{queue}"}])


def of_cloudfront(name: str) -> Metric:
    return metric(
        "AWS/CloudFront",
        name,
        [{"Name": "DistributionId", "Value": "E2EXAMPLE"}, {"Name": "Region", "Value": "Global"}],
    )


def of_table(name: str, table: str) -> Metric:
    return metric("AWS/DynamoDB", name, [{"Name": "TableName", "Value": f"{FUNCTION}-{table}"}])


LATENCY = (
    metric("AWS/ApiGateway", "Latency", [{"Name": "ApiName", "Value": FUNCTION}]),
    of_lambda("Duration"),
)


@dataclass
class Scene:
    """The metrics of a platform that is well; a test changes what it is about."""

    users: int
    series: dict[Metric, dict[int, list[float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        failed = 0
        for minute in range(BEFORE, AFTER):
            requests = self.requests(minute)
            if requests:
                self.put(of_lambda("Invocations"), minute, requests)
                self.put(of_lambda("Errors"), minute, 0)
                self.put(of_lambda("Throttles"), minute, 0)
                self.put(own("Requests"), minute, requests)
                self.put(of_cloudfront("Requests"), minute, requests)
                self.put(of_cloudfront("5xxErrorRate"), minute, 0)
                self.answer_in(minute, 60)
            single = int(self.asked(minute + 1)) // NORMAL - failed
            if single:
                self.put(own("ErrorAnswers"), minute, single)
                self.put(of_cloudfront("5xxErrorRate"), minute, 100 * single / requests)
            failed += single
            for function in ("-sweep", "-canary", "-send") if minute % EVERY == 0 else ("-send",):
                self.put(of_lambda("Invocations", function), minute, 1)
                self.put(of_lambda("Errors", function), minute, 0)
            self.put(of_queue("ApproximateNumberOfMessagesVisible", "cleaning-dead"), minute, 0)
            self.put(of_queue("ApproximateAgeOfOldestMessage", "cleaning"), minute, 0)

    def asked(self, minute: int) -> float:
        """Return the requests of users from the begin of the scene up to a minute."""
        return month.requests(self.users) / (month.DAYS * 24 * 60) * (minute - BEFORE)

    def requests(self, minute: int) -> int:
        """Return the requests of a minute, the canary's included."""
        return int(self.asked(minute + 1)) - int(self.asked(minute)) + (minute % EVERY == 0)

    def put(self, of: Metric, minute: int, value: float) -> None:
        """Send a value as the only one of a minute."""
        self.series.setdefault(of, {})[minute] = [value]

    def drop(self, of: Metric, minutes: range) -> None:
        """Leave out the values of some minutes."""
        for minute in minutes:
            self.series.get(of, {}).pop(minute, None)

    def answer_in(self, minute: int, milliseconds: float, percent: float = 100) -> None:
        """Let a percentage of the requests of a minute take so long, and the others 60 ms; a hundred stand for all."""
        all_requests = min(self.requests(minute), 100)
        slow = max(1, round(all_requests * percent / 100)) if all_requests else 0
        for latency in LATENCY:
            self.series.setdefault(latency, {})[minute] = [milliseconds] * slow + [60.0] * (all_requests - slow)

    def share(self, of: Metric, percent: float, minutes: range = range(AFTER)) -> None:
        """Let a percentage of the requests count in a metric, in whole numbers, the first request for certain."""
        due = 1.0
        for minute in minutes:
            due += self.requests(minute) * percent / 100
            if int(due) and self.requests(minute):
                counted = min(int(due), self.requests(minute))
                self.put(of, minute, counted)
                due -= counted

    def count(self, of: Metric, value: float, minutes: range) -> None:
        """Send a value in each of some minutes."""
        for minute in minutes:
            self.put(of, minute, value)


@dataclass(frozen=True)
class Case:
    """What happens on a platform of some sizes, and the minutes after which the alarm rings at the latest."""

    what: str
    happens: Callable[[Scene], object]
    within: int | None = None
    """None: it does not ring."""
    sizes: tuple[int, ...] = SIZES


SMALL, LARGE = SIZES[:1], SIZES[1:]


def canary_fails(scene: Scene) -> None:
    scene.count(of_lambda("Errors", "-canary"), 1, range(0, AFTER, EVERY))


def throttled(scene: Scene, percent: float) -> None:
    scene.share(of_lambda("Throttles"), percent)
    for minute in range(AFTER):
        taken = sum(scene.series[of_lambda("Throttles")].get(minute, [0]))
        left = scene.requests(minute) - taken
        scene.drop(of_lambda("Invocations"), range(minute, minute + 1))
        if left:
            scene.put(of_lambda("Invocations"), minute, left)


def slow(scene: Scene, milliseconds: float, minutes: range, percent: float = 100) -> None:
    for minute in minutes:
        scene.answer_in(minute, milliseconds, percent)


def loop_at_the_limit(scene: Scene) -> None:
    """Let one client send sixty requests a minute that its user's write window refuses."""
    for minute in range(AFTER):
        scene.put(own("Requests"), minute, scene.requests(minute) + 60)
        scene.put(own("RateRefusals"), minute, 60)


def refused_by_tables(scene: Scene, name: str, minutes: range) -> None:
    """Let every call be refused: of the canary's three steps, each is tried twice."""
    for minute in minutes:
        if scene.requests(minute):
            scene.put(of_table(name, "appdata"), minute, 6 * scene.requests(minute))


def throttled_tables(name: str) -> list[Case]:
    def everywhere(scene: Scene) -> None:
        for table in TABLES:
            scene.count(of_table(name, table), 1, range(AFTER))

    return [
        Case("all calls", lambda scene: refused_by_tables(scene, name, range(AFTER)), 8),
        Case("several tables, a few calls each", everywhere, 8),
        Case("a partition is split", lambda scene: refused_by_tables(scene, name, range(1))),
    ]


def both_limits(scene: Scene) -> None:
    scene.share(own("QuotaRefusals"), 8)
    scene.share(own("RateRefusals"), 8)


def messages_fail(scene: Scene, minutes: range) -> None:
    """Let a message fail each time it is delivered, every six minutes."""
    for minute in range(0, AFTER, 6):
        if minute in minutes:
            scene.put(of_lambda("Errors", "-clean"), minute, 1)


def gone(function: str, minutes: range) -> Callable[[Scene], None]:
    def happens(scene: Scene) -> None:
        scene.drop(of_lambda("Invocations", function), minutes)
        scene.drop(of_lambda("Errors", function), minutes)

    return happens


CASES: dict[str, list[Case]] = {
    "server-errors": [
        Case("a single error among few requests", lambda scene: scene.put(own("ErrorAnswers"), 0, 1), 1, SMALL),
        Case("every request fails", lambda scene: scene.share(own("ErrorAnswers"), 100), 2),
        Case("the function does not start", lambda scene: scene.share(of_lambda("Errors"), 100), 2),
        # The first step of a deployment gets a tenth of the requests.
        Case("every tenth request fails", lambda scene: scene.share(own("ErrorAnswers"), 10), 3),
        Case("a twentieth fails", lambda scene: scene.share(own("ErrorAnswers"), 5), 5),
        Case("one request in a hundred fails", lambda scene: scene.share(own("ErrorAnswers"), 1), None, SIZES[2:]),
        Case("a single error", lambda scene: scene.put(own("ErrorAnswers"), 0, 1), None, LARGE),
        Case("every write is refused by a user's window", lambda scene: scene.share(own("RateRefusals"), 100)),
    ],
    "api-failures": [
        Case("a single error", lambda scene: scene.put(own("UnhandledErrors"), 0, 1), 1, SIZES[:2]),
        Case("a bug in a rare route", lambda scene: scene.share(own("UnhandledErrors"), 0.5), 2),
        Case("the function is killed", lambda scene: scene.share(of_lambda("Errors"), 2), 2),
        Case("a single error", lambda scene: scene.put(own("UnhandledErrors"), 0, 1), None, SIZES[2:]),
        Case("the tables are busy", lambda scene: scene.share(own("ErrorAnswers"), 50)),
    ],
    "api-throttles": [
        Case("a single request", lambda scene: throttled(scene, 0), 1, SMALL),
        Case("a tenth of the requests", lambda scene: throttled(scene, 10), 2),
        Case("all requests", lambda scene: throttled(scene, 100), 2),
        Case("none", lambda scene: None),
        Case("a burst", lambda scene: scene.put(of_lambda("Throttles"), 0, 1), None, LARGE),
    ],
    "refusals": [
        Case("one client ignores its limit", loop_at_the_limit, 7, SIZES[:2]),
        Case("a fifth of the requests", lambda scene: scene.share(own("QuotaRefusals"), 20), 8, LARGE),
        Case("both limits", both_limits, 10, LARGE),
        Case("one user at the limit", lambda scene: scene.count(own("RateRefusals"), 1, range(0, AFTER, EVERY))),
    ],
    "slow-answers": [
        Case("every answer", lambda scene: slow(scene, 5000, range(AFTER)), 7),
        Case("one in twenty", lambda scene: slow(scene, 5000, range(AFTER), 5), 7),
        Case("a cold start", lambda scene: slow(scene, 5000, range(1), 1)),
        Case("one second", lambda scene: slow(scene, 1000, range(AFTER))),
    ],
    "canary-failures": [
        Case("every run", canary_fails, 10),
        Case("one run", lambda scene: scene.put(of_lambda("Errors", "-canary"), 0, 1)),
    ],
    "canary-missing": [
        Case("no run any more", gone("-canary", range(AFTER)), 25),
        Case("one run is lost", gone("-canary", range(EVERY))),
    ],
    "sweep-failures": [
        Case("every run", lambda scene: scene.count(of_lambda("Errors", "-sweep"), 1, range(0, AFTER, EVERY)), 10),
        Case("one run", lambda scene: scene.put(of_lambda("Errors", "-sweep"), 0, 1)),
    ],
    "sweep-missing": [
        Case("no run any more", gone("-sweep", range(AFTER)), 60),
        Case("three runs are lost", gone("-sweep", range(3 * EVERY))),
    ],
    "clean-failures": [
        Case("a message", lambda scene: messages_fail(scene, range(AFTER)), 10),
        Case("a message, once", lambda scene: messages_fail(scene, range(1))),
    ],
    "clean-throttles": [
        Case("for long", lambda scene: scene.count(of_lambda("Throttles", "-clean"), 3, range(AFTER)), 15),
        Case("for some minutes", lambda scene: scene.count(of_lambda("Throttles", "-clean"), 3, range(EVERY))),
    ],
    "clean-dropped": [
        Case("a message", lambda s: s.put(of_lambda("RecursiveInvocationsDropped", "-clean"), 0, 1), 1),
        Case("much work", lambda scene: scene.count(of_lambda("Invocations", "-clean"), 100, range(AFTER))),
    ],
    "dead-letters": [
        Case(
            "one",
            lambda s: s.count(of_queue("ApproximateNumberOfMessagesVisible", "cleaning-dead"), 1, range(AFTER)),
            1,
        ),
        Case("none", lambda scene: None),
    ],
    "cleaning-behind": [
        Case(
            "more than an hour",
            lambda s: s.count(of_queue("ApproximateAgeOfOldestMessage", "cleaning"), 4000, range(AFTER)),
            15,
        ),
        Case(
            "half an hour",
            lambda s: s.count(of_queue("ApproximateAgeOfOldestMessage", "cleaning"), 1800, range(AFTER)),
        ),
    ],
    "send-stopped": [
        Case("every run fails", lambda scene: scene.count(of_lambda("Errors", "-send"), 1, range(AFTER)), 20),
        Case("no run any more", gone("-send", range(AFTER)), 25),
        Case("every other run fails", lambda s: s.count(of_lambda("Errors", "-send"), 1, range(0, AFTER, 2))),
        Case("no run for ten minutes", gone("-send", range(10))),
    ],
    "events-late": [
        Case("there are more than are sent", lambda scene: scene.count(own("LateEvents"), 50, range(AFTER)), 15),
        Case("once, after an outage", lambda scene: scene.count(own("LateEvents"), 2_000, range(3))),
    ],
    "table-read-throttles": throttled_tables("ReadThrottleEvents"),
    "table-write-throttles": throttled_tables("WriteThrottleEvents"),
    "edge-errors": [
        Case("every answer", lambda s: s.count(of_cloudfront("5xxErrorRate"), 100, range(0, AFTER, EVERY)), 8, SMALL),
        Case("a quarter", lambda scene: scene.count(of_cloudfront("5xxErrorRate"), 25, range(AFTER)), 10),
        Case("a single error among few", lambda scene: scene.put(of_cloudfront("5xxErrorRate"), 0, 100)),
        Case("a few write windows", lambda s: s.count(of_cloudfront("5xxErrorRate"), 5, range(AFTER)), None, LARGE),
    ],
    "edge-function": [
        Case("it fails", lambda scene: scene.share(of_cloudfront("LambdaExecutionError"), 100), 2),
        Case("its answers are wrong", lambda scene: scene.share(of_cloudfront("LambdaValidationError"), 5), 3),
        Case("none", lambda scene: None),
        Case("it is throttled", lambda scene: scene.share(of_cloudfront("LambdaLimitExceededErrors"), 5), 3),
        Case("a single failure", lambda s: s.put(of_cloudfront("LambdaExecutionError"), 0, 1), 1, SMALL),
        Case("a single failure", lambda s: s.put(of_cloudfront("LambdaExecutionError"), 0, 1), None, LARGE),
    ],
}
"""What rings each alarm, and what does not."""


# The templates


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """Return the templates by front, as `make package` makes them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packaging, "BUILD", tmp_path_factory.mktemp("build"))
        patch.setattr(bundle, "build", lambda made, *_: zipfile.ZipFile(made, "w").close())
        yield {
            front: yaml.safe_load((packaging.package(STAGE, "arm64", front=front) / "sam.yaml").read_text())
            for front in combine.FRONTS
        }


def resolved(value: Any, template: dict[str, Any]) -> Any:
    """Return a value of a template with the values of references."""
    given = {"Stage": STAGE, "SlowMilliseconds": 3000, "Distribution": "E2EXAMPLE"}
    match value:
        case {"Ref": name} if name in template["Parameters"]:
            return given[name]
        case {"Ref": name} | {"Fn::GetAtt": [name, "QueueName"]}:
            properties = template["Resources"][name]["Properties"]
            [text] = [properties[key] for key in ("FunctionName", "TableName", "QueueName") if key in properties]
            return resolved(text, template)
        case {"Fn::Sub": text}:
            return text.replace("${Stage}", STAGE)
        case dict():
            return {key: resolved(inner, template) for key, inner in value.items()}
        case list():
            return [resolved(each, template) for each in value]
        case _:
            return value


def alarms(template: dict[str, Any], monitoring: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the alarms that there are with a value of Monitoring, by name without the stage."""
    left_out = {"HasFullMonitoring"} if monitoring == "basic" else set()
    found = {}
    for each in template["Resources"].values():
        if each["Type"] == "AWS::CloudWatch::Alarm" and each.get("Condition") not in left_out:
            actions = ("AlarmActions", "OKActions")
            assert all(each["Properties"][action] == [{"Ref": "Alarms"}] for action in actions)
            properties = resolved(
                {key: value for key, value in each["Properties"].items() if key not in actions}, template
            )
            found[properties["AlarmName"].removeprefix(f"engawa-{STAGE}-")] = properties
    return found


EDGE = combine.edge_watch_template()
ALL = [(front, monitoring) for front in combine.FRONTS for monitoring in ("basic", "full")]
BASIC = {"server-errors", "canary-failures", "canary-missing", "sweep-failures", "sweep-missing", "dead-letters"}


def test_every_alarm_has_cases_and_every_case_its_alarm(built: dict[str, dict[str, Any]]) -> None:
    for front, monitoring in ALL:
        found = set(alarms(built[front], monitoring))
        assert found == BASIC if monitoring == "basic" else found | set(alarms(EDGE, "full")) == set(CASES)
    for name, cases in CASES.items():
        for size in SIZES:
            of_size = [case for case in cases if size in case.sizes]
            assert any(case.within for case in of_size), (name, size)
            assert any(case.within is None for case in of_size), (name, size)


@pytest.mark.parametrize("users", SIZES)
@pytest.mark.parametrize("name", CASES)
def test_an_alarm_rings_in_time_and_not_without_need(built: dict[str, dict[str, Any]], name: str, users: int) -> None:
    templates = [EDGE] if name.startswith("edge-") else built.values()
    every = [properties for template in templates for properties in [alarms(template, "full")[name]]]
    for case in CASES[name]:
        if users in case.sizes:
            scene = Scene(users)
            case.happens(scene)
            for properties in every:
                alarm = Alarm(properties, scene.series)
                assert not any(alarm.is_alarm(minute) for minute in range(-30, 1)), case.what
                minute = alarm.rings(AFTER)
                if case.within:
                    assert minute is not None and minute <= case.within, (case.what, minute)  # noqa: PT018
                else:
                    assert minute is None, (case.what, minute)


@pytest.mark.parametrize("users", SIZES)
def test_a_platform_that_is_well_rings_nothing_and_one_without_users_neither(
    built: dict[str, dict[str, Any]], users: int
) -> None:
    for front, monitoring in ALL:
        for name, properties in {**alarms(built[front], monitoring), **alarms(EDGE, "full")}.items():
            for scene in (Scene(users), Scene(0)):
                alarm = Alarm(properties, scene.series)
                assert not any(alarm.is_alarm(minute) for minute in range(AFTER)), name


@pytest.mark.parametrize("users", SIZES)
def test_an_alarm_ends_when_its_cause_does(built: dict[str, dict[str, Any]], users: int) -> None:
    """Also one over metrics that are sent only while something is wrong."""
    for name, happens in {
        "server-errors": lambda scene: scene.share(own("ErrorAnswers"), 100, range(10)),
        "table-read-throttles": lambda scene: refused_by_tables(scene, "ReadThrottleEvents", range(10)),
        "table-write-throttles": lambda scene: refused_by_tables(scene, "WriteThrottleEvents", range(10)),
        "canary-missing": gone("-canary", range(30)),
    }.items():
        scene = Scene(users)
        happens(scene)
        for template in built.values():
            alarm = Alarm(alarms(template, "full")[name], scene.series)
            assert alarm.rings(40), name
            assert not any(alarm.is_alarm(minute) for minute in range(50, AFTER)), name


def test_the_alarms_that_undo_a_deployment_always_exist_and_ring_within_five_minutes(
    built: dict[str, dict[str, Any]],
) -> None:
    assert 1 <= len(combine.ROLLBACK_ALARMS) <= 10
    for template in built.values():
        for name in combine.ROLLBACK_ALARMS:
            resource = template["Resources"][name]
            assert resource["Type"] == "AWS::CloudWatch::Alarm"
            assert "Condition" not in resource
            alarm = resource["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("engawa-${Stage}-")
            # The first step gives the new version a tenth of the requests.
            [case] = [case for case in CASES[alarm] if case.what == "every tenth request fails"]
            assert case.within is not None
            assert case.within <= 5


def test_every_metric_is_one_that_aws_documents_or_one_of_ours(built: dict[str, dict[str, Any]]) -> None:
    filters = {
        each["MetricName"]
        for template in built.values()
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Logs::MetricFilter"
        for each in resource["Properties"]["MetricTransformations"]
    }
    emf = {"Requests", "QuotaRefusals", "RateRefusals", "LateEvents"}
    for template in (*built.values(), EDGE):
        for name, properties in alarms(template, "full").items():
            for (namespace, metric_name, dimensions), statistic in Alarm(properties, {}).metrics:
                keys = {key for key, _ in dimensions}
                if namespace == "Engawa":
                    assert metric_name in filters | emf, name
                    assert (keys, statistic) == ({"stage"}, "Sum"), name
                else:
                    known = DOCUMENTED[namespace, metric_name]
                    assert keys == known.dimensions, name
                    assert statistic in known.statistics, name


def test_an_alarm_over_dynamodb_has_a_value_when_there_are_no_data(built: dict[str, dict[str, Any]]) -> None:
    """Whatever TreatMissingData says, such an alarm keeps its state while data are missing."""
    for template in built.values():
        for properties in alarms(template, "full").values():
            alarm = Alarm(properties, {})
            if any(of[0] == "AWS/DynamoDB" for of, _ in alarm.metrics):
                assert alarm.point(0) == 0


def test_what_is_missing_is_an_alarm_only_where_something_must_run(built: dict[str, dict[str, Any]]) -> None:
    for template in (*built.values(), EDGE):
        for name, properties in alarms(template, "full").items():
            wanted = "breaching" if name.endswith(("-missing", "-stopped")) else "notBreaching"
            assert properties["TreatMissingData"] == wanted, name


# The evaluation itself, by AWS's own examples


@pytest.mark.parametrize(
    ("points", "needed", "breaching", "not_breaching"),
    [
        ("0-X-X", 3, False, False),
        ("0----", 3, False, False),
        ("-----", 3, True, False),
        ("0XX-X", 3, True, True),
        ("----X", 3, True, False),
        ("X----", 3, True, False),
        ("0-X-X", 2, True, True),
        ("00X0X", 2, True, True),
        ("0-X--", 2, True, False),
        ("----0", 2, True, False),
        ("----X", 2, True, False),
    ],
)
def test_missing_data_are_treated_as_in_the_tables_of_aws(
    points: str, needed: int, breaching: bool, not_breaching: bool
) -> None:
    latest_first = [{"0": 0.0, "X": 1.0, "-": None}[each] for each in reversed(points)]
    for missing, wanted in (("breaching", breaching), ("notBreaching", not_breaching)):
        assert in_alarm(latest_first, 3, needed, missing, lambda value: value > 0.5) is wanted


@pytest.mark.parametrize("missing", ["missing", "ignore"])
def test_a_treatment_that_no_alarm_has_is_not_guessed(missing: str) -> None:
    with pytest.raises(ValueError, match="no such treatment"):
        in_alarm([1.0], 1, 1, missing, bool)


NONE = None


@pytest.mark.parametrize(
    ("expression", "values", "wanted"),
    [
        ("100 * (a + b) / c", {"a": 1.0, "b": NONE, "c": 50.0}, 2.0),
        ("100 * (a + b) / c", {"a": NONE, "b": NONE, "c": 50.0}, 0.0),
        ("100 * (a + b) / c", {"a": 1.0, "b": 1.0, "c": NONE}, NONE),
        ("100 * (a + b) / c", {"a": 1.0, "b": 1.0, "c": 0.0}, NONE),
        ("100 * a", {"a": NONE}, NONE),
        ("IF(a + b >= 10, a, 0)", {"a": 10.0, "b": NONE}, 10.0),
        ("IF(a + b >= 10, a, 0)", {"a": 9.0, "b": NONE}, 0.0),
        ("IF(a + b >= 10, a, 0)", {"a": NONE, "b": NONE}, NONE),
        # The examples of AWS's page: [30, 20, 0, 0] and [20, -, 20, -].
        ("a < b", {"a": 20.0, "b": NONE}, 0.0),
        ("a < b", {"a": 0.0, "b": 20.0}, 1.0),
        ("IF(a, b, c)", {"a": 1.0, "b": NONE, "c": 0.0}, 0.0),
        ("IF(a, b, c)", {"a": 0.0, "b": 0.0, "c": NONE}, NONE),
        ("IF(a, b, c)", {"a": NONE, "b": 30.0, "c": 20.0}, NONE),
        ("SUM(METRICS())", {"a": 1.0, "b": NONE}, 1.0),
        ("SUM(METRICS())", {"a": NONE, "b": NONE}, NONE),
        ("SUM(FILL(METRICS(), 0))", {"a": NONE, "b": NONE}, 0.0),
        ("FILL(a, 3) - b", {"a": NONE, "b": 1.0}, 2.0),
    ],
)
def test_metric_math_is_that_of_aws(expression: str, values: dict[str, float | None], wanted: float | None) -> None:
    assert math_value(expression, values) == wanted


@pytest.mark.parametrize("expression", ["RUNNING_SUM(a)", "a ** 2", "SEARCH('x', 'Sum')", "a if b else c"])
def test_other_functions_are_not_guessed(expression: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        math_value(expression, {"a": 1.0, "b": 1.0, "c": 1.0})


def test_a_pattern_matches_a_line_as_cloudwatch_does() -> None:
    matches = pattern('{ ($.message = "request") && ($.stage = "*") && (($.n = 1) || ($.error = "e")) }')
    stage = {"stage": "prod"}
    assert matches({"message": "request", "n": 1, **stage})
    assert matches({"message": "request", "error": "e", **stage})
    assert not matches({"message": "request", "n": 1})
    assert not matches({"message": "run", "n": 1, **stage})
    assert not matches({"message": "request", "n": 2, **stage})
    assert not matches({"message": "request", **stage})
    for wrong in ("message", '{ $.message != "x" }'):
        with pytest.raises((ValueError, SyntaxError)):
            pattern(wrong)({"message": "x"})
