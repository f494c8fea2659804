"""Errors as an operator meets them: one line with a stable code; outages waited out, then told.

Exit statuses: 0 done · 1 failed · 2 the call was wrong · 3 some rows were rejected.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, ClassVar, TypeVar

import typer

from infra.outages import tell_outage

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS_MAX = 6  # about half a minute of waiting in all
BACK_OFF_FIRST_SECONDS, BACK_OFF_MAX_SECONDS = 1.0, 10.0
FAILED, WRONG_CALL = 1, 2

T = TypeVar("T")


class BadCallError(Exception):
    """The words of the call do not fit together."""

    code: ClassVar[str] = "bad-call"
    exit_status: ClassVar[int] = WRONG_CALL


def failed(error: Exception) -> int:
    """Tell an error that has a code and return the exit status; raise one that is a bug.

    Where `--json` was asked for, the error is the one JSON document on stdout.
    """
    if isinstance(error, _USAGE_ERROR):
        error.show()  # type: ignore[attr-defined]  # Typer's own: usage, and what is wrong with it
        return _told(BadCallError.code, error.format_message(), WRONG_CALL)  # type: ignore[attr-defined]  # as above
    code = getattr(error, "code", "system" if isinstance(error, OSError) else None)
    if not isinstance(code, str):
        raise error
    message = str(error) or (type(error).__doc__ or "").strip()
    sys.stderr.write(f"guanxi: {code}: {message}\n")
    return _told(code, message, getattr(error, "exit_status", FAILED))


def persisting(
    attempt: Callable[[], T],
    attempts_max: int | None = ATTEMPTS_MAX,
    stop: threading.Event | None = None,
    tell: Callable[[Exception, float], None] = tell_outage,
) -> T:
    """Return what the attempt returns; a retriable error is waited out with back-off.

    After `attempts_max` attempts (None: never) it is raised. Told to stop, it ends the command.
    """
    stop = stop or threading.Event()
    wait_seconds, attempts = BACK_OFF_FIRST_SECONDS, 1
    while True:
        try:
            return attempt()
        except Exception as error:
            if not getattr(error, "retriable", False) or attempts == attempts_max:
                raise
            tell(error, wait_seconds)
            if stop.wait(wait_seconds):
                raise typer.Exit from None
            wait_seconds, attempts = min(2 * wait_seconds, BACK_OFF_MAX_SECONDS), attempts + 1


def _told(code: str, message: str, status: int) -> int:
    if "--json" in sys.argv:
        json.dump({"error": {"code": code, "message": message}}, sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
    return status


_USAGE_ERROR = typer.BadParameter.__mro__[1]  # Typer publishes this subclass alone
