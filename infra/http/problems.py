"""Errors over HTTP: RFC 9457 problem details, each with its stable code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from consumers.event_store import ConflictError, StoreUnavailableError
from consumers.views import NoViewError
from domain.errors import KeyConflictError, RefusedError
from infra.answers import NotFoundError, QuestionError
from infra.rules.reading import RulesError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

RETRY_AFTER_SECONDS = 2
MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger()


class NotAppliedYetError(Exception):
    """The view does not hold the position asked for yet, though it was waited for."""

    code = "not-applied-yet"


class KeyMissingError(Exception):
    """A command needs an `Idempotency-Key`, so that telling it twice records it once."""

    code = "idempotency-key-missing"


class NotReadyError(Exception):
    """The ledger is not open yet; `/readyz` says what is waited for."""

    code = "not-ready"


# The first class that fits gives the status.
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (KeyConflictError, 409),
    (RefusedError, 422),
    (NotFoundError, 404),
    (QuestionError, 400),
    (KeyMissingError, 400),
    (ConflictError, 409),
    (StoreUnavailableError, 503),
    (NoViewError, 503),
    (NotAppliedYetError, 503),
    (NotReadyError, 503),
    (RulesError, 500),
    (Exception, 500),
)


def install(app: FastAPI) -> None:
    """Let the app answer each foreseeable error with a problem document."""
    for kind, _ in _STATUSES:
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _plain)


def problem(status: int, code: str, detail: str, **more: object) -> JSONResponse:
    """Return a problem document; 503 says when to try again."""
    title = code.replace("-", " ").capitalize()
    document = {"type": f"urn:guanxi:error:{code}", "title": title, "status": status}
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None  # noqa: PLR2004 - its own name
    content = {**document, "code": code, "detail": detail, **more}
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def _answer(_: Request, error: Exception) -> JSONResponse:
    kind, status = next(each for each in _STATUSES if isinstance(error, each[0]))
    if kind is Exception:
        log.error("failed", exc_info=error)
        return problem(status, "internal", "the server failed; its log says how")
    code = str(getattr(error, "code", "error"))
    more = {"field": error.field} if isinstance(error, RefusedError) else {}
    return problem(status, code, str(error), **more)


def _bad_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":  # its place is not a field but a character
        field, fault = "body", f"no JSON at character {first['loc'][-1]}: {first['ctx']['error']}"
    else:
        field, fault = str(first["loc"][-1]), first["msg"].removeprefix("Value error, ")
        if first["type"] != "value_error" and isinstance(first.get("input"), str):
            fault = f"{first['input']!r}: {fault}"  # our own words have the value in them
    return problem(400, "bad-parameter", f"{field}: {fault}", field=field)


def _plain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, "http-error", str(error.detail))
