"""Errors as an operator meets them: one line with a stable code; outages waited out, then told."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS_MAX = 6  # about half a minute in all
BACK_OFF_FIRST_SECONDS = 1.0
FAILED = 1

T = TypeVar("T")
log = structlog.get_logger()


def failed(error: Exception) -> int:
    """Tell an error that has a code and return the exit status; raise one that is a bug."""
    code = getattr(error, "code", None)
    if not isinstance(code, str):
        if not isinstance(error, OSError):
            raise error
        code = "system"
    sys.stderr.write(f"guanxi: {code}: {error or type(error).__doc__}\n")
    if "--json" in sys.argv:
        json.dump({"error": {"code": code, "message": str(error)}}, sys.stdout)
        sys.stdout.write("\n")
    return FAILED


def persisting(attempt: Callable[[], T], attempts_max: int | None = ATTEMPTS_MAX) -> T:
    """Return what the attempt returns; a retriable error is waited out with back-off.

    After `attempts_max` attempts (None: never) it is raised.
    """
    wait_seconds, attempts = BACK_OFF_FIRST_SECONDS, 1
    while True:
        try:
            return attempt()
        except Exception as error:
            if not getattr(error, "retriable", False) or attempts == attempts_max:
                raise
            code = getattr(error, "code", "")
            log.warning("waiting", code=code, error=str(error), again_in_seconds=wait_seconds)
            time.sleep(wait_seconds)
            wait_seconds, attempts = min(2 * wait_seconds, 10.0), attempts + 1
