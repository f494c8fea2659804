"""A query takes the parameters that its path has, and no other ones.

A misspelled filter that is left out unseen would answer for everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002 - FastAPI reads it at run time
from fastapi.exceptions import RequestValidationError

if TYPE_CHECKING:
    from collections.abc import Collection


def no_other_parameters(request: Request) -> None:
    """Refuse a parameter that OpenAPI has none of. Raises `RequestValidationError`."""
    if request.query_params and (taken := _taken(request)) is not None:
        for name in request.query_params:
            if name not in taken:
                message = f"there is no such parameter here: {', '.join(taken) or 'there is none'}"
                fault = {"type": "extra_forbidden", "loc": ("query", name), "msg": message}
                raise RequestValidationError([fault])


def _taken(request: Request) -> Collection[str] | None:
    """Return the names of the parameters that a path takes, sorted; None of an untold path."""
    paths = request.app.openapi()["paths"]
    told = paths.get(request.scope["route"].path, {}).get(request.method.lower())
    if told is None:
        return None
    return sorted(each["name"] for each in told.get("parameters", ()) if each["in"] == "query")
