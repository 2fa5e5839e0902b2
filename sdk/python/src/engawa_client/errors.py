"""An exception for each documented error word.

Generated from openapi.yaml by sdk/python/generate.py: do not edit it.
"""

from engawa_client.base import EngawaError


class AccessDenied(EngawaError):
    """`access_denied`, status 302."""

    word = "access_denied"


class BadRequest(EngawaError):
    """`bad_request`, status 400."""

    word = "bad_request"


class BoundExceeded(EngawaError):
    """`bound_exceeded`, status 409."""

    word = "bound_exceeded"


class Conflict(EngawaError):
    """`conflict`, status 409."""

    word = "conflict"


class ConsumerKeyRefused(EngawaError):
    """`consumer_key_refused`, status 401."""

    word = "consumer_key_refused"


class ConsumerKeyUnknown(EngawaError):
    """`consumer_key_unknown`, status 401."""

    word = "consumer_key_unknown"


class ExpiredToken(EngawaError):
    """`expired_token`, status 401."""

    word = "expired_token"


class IdempotencyConflict(EngawaError):
    """`idempotency_conflict`, status 422."""

    word = "idempotency_conflict"


class IdempotencyInProgress(EngawaError):
    """`idempotency_in_progress`, status 409."""

    word = "idempotency_in_progress"


class InsufficientScope(EngawaError):
    """`insufficient_scope`, status 403."""

    word = "insufficient_scope"


class InternalError(EngawaError):
    """`internal_error`, status 500."""

    word = "internal_error"


class InvalidClient(EngawaError):
    """`invalid_client`, status 401."""

    word = "invalid_client"


class InvalidGrant(EngawaError):
    """`invalid_grant`, status 400 or 401."""

    word = "invalid_grant"


class InvalidRequest(EngawaError):
    """`invalid_request`, status 400 or 401."""

    word = "invalid_request"


class InvalidScope(EngawaError):
    """`invalid_scope`, status 400."""

    word = "invalid_scope"


class InvalidToken(EngawaError):
    """`invalid_token`, status 401."""

    word = "invalid_token"


class MethodNotAllowed(EngawaError):
    """`method_not_allowed`, status 405."""

    word = "method_not_allowed"


class NonceUsed(EngawaError):
    """`nonce_used`, status 401."""

    word = "nonce_used"


class NotFound(EngawaError):
    """`not_found`, status 404."""

    word = "not_found"


class ParameterAbsent(EngawaError):
    """`parameter_absent`, status 400."""

    word = "parameter_absent"


class ParameterInvalid(EngawaError):
    """`parameter_invalid`, status 400."""

    word = "parameter_invalid"


class ParameterRejected(EngawaError):
    """`parameter_rejected`, status 400 or 401."""

    word = "parameter_rejected"


class PermissionDenied(EngawaError):
    """`permission_denied`, status 403."""

    word = "permission_denied"


class PreconditionFailed(EngawaError):
    """`precondition_failed`, status 412."""

    word = "precondition_failed"


class RequestEntityTooLarge(EngawaError):
    """`request_entity_too_large`, status 413."""

    word = "request_entity_too_large"


class ServiceUnavailable(EngawaError):
    """`service_unavailable`, status 503."""

    word = "service_unavailable"


class SignatureInvalid(EngawaError):
    """`signature_invalid`, status 401."""

    word = "signature_invalid"


class SignatureMethodRejected(EngawaError):
    """`signature_method_rejected`, status 400."""

    word = "signature_method_rejected"


class TimestampRefused(EngawaError):
    """`timestamp_refused`, status 401."""

    word = "timestamp_refused"


class TokenRejected(EngawaError):
    """`token_rejected`, status 401."""

    word = "token_rejected"


class UnauthorizedClient(EngawaError):
    """`unauthorized_client`, status 400."""

    word = "unauthorized_client"


class UnsupportedGrantType(EngawaError):
    """`unsupported_grant_type`, status 400."""

    word = "unsupported_grant_type"


class UnsupportedMediaType(EngawaError):
    """`unsupported_media_type`, status 415."""

    word = "unsupported_media_type"


class UnsupportedResponseType(EngawaError):
    """`unsupported_response_type`, status 302."""

    word = "unsupported_response_type"


class VersionRejected(EngawaError):
    """`version_rejected`, status 400."""

    word = "version_rejected"


BY_WORD = {
    each.word: each
    for each in (
        AccessDenied,
        BadRequest,
        BoundExceeded,
        Conflict,
        ConsumerKeyRefused,
        ConsumerKeyUnknown,
        ExpiredToken,
        IdempotencyConflict,
        IdempotencyInProgress,
        InsufficientScope,
        InternalError,
        InvalidClient,
        InvalidGrant,
        InvalidRequest,
        InvalidScope,
        InvalidToken,
        MethodNotAllowed,
        NonceUsed,
        NotFound,
        ParameterAbsent,
        ParameterInvalid,
        ParameterRejected,
        PermissionDenied,
        PreconditionFailed,
        RequestEntityTooLarge,
        ServiceUnavailable,
        SignatureInvalid,
        SignatureMethodRejected,
        TimestampRefused,
        TokenRejected,
        UnauthorizedClient,
        UnsupportedGrantType,
        UnsupportedMediaType,
        UnsupportedResponseType,
        VersionRejected,
    )
}
