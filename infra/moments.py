"""The dates and instants that people ask by: each has one form, on every surface."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.values import Instant

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(rf"{_DAY.pattern}[T ].*", re.ASCII)


def day_of(text: str) -> date:
    """Return the date of a text. Raises `ValueError`, which says what to write."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    message = f"{text!r} is no date: write YYYY-MM-DD"
    raise ValueError(message)


def moment_of(text: str) -> datetime:
    """Return the instant of a text, which has an offset. Raises `ValueError`, as above."""
    try:
        moment = datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"{text!r} is no instant: write 2026-01-31T18:00:00+08:00"
        raise ValueError(message)
    return moment


def microseconds(moment: datetime) -> Instant:
    """Return the microseconds since 1970 UTC."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
