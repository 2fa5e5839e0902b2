"""The refusals of Engawa. Each has an HTTP status, an `error` word and a sentence.

Words and statuses are those of the Persistence API's error tables and of docs/internals/decisions.md.
Only web/error_answers.py turns a refusal into an HTTP response.
"""

from collections.abc import Mapping

from chalicelib.core.window import Rate


class Refusal(Exception):
    """A refused request, which has changed nothing.

    `description` is the sentence for the client. The class defines status, `error` and a default sentence. `rate` is
    the state of the write window, if known. `etag` is the current version of the data. Both become headers.
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
    """400 `bad_request`: the route cannot read the request (content type, JSON, a value that is not a string)."""


class ParameterInvalid(Refusal):
    """400 `parameter_invalid`: a value that is not allowed. The description names the value and its limit."""

    error = "parameter_invalid"
    default = "Invalid parameter"


class QuotaExceeded(ParameterInvalid):
    """400 `parameter_invalid`: more bytes than a user may store in an app."""


class PermissionDenied(Refusal):
    """403 `permission_denied`: an invalid selector, or data that this viewer may not read or change with this app."""

    status = 403
    error = "permission_denied"
    default = "Permission denied"


class NotFound(Refusal):
    """404 `not_found`."""

    status = 404
    error = "not_found"
    default = "Not found"


class MethodNotAllowed(Refusal):
    """405 `method_not_allowed`. The `Allow` header of the response lists the methods of the path."""

    status = 405
    error = "method_not_allowed"
    default = "Method not allowed"


class Conflict(Refusal):
    """409 `conflict`: the item exists already, or something else uses a resource that this request needs."""

    status = 409
    error = "conflict"
    default = "It exists already"


class BoundExceeded(Refusal):
    """409 `bound_exceeded`: the result of an addition is out of its bounds. The description names the key."""

    status = 409
    error = "bound_exceeded"
    default = "The result is out of its bounds"


class StillRunning(Refusal):
    """409 `idempotency_in_progress`: the first request with this `Idempotency-Key` has no response yet."""

    status = 409
    error = "idempotency_in_progress"
    default = "The first request with this Idempotency-Key is still running"
    retry_after = 1


class PreconditionFailed(Refusal):
    """412 `precondition_failed`: `If-Match`, `If-None-Match` or `if` is not fulfilled. `etag`: the current version."""

    status = 412
    error = "precondition_failed"
    default = "The data have changed, or do not meet the precondition"


class TooLarge(Refusal):
    """413 `request_entity_too_large`. The description names the maximum."""

    status = 413
    error = "request_entity_too_large"
    default = "Request entity too large"


class UnsupportedEncoding(Refusal):
    """415 `unsupported_media_type`: a body with a `Content-Encoding`. The description names it."""

    status = 415
    error = "unsupported_media_type"
    default = "The body must be sent without a Content-Encoding"


class KeyReused(Refusal):
    """422 `idempotency_conflict`: an `Idempotency-Key` that another request has already used."""

    status = 422
    error = "idempotency_conflict"
    default = "This Idempotency-Key was already used for a different request"


class InternalError(Refusal):
    """500 `internal_error`: an error of the server. The response has no details."""

    status = 500
    error = "internal_error"
    default = "Internal error"


class Unavailable(Refusal):
    """503 `service_unavailable`: the request is valid. The client may retry it after `retry_after` whole seconds."""

    status = 503
    error = "service_unavailable"
    default = "The service is busy"

    def __init__(self, description: str | None = None, *, retry_after: int = 1, rate: Rate | None = None) -> None:
        super().__init__(description, rate=rate)
        self.retry_after = retry_after


class OtherFormat(Unavailable):
    """503: stored data have a format that this version of Engawa cannot read, so it does not touch them.

    It happens while two versions run side by side, so another try may meet the other one; otherwise an operator must
    deploy it.
    """

    def __init__(self, *, newer: bool) -> None:
        age = "newer" if newer else "older"
        super().__init__(f"The data were stored by a {age} version of the service", retry_after=5)


class TooFrequent(Unavailable):
    """503: more writes and deletes than the write window admits."""

    default = "appdata update frequency is too high"


class TokenRefused(Refusal):
    """401 (400 for two different tokens): no token, or an invalid one.

    `error` is RFC 6750's `invalid_request` or `invalid_token`, or `expired_token` from the older dialect.
    """

    def __init__(self, error: str, description: str, *, status: int = 401) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


class InsufficientScope(Refusal):
    """403 `insufficient_scope`: the token is valid but does not have `scope`."""

    status = 403
    error = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The access token does not have the scope {scope}")
        self.scope = scope


class GrantRefused(Refusal):
    """A refusal of the token endpoint or the authorization. `error` is a word of RFC 6749 §5.2 or §4.1.2.1.

    The status is 400. It is 401 for `invalid_client`, and for `invalid_grant` if the app uses the older dialect.
    """

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


class SignatureRefused(Refusal):
    """401 (400 if malformed): a request with an invalid OAuth 1.0a signature.

    `error` is a problem of OAuth Problem Reporting 1.0. `details` are further parameters of that extension.
    """

    def __init__(
        self, problem: str, description: str, status: int = 401, details: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(description)
        self.error = problem
        self.status = status
        self.details = dict(details or {})
