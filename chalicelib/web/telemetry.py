"""One line of JSON for each request and each run of a function, with CloudWatch's metrics in it (EMF) if they are on.

docs/operating/operations.md lists the fields. They contain nothing that a client sends, only the route's template, the
name of the error, the id of an app whose token or signature is valid, and a pseudonym of the viewer
(web/auth/access_tokens.py).
"""

import logging
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from chalice.app import Request, Response

from chalicelib import VERSION
from chalicelib.observed import Observed, observing
from chalicelib.web.auth.access_tokens import TokenKeys
from chalicelib.web.error_answers import answer_any
from chalicelib.web.logs import log_unhandled
from chalicelib.web.token_dialect import TokenDialect

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider


log = logging.getLogger(__name__)

REQUEST_ID = "X-Request-Id"
NAMESPACE = "Engawa"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
T = TypeVar("T")


class Recording(Protocol):
    """What keeps refused requests and runs of functions for the overview (api/request_recording.py)."""

    @property
    def has_something(self) -> bool: ...

    def request(self, route: str, status: int, seen: Observed, seconds: float) -> None: ...

    def work(self, job: str, items: int, refused: int = 0) -> None: ...

    def flush(self, seconds_left: float) -> None: ...

    def run(self, function: str, done: object, seen: Observed, seconds: float) -> None: ...


class RunFailed(Exception):
    """A failed run of a function. The log has the reason; the text of this exception has only the reason's type."""


class Telemetry:
    """The log lines and, if `metrics`, the metrics of a deployment. Nothing is called before the first line.

    `recording` keeps refused requests and runs for the overview; it is called at the first of them.
    """

    def __init__(
        self,
        stage: Callable[[], str],
        commit: Callable[[], str],
        metrics: Callable[[], bool],
        keys: Callable[[], TokenKeys],
        recording: Callable[[], Recording] | None = None,
    ) -> None:
        self._stage = stage
        self._commit = commit
        self._metrics = metrics
        self._keys = keys
        self._recording = recording
        self._begun: Recording | None = None
        self._cold = True

    def of_request(self, request: Request, get_response: Callable[[Request], Response]) -> Response:
        """Log each request, and add the request's id to each response. This is the outermost Chalice middleware."""
        began = time.perf_counter()
        with observing(_request_id(request)) as seen:
            try:
                answer = get_response(request)
            except Exception as error:
                answer = answer_any(error, TokenDialect.OAUTH)
            answer.headers[REQUEST_ID] = seen.request_id
            method = request.method if request.method in METHODS else "other"
            route = f"{method} {request.path}"
            self._tell("request", route, answer.status_code, seen, began, request.lambda_context)
        if self._recording:
            self._record(route, answer.status_code, seen, began, request.lambda_context)
        return answer

    def _record(self, route: str, status: int, seen: Observed, began: float, context: Any) -> None:
        """Keep a request that was refused or failed, and write what is due. Raises nothing."""
        try:
            if seen.error is not None or status >= 400:
                self._begin().request(route, status, seen, time.perf_counter() - began)
            if seen.work:
                self._begin().work(*seen.work)
            if self._begun and self._begun.has_something:
                self._begun.flush(float(context.get_remaining_time_in_millis()) / 1000)
        except Exception as error:
            # Settings that are wrong, for example. The answer must not depend on it.
            log.warning("a request could not be recorded: %s", type(error).__name__)

    def _begin(self) -> Recording:
        if self._begun is None:
            assert self._recording  # noqa: S101 (the callers have checked it)
            self._begun = self._recording()
        return self._begun

    def of_run(self, function: str, context: Any, work: Callable[[], T], *, idle: bool = True) -> T:
        """Return the result of `work`, a run of a function with Lambda's context, and log the run.

        With `idle` False, a run whose result is false is not logged. Raises RunFailed instead of any exception of
        `work`.
        """
        began, status, logged = time.perf_counter(), 500, True
        done: T | None = None
        with observing(_invocation(context) or "unknown") as seen:
            try:
                done = work()
                status, logged = 200, idle or bool(done)
            except Exception as error:
                seen.error = type(error).__name__
                log_unhandled(error)
                raise RunFailed(f"{function} failed: {seen.error}") from None
            finally:
                if logged:
                    self._tell("run", function, status, seen, began, context)
                if self._recording:
                    self._record_run(function, done, seen, began)
        return done

    def _record_run(self, function: str, done: object, seen: Observed, began: float) -> None:
        try:
            self._begin().run(function, done, seen, time.perf_counter() - began)
        except Exception as error:
            log.warning("a run could not be recorded: %s", type(error).__name__)

    def _tell(self, kind: str, route: str, status: int, seen: Observed, began: float, context: Any) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        access, cold = seen.access, self._cold
        self._cold = False
        counts = {
            "Requests": 1,
            "ClientErrors": 400 <= status < 500,
            # The client causes a full write window, so it is no server error.
            "ServerErrors": status >= 500 and not seen.rate_refusals,
            "QuotaRefusals": seen.quota_refusals,
            "RateRefusals": seen.rate_refusals,
            "Retries": seen.retries,
            "LateEvents": seen.late_events,
            "DisabledEndpoints": seen.disabled_endpoints,
        }
        # Zeros are left out: CloudWatch bills each metric for every hour in which it is sent.
        counted = {name: int(value) for name, value in counts.items() if value}
        named = {"stage": self._stage(), "route": route}
        told = _with_metrics(counted, named) if self._metrics() else named | counted
        fields = {
            # While a deployment moves from one version to the next, errors show to which they belong.
            "version": f"{VERSION}+{self._commit()}",
            "invocation_id": _invocation(context),
            "cold_start": cold or None,
            "status": status,
            "error": seen.error,
            "app": access.app if access else None,
            "viewer": self._keys().pseudonym(access.viewer) if access and access.viewer else None,
            "calls": seen.calls,
            "rru": seen.read_units,
            "wru": seen.write_units,
            "retries": seen.retries,
            "ms": round((time.perf_counter() - began) * 1000, 1),
        }
        log.info(kind, extra={**told, **fields})


def _with_metrics(counted: Mapping[str, int], dimensions: dict[str, str]) -> Mapping[str, Any]:
    """Return the counts and dimensions in the form of which CloudWatch makes metrics."""
    metrics = {name: {"Unit": "Count", "Value": value} for name, value in counted.items()}
    return _provider(dimensions["stage"]).serialize_metric_set(metrics, dimensions, {})


@cache
def _provider(stage: str) -> "AmazonCloudWatchEMFProvider":
    from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

    made = AmazonCloudWatchEMFProvider(namespace=NAMESPACE)
    # Each metric counts once for its route and once for the whole stage; the alarms use the latter.
    made.add_dimensions(stage=stage)
    return made


def _request_id(request: Request) -> str:
    """Return API Gateway's id, as in its access log, or the function's own if there is none."""
    return str(request.context.get("requestId") or _invocation(request.lambda_context) or "unknown")


def _invocation(context: Any) -> str | None:
    """Return Lambda's own id, which is also in the log lines that Lambda writes."""
    return getattr(context, "aws_request_id", None)
