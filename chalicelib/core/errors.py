"""Every way Engawa says no. Each refusal names its HTTP status, its `error` word and a sentence.

Words and statuses are those of the Persistence API's error tables and of docs/internals/decisions.md.
web/error_answers.py is the one place that turns a refusal into an HTTP answer.
"""

from collections.abc import Mapping

from chalicelib.core.window import Rate


class Refusal(Exception):
    """A request that is not carried out and has changed nothing.

    `description` is the sentence for the client; the class gives status, `error` and a default sentence. `rate` is the
    state of the write window where it is known, and `etag` the current version of the data; both become headers.
    """

    status: int = 400
    error: str = "bad_request"
    default: str = "Bad request"

    def __init__(self, description: str | None = None, *, rate: Rate | None = None, etag: str | None = None) -> None:
        self.description = description or self.default
        self.rate = rate
        self.etag = etag
        super().__init__(self.description)


class BadRequest(Refusal):
    """400 `bad_request`: not what this route reads at all (content type, JSON, a value that is no string)."""


class ParameterInvalid(Refusal):
    """400 `parameter_invalid`: understood, and outside what is allowed; the description says what and by how much."""

    error = "parameter_invalid"
    default = "Invalid parameter"


class QuotaExceeded(ParameterInvalid):
    """400 `parameter_invalid`: more bytes than a user may have in an app."""


class PermissionDenied(Refusal):
    """403 `permission_denied`: an invalid selector, or data that this viewer may not have through this app."""

    status = 403
    error = "permission_denied"
    default = "Permission denied"


class NotFound(Refusal):
    """404 `not_found`."""

    status = 404
    error = "not_found"
    default = "Not found"


class MethodNotAllowed(Refusal):
    """405 `method_not_allowed`; the answer's `Allow` header lists the methods of the path."""

    status = 405
    error = "method_not_allowed"
    default = "Method not allowed"


class Conflict(Refusal):
    """409 `conflict`: it is there already, or something else holds what this needs."""

    status = 409
    error = "conflict"
    default = "It exists already"


class StillRunning(Refusal):
    """409 `idempotency_in_progress`: the first request with this `Idempotency-Key` is not answered yet."""

    status = 409
    error = "idempotency_in_progress"
    default = "The first request with this Idempotency-Key is still running"
    retry_after = 1


class PreconditionFailed(Refusal):
    """412 `precondition_failed`: `If-Match` or `If-None-Match` does not hold; `etag` is the current version."""

    status = 412
    error = "precondition_failed"
    default = "The data have changed, or do not meet the precondition"


class TooLarge(Refusal):
    """413 `request_entity_too_large`; the description names the maximum."""

    status = 413
    error = "request_entity_too_large"
    default = "Request entity too large"


class UnsupportedEncoding(Refusal):
    """415 `unsupported_media_type`: a body with a `Content-Encoding`; the description names it."""

    status = 415
    error = "unsupported_media_type"
    default = "The body must be sent without a Content-Encoding"


class KeyReused(Refusal):
    """422 `idempotency_conflict`: an `Idempotency-Key` that came with another request before."""

    status = 422
    error = "idempotency_conflict"
    default = "This Idempotency-Key was already used for a different request"


class InternalError(Refusal):
    """500 `internal_error`: our fault; the answer gives no detail."""

    status = 500
    error = "internal_error"
    default = "Internal error"


class Unavailable(Refusal):
    """503 `service_unavailable`: nothing wrong with the request; send it again after `retry_after` whole seconds."""

    status = 503
    error = "service_unavailable"
    default = "The service is busy"

    def __init__(self, description: str | None = None, *, retry_after: int = 1, rate: Rate | None = None) -> None:
        super().__init__(description, rate=rate)
        self.retry_after = retry_after


class TooFrequent(Unavailable):
    """503: over the number of writes and deletes that the write window admits."""

    default = "appdata update frequency is too high"


class TokenRefused(Refusal):
    """401 (400 for two different tokens): no token, or one that does not hold.

    `error` is one of RFC 6750's `invalid_request`, `invalid_token`, or `expired_token` as the older dialect says.
    """

    def __init__(self, error: str, description: str, *, status: int = 401) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


class InsufficientScope(Refusal):
    """403 `insufficient_scope`: the token is good and was not granted for `scope`."""

    status = 403
    error = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The access token does not have the scope {scope}")
        self.scope = scope


class GrantRefused(Refusal):
    """What the token endpoint and the authorization refuse: `error` is one of RFC 6749 §5.2's or §4.1.2.1's words.

    400, but 401 for `invalid_client`, and for `invalid_grant` where the app speaks the older dialect.
    """

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


class SignatureRefused(Refusal):
    """401 (400 where it is malformed): a request signed by OAuth 1.0a that does not hold.

    `error` is one of the problems of OAuth Problem Reporting 1.0; `details` are that extension's further parameters.
    """

    def __init__(
        self, problem: str, description: str, status: int = 401, details: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.error = problem
        self.status = status
        self.details = dict(details or {})
