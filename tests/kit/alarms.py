"""Alarms of CloudWatch over series that a test makes up: the state at each minute, as AWS's pages define it.

- Evaluation, missing data: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html and
  …/alarms-and-missing-data.html. Sliding windows, which move on with each evaluation: …/alarm-evaluation-window.html.
- Metric math: …/using-metric-math.html. In arithmetic and comparisons, a missing value counts as 0 if another operand
  has a value; a division by 0 has no value.
- Filter patterns of logs: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html.

What the templates do not use raises ValueError: another TreatMissingData, another function, another statistic.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

MINUTE = 60
SLACK = 2
"""The periods that an alarm reads besides its EvaluationPeriods. AWS says "a higher number", and shows 5 for 3."""

Metric = tuple[str, str, frozenset[tuple[str, str]]]
"""A namespace, a name, and dimensions."""
Series = Mapping[int, Sequence[float]]
"""The values that are sent in a minute, by minute."""
Value = float | None
"""A datapoint, or None if it is missing."""


def metric(namespace: str, name: str, dimensions: Iterable[Mapping[str, str]]) -> Metric:
    """Return the identity of a metric of a template whose references are resolved."""
    return namespace, name, frozenset((each["Name"], each["Value"]) for each in dimensions)


class Alarm:
    """An alarm over the series of its metrics."""

    def __init__(self, properties: Mapping[str, Any], series: Mapping[Metric, Series]) -> None:
        """Take the properties of an alarm whose references are resolved. A metric without a series has no data."""
        self._series = series
        self._properties = properties
        self._queries = {each["Id"]: each for each in properties.get("Metrics", [])}
        periods = {each["MetricStat"]["Period"] for each in self._queries.values() if "MetricStat" in each}
        [self.period] = periods or {properties["Period"]}
        if self.period % MINUTE:
            raise ValueError("a period of high resolution")
        self._periods = properties["EvaluationPeriods"]
        self._breaching_points = properties.get("DatapointsToAlarm", self._periods)
        # CloudWatch allows as much if a period is shorter than an hour.
        if self.period * self._periods > 86_400 or len(self._queries) > 10:
            raise ValueError("more than an alarm may have")

    @property
    def metrics(self) -> set[tuple[Metric, str]]:
        """Return the metrics that the alarm watches, each with its statistic."""
        if not self._queries:
            own = self._properties
            statistic = own.get("Statistic") or own["ExtendedStatistic"]
            return {(metric(own["Namespace"], own["MetricName"], own["Dimensions"]), statistic)}
        stats = [each["MetricStat"] for each in self._queries.values() if "MetricStat" in each]
        return {
            (
                metric(each["Metric"]["Namespace"], each["Metric"]["MetricName"], each["Metric"]["Dimensions"]),
                each["Stat"],
            )
            for each in stats
        }

    def rings(self, minutes: int) -> int | None:
        """Return the first minute, up to `minutes`, after which the state is ALARM, or None."""
        return next((minute for minute in range(1, minutes + 1) if self.is_alarm(minute)), None)

    def is_alarm(self, minute: int) -> bool:
        """Return whether the state after so many minutes is ALARM."""
        points = [self.point(minute - back * self.period // MINUTE) for back in range(self._periods + SLACK)]
        return in_alarm(
            points, self._periods, self._breaching_points, self._properties["TreatMissingData"], self._breaches
        )

    def point(self, minute: int) -> Value:
        """Return the datapoint of the period that ends with a minute."""
        if not self._queries:
            [(of, statistic)] = self.metrics
            return self._aggregated(of, statistic, minute)
        [shown] = [each for each in self._queries.values() if each.get("ReturnData", True)]
        stats = {name: each["MetricStat"] for name, each in self._queries.items() if "MetricStat" in each}
        values = {
            name: self._aggregated(
                metric(each["Metric"]["Namespace"], each["Metric"]["MetricName"], each["Metric"]["Dimensions"]),
                each["Stat"],
                minute,
            )
            for name, each in stats.items()
        }
        return math_value(shown["Expression"], values)

    def _aggregated(self, of: Metric, statistic: str, minute: int) -> Value:
        series = self._series.get(of, {})
        begin = minute - self.period // MINUTE
        sent = sorted(value for each in range(begin, minute) for value in series.get(each, ()))
        if not sent:
            return None
        if statistic.startswith("p"):
            return sent[math.ceil(len(sent) * float(statistic[1:]) / 100) - 1]
        functions: dict[str, Callable[[list[float]], float]] = {
            "Sum": sum,
            "Maximum": max,
            "Average": lambda all_sent: sum(all_sent) / len(all_sent),
        }
        if statistic not in functions:
            raise ValueError(f"no such statistic here: {statistic}")
        return functions[statistic](sent)

    def _breaches(self, value: float) -> bool:
        threshold = float(self._properties["Threshold"])
        match self._properties["ComparisonOperator"]:
            case "GreaterThanThreshold":
                return value > threshold
            case "LessThanThreshold":
                return value < threshold
            case other:
                raise ValueError(f"no such comparison here: {other}")


def in_alarm(
    points: Sequence[Value], periods: int, needed: int, missing: str, breaches: Callable[[float], bool]
) -> bool:
    """Return whether datapoints (the latest first, with those read in addition) make an alarm.

    The latest existing points count. Only if there are fewer than `periods`, missing ones are filled in.
    """
    if missing not in ("breaching", "notBreaching"):
        raise ValueError(f"no such treatment of missing data here: {missing}")
    existing = [value for value in points if value is not None][:periods]
    breaching = sum(map(breaches, existing))
    if missing == "breaching":
        breaching += periods - len(existing)
    return breaching >= needed


def math_value(expression: str, values: Mapping[str, Value]) -> Value:
    """Return the value of a metric math expression for one period."""
    python = re.sub(r"\bIF\(", "IF_(", expression)
    value: Value = _evaluated(ast.parse(python, mode="eval").body, values)
    return value


def _evaluated(node: ast.expr, values: Mapping[str, Value]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=operator, right=right):
            one, other = _evaluated(left, values), _evaluated(right, values)
            # Of two series, a missing value counts as 0; a number makes no value of a missing one.
            if (one is None or isinstance(left, ast.Constant)) and (other is None or isinstance(right, ast.Constant)):
                return None
            return _arithmetic(one or 0.0, operator, other or 0.0)
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            one, other = _evaluated(left, values), _evaluated(right, values)
            if one is None and (other is None or isinstance(right, ast.Constant)):
                return None
            return float(_COMPARISONS[type(operator)](one or 0.0, other or 0.0))
        case ast.Call(func=ast.Name(id="IF_"), args=[condition, yes, no]):
            known = _evaluated(condition, values)
            if known is None:
                return None
            chosen = _evaluated(yes if known else no, values)
            return 0.0 if known and chosen is None else chosen
        case ast.Call(func=ast.Name(id="METRICS"), args=[]):
            return list(values.values())
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=number)]):
            found = _evaluated(filled, values)
            several = found if isinstance(found, list) else [found]
            full = [float(number) if each is None else each for each in several]  # type: ignore[arg-type]
            return full if isinstance(found, list) else full[0]
        case ast.Call(func=ast.Name(id="SUM"), args=[inner]):
            known = [each for each in _evaluated(inner, values) if each is not None]
            return sum(known) if known else None
        case _:
            raise ValueError(f"not in the metric math of the templates: {ast.unparse(node)}")


def _arithmetic(one: float, operator: ast.operator, other: float) -> Value:
    if isinstance(operator, ast.Div):
        return one / other if other else None
    return _OPERATIONS[type(operator)](one, other)


_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda one, other: one + other,
    ast.Sub: lambda one, other: one - other,
    ast.Mult: lambda one, other: one * other,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.GtE: lambda one, other: one >= other,
    ast.Gt: lambda one, other: one > other,
    ast.LtE: lambda one, other: one <= other,
    ast.Lt: lambda one, other: one < other,
}


def pattern(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return the function that says whether a line of JSON matches a filter pattern of CloudWatch Logs.

    The pattern may have comparisons by `=` with a text, a number or "*" (any value), `&&`, `||` and parentheses.
    """
    inside = re.fullmatch(r"\{ (.+) \}", text)
    if not inside:
        raise ValueError("a pattern for JSON is in braces")
    python = re.sub(r"\$\.(\w+) = ", r"\1 == ", inside[1]).replace("&&", "and").replace("||", "or")
    tree = ast.parse(python, mode="eval").body

    def matches(node: ast.expr, line: Mapping[str, Any]) -> bool:
        match node:
            case ast.BoolOp(op=operator, values=parts):
                return (all if isinstance(operator, ast.And) else any)(matches(each, line) for each in parts)
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant(value=value)]):
                return name in line and (value == "*" or (type(line[name]) is type(value) and line[name] == value))
            case _:
                raise ValueError(f"not in the patterns of the templates: {ast.unparse(node)}")

    return lambda line: matches(tree, line)
