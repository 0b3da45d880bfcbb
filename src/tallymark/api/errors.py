"""The one place where what went wrong becomes an HTTP answer (platform §1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tallymark.api.request_ids import HEADER, request_id_of
from tallymark.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Lacking,
    Locked,
    NotAllowed,
    NotFound,
    Places,
    ProviderFailed,
    TallymarkError,
    ThirdPartyFailed,
    TookTooLong,
    TooMany,
)
from tallymark.domain.expressions import EvaluationFailed

log = structlog.get_logger(__name__)


class Unauthorized(TallymarkError):
    """The API key is missing, unknown or expired, or nobody has signed in; the code says of a session that it is over."""

    def __init__(self, code: str | None = None) -> None:
        self.code = code
        super().__init__(code)


class BadRequest(TallymarkError):
    """The body can't be read as what it should be."""

    def __init__(self, message: str = "Bad Request") -> None:
        self.message = message
        super().__init__(message)

    @classmethod
    def missing_root(cls, root: str) -> BadRequest:
        """The object that should hold everything is absent or empty."""
        return cls(f"BadRequest: param is missing or the value is empty or invalid: {root}")


class PayloadTooLarge(TallymarkError, HTTPException):
    """The request is over the size that is accepted. The framework lets no other exception out of the reading of a body."""

    def __init__(self) -> None:
        HTTPException.__init__(self, status_code=413)


def error_body(error: TallymarkError) -> dict[str, Any]:
    """The wire's body for an anticipated error; its `status` is the HTTP status."""
    match error:
        case Unauthorized(code=None):
            return _body(HTTPStatus.UNAUTHORIZED)
        case Unauthorized(code=str(code)):
            return _body(HTTPStatus.UNAUTHORIZED, code=code)
        case EvaluationFailed():
            return validation_body(f"expression_evaluation_failed: {error}")
        case BadRequest():
            return {"status": 400, "error": error.message}
        case PayloadTooLarge():
            return {"status": 413, "error": "Payload Too Large"}
        case Lacking():
            return _body(HTTPStatus.FORBIDDEN, code=error.code, required_permissions=list(error.permissions))
        case Forbidden():
            return _body(HTTPStatus.FORBIDDEN, code=error.code)
        case NotFound():
            return _body(HTTPStatus.NOT_FOUND, code=error.code)
        case NotAllowed():
            return _body(HTTPStatus.METHOD_NOT_ALLOWED, code=error.code)
        case Conflict():
            return _body(HTTPStatus.CONFLICT, code=error.code)
        case TooMany():
            return _body(HTTPStatus.TOO_MANY_REQUESTS, code=error.code)
        case Locked():
            return _body(HTTPStatus.UNPROCESSABLE_ENTITY, code=error.code)
        case TookTooLong():
            # No `Retry-After`: libraries would ask the same at once again, and it would take as long.
            return _body(HTTPStatus.SERVICE_UNAVAILABLE, code=error.code)
        case Invalid():
            return validation_body(error.details, error.places)
        case ProviderFailed():
            failed = _body(HTTPStatus.UNPROCESSABLE_ENTITY, code=error.code)
            return {**failed, "provider": {"code": error.connection_code}, "error_details": error.details}
        case ThirdPartyFailed():
            failed = _body(HTTPStatus.UNPROCESSABLE_ENTITY, code=error.code)
            return {**failed, "error_details": error.details}
        case _:
            raise AssertionError(f"no answer for {type(error).__name__}") from error


def validation_body(details: object, places: Places | None = None) -> dict[str, Any]:
    """A 422 with codes by field; the events batch nests them by index. What lies deeper than a field is told by its place, too."""
    return {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
        **({"error_places": places} if places else {}),
    }


def _body(status: HTTPStatus, **more: str | list[str]) -> dict[str, Any]:
    return {"status": int(status), "error": status.phrase, **more}


def _answer(body: dict[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        body, status_code=body["status"], media_type="application/json; charset=utf-8", headers=headers
    )


def limit_headers(*, limit: int, remaining: int, wait: timedelta) -> dict[str, str]:
    """What tells a caller how often it may call, and how long a window lasts yet, in whole seconds (platform §1.7)."""
    reset = str(-(-wait // timedelta(seconds=1)))
    return {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": reset,
    }


CODES = {
    "missing": "value_is_mandatory",
    "none_required": "value_must_be_blank",
    "string_too_short": "value_is_mandatory",
    "too_short": "value_is_mandatory",
    "too_long": "value_is_too_long",
    "string_too_long": "value_is_too_long",
    "greater_than": "value_is_out_of_range",
    "greater_than_equal": "value_is_out_of_range",
    "less_than": "value_is_out_of_range",
    "less_than_equal": "value_is_out_of_range",
    "datetime_from_date_parsing": "invalid_date",
    "datetime_parsing": "invalid_date",
    "datetime_type": "invalid_date",
    "timezone_aware": "invalid_date",
}
"""Wire codes of Pydantic's own error types; ours are raised as `PydanticCustomError` with the wire code as type."""

_OURS = frozenset({"invalid_content_type", "invalid_type"})
"""Wire codes that end as Pydantic's own do."""

_NO_ROOT = frozenset({"missing", "missing_root", "model_attributes_type", "model_type", "dict_type"})
"""What is wrong with a root object that is not there, or is none."""

_PYDANTIC_WORDS = ("_type", "_parsing", "_error", "enum", "extra_forbidden", "_expected", "finite_number")


def field_errors(errors: list[Any]) -> dict[str, list[str]]:
    """Wire codes by field. The field is the innermost name: a plan's charges report `properties`, not their index."""
    details: dict[str, list[str]] = {}
    for error in errors:
        names = [part for part in error["loc"] if isinstance(part, str)]
        codes = details.setdefault(names[-1] if names else "base", [])
        code = _code(error)
        if code not in codes:
            codes.append(code)
    return details


def places_of(errors: list[Any], body: object) -> dict[str, list[str]]:
    """Wire codes by where they belong in what a root holds, of what lies deeper than its fields: "charges.1.properties"."""
    root = next(iter(body)) if isinstance(body, dict) and len(body) == 1 else None
    found: dict[str, list[str]] = {}
    for error in errors:
        steps = error["loc"][1:] if error["loc"][:1] == (root,) else error["loc"]
        if len(steps) > 1 and isinstance(steps[-1], str):
            codes = found.setdefault(".".join(map(str, steps)), [])
            if (code := _code(error)) not in codes:
                codes.append(code)
    return found


_CLOSED_LISTS = frozenset(
    {
        "aggregation_type", "charge_model", "coupon_type", "expiration", "frequency", "interval", "pay_in_advance"
    }
)  # fmt: skip
"""Fields of which nothing at all is one of the values that are wrong (metering §2.1, pricing §4.1, §5.1, §16.1)."""


def _code(error: Any) -> str:
    kind: str = error["type"]
    if kind == "missing" and error["loc"][-1] in _CLOSED_LISTS:
        return "value_is_invalid"
    if kind in CODES:
        return CODES[kind]
    if kind in _OURS:
        return kind
    if error.get("input") is None and kind.endswith("_type"):
        return "value_is_mandatory"
    return "value_is_invalid" if kind.endswith(_PYDANTIC_WORDS) else kind


def missing_root(error: RequestValidationError) -> str | None:
    """The name of the root object that a body lacks, empty where there is no object at all; None where it has one."""
    for problem in error.errors():
        where = problem["loc"]
        if where[0] == "body" and (len(where) == 1 or (len(where) == 2 and problem["type"] in _NO_ROOT)):
            return str(where[1]) if len(where) == 2 else ""
    return None


def _validation_answer(error: RequestValidationError) -> JSONResponse:
    errors = list(error.errors())
    if any(problem["type"] == "json_invalid" for problem in errors):
        return _answer({"status": 400, "error": "Bad Request"})
    root = missing_root(error)
    if root is not None:
        return _answer(error_body(BadRequest.missing_root(root or "body")))
    inside = [{**e, "loc": e["loc"][1:]} for e in errors]
    return _answer(validation_body(field_errors(inside), places_of(inside, error.body)))


def answer_to(error: Exception) -> JSONResponse:
    """The answer to whatever went wrong; what was not anticipated is a 500."""
    match error:
        case TooMany(limit=limit, wait=wait):
            return _answer(error_body(error), limit_headers(limit=limit, remaining=0, wait=wait))
        case TallymarkError():
            return _answer(error_body(error))
        case RequestValidationError():
            return _validation_answer(error)
        case HTTPException(status_code=404 | 405):
            return _answer(error_body(NotFound("resource")))
        case HTTPException():
            return _answer(_body(HTTPStatus(error.status_code)))
        case _:
            return _answer(_body(HTTPStatus.INTERNAL_SERVER_ERROR))


def register_error_handlers(app: FastAPI) -> None:
    """Teach the application to answer every error in the wire's shape."""

    async def anticipated(_: Request, error: Exception) -> JSONResponse:
        return answer_to(error)

    async def defect(request: Request, error: Exception) -> JSONResponse:
        request_id = str(request_id_of(request))
        log.error(
            "request failed",
            request_id=request_id,
            method=request.method,
            path=request.url.path,
            exc_info=error,
        )
        # The server gets it next, and would log it again.
        error.is_told = True  # type: ignore[attr-defined]  # an exception may have any
        answer = answer_to(error)
        answer.headers[HEADER] = request_id
        return answer

    for kind in (TallymarkError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, anticipated)
    app.add_exception_handler(Exception, defect)
